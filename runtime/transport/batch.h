#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include <troupe/function.h>
#include <troupe/result.h>

namespace troupe::transport {

/// One message of a stream: `head`, then `length` bytes of `body` from `offset`, if there is one.
///
/// A batch is pieces one after another, each a varint, 2 * length + (1 if the frame goes on in the
/// next piece), and then its bytes. The end of a frame is always in the last piece of it.
struct Batch {
  std::string head = {};
  std::shared_ptr<const std::string> body = nullptr;
  std::size_t offset = 0;
  std::size_t length = 0;
  std::uint64_t frames = 0;  // that end in it

  std::size_t size() const { return head.size() + length; }
};

/// Frames waiting to be sent over one lane, in order.
///
/// Small frames are copied together as they come; a large one is kept as it is, and sent in pieces
/// that refer to it. Not thread-safe.
class BatchQueue {
 public:
  struct Limits {
    std::size_t batch_bytes_max;
    std::size_t queue_bytes_max;  // one frame fits into an empty queue whatever its size
    std::size_t frame_bytes_max;
  };

  explicit BatchQueue(Limits limits) : limits_(limits) {}

  /// False, and nothing queued, if it would hold too much.
  [[nodiscard]] bool push(std::string frame);
  bool empty() const { return blocks_.empty(); }
  std::size_t bytes() const { return bytes_; }
  /// Whole frames that the next batch carries, so far.
  std::uint64_t frames() const { return empty() ? 0 : blocks_.front().frames; }
  /// Requires !empty().
  Batch take();
  void clear();

 private:
  struct Block {
    std::string pieces = {};  // small frames with their headers
    std::uint64_t frames = 0;
    std::shared_ptr<const std::string> large = nullptr;  // or one frame
    std::size_t sent = 0;                                // of it
  };

  void push_small(std::string_view frame);
  Batch take_piece(Block& block);

  const Limits limits_;
  std::deque<Block> blocks_;
  std::size_t bytes_ = 0;
  std::size_t usual_ = 0;  // bytes of a batch, of late
};

/// Takes batches apart into frames again. Safe on any bytes. Not thread-safe.
class FrameAssembler {
 public:
  explicit FrameAssembler(std::size_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  /// Calls `frame` for each that ends in `batch`, in order; the views live during the call.
  /// kInvalid for damaged bytes or a frame that is too large: the stream is lost then.
  Result<void> feed(std::string_view batch, Function<void(std::string_view)>& frame);

 private:
  const std::size_t frame_bytes_max_;
  std::string begun_;
};

}  // namespace troupe::transport

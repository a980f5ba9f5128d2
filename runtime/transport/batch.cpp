#include "runtime/transport/batch.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::transport {
namespace {

// Above, referring to a frame is cheaper than copying it.
constexpr std::size_t kSmallFrameBytes = 16 * 1024;
constexpr std::size_t kPieceHeadBytesMax = 10;

void append_head(std::string& out, std::size_t length, bool goes_on) {
  std::uint64_t value = (static_cast<std::uint64_t>(length) << 1) | (goes_on ? 1U : 0U);
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Takes a varint off the front of `in`; false if there is none.
bool take_number(std::string_view& in, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < std::min(in.size(), kPieceHeadBytesMax); ++i) {
    const auto byte = static_cast<unsigned char>(in[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      in.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace

bool BatchQueue::push(std::string frame) {
  const std::size_t size = frame.size();
  if (size > limits_.frame_bytes_max) return false;
  if (!empty() && bytes_ + size > limits_.queue_bytes_max) return false;
  if (size <= std::min(kSmallFrameBytes, limits_.batch_bytes_max)) {
    push_small(frame);
    return true;
  }
  blocks_.emplace_back();
  blocks_.back().large = std::make_shared<const std::string>(std::move(frame));
  bytes_ += size;
  return true;
}

void BatchQueue::push_small(std::string_view frame) {
  const std::size_t room = kPieceHeadBytesMax + frame.size();
  if (blocks_.empty() || blocks_.back().large ||
      blocks_.back().pieces.size() + room > limits_.batch_bytes_max) {
    blocks_.emplace_back();
    blocks_.back().pieces.reserve(std::max(room, usual_));
  }
  Block& block = blocks_.back();
  const std::size_t before = block.pieces.size();
  append_head(block.pieces, frame.size(), false);
  block.pieces.append(frame);
  ++block.frames;
  bytes_ += block.pieces.size() - before;
}

Batch BatchQueue::take() {
  check(!empty(), "an empty queue has no batch");
  Block& block = blocks_.front();
  if (block.large) return take_piece(block);
  Batch batch;
  batch.head = std::move(block.pieces);
  batch.frames = block.frames;
  // Rises at once and sinks slowly, so that frames are seldom copied for lack of room.
  usual_ = std::max(batch.head.size(), usual_ - usual_ / 8);
  bytes_ -= batch.head.size();
  blocks_.pop_front();
  return batch;
}

Batch BatchQueue::take_piece(Block& block) {
  Batch batch;
  batch.body = block.large;
  batch.offset = block.sent;
  batch.length = std::min(limits_.batch_bytes_max, block.large->size() - block.sent);
  block.sent += batch.length;
  bytes_ -= batch.length;
  const bool goes_on = block.sent < block.large->size();
  append_head(batch.head, batch.length, goes_on);
  batch.frames = goes_on ? 0 : 1;
  if (!goes_on) blocks_.pop_front();
  return batch;
}

void BatchQueue::clear() {
  blocks_.clear();
  bytes_ = 0;
}

Result<void> FrameAssembler::feed(std::string_view batch, Function<void(std::string_view)>& frame) {
  while (!batch.empty()) {
    std::uint64_t head = 0;
    if (!take_number(batch, head)) return fail(Code::kInvalid, "a damaged batch");
    const bool goes_on = (head & 1) != 0;
    const std::uint64_t length = head >> 1;
    if (length > batch.size()) return fail(Code::kInvalid, "a batch that ends too early");
    if (length + begun_.size() > frame_bytes_max_) {
      return fail(Code::kInvalid,
                  "a frame of more than " + std::to_string(frame_bytes_max_) + " bytes");
    }
    const std::string_view piece = batch.substr(0, length);
    batch.remove_prefix(length);
    if (goes_on) {
      begun_.append(piece);
    } else if (begun_.empty()) {
      frame(piece);
    } else {
      begun_.append(piece);
      frame(std::exchange(begun_, {}));
    }
  }
  return {};
}

}  // namespace troupe::transport

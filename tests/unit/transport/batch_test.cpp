#include "runtime/transport/batch.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace troupe::transport {
namespace {

constexpr BatchQueue::Limits kLimits{
    .batch_bytes_max = 64 * 1024, .queue_bytes_max = 1024 * 1024, .frame_bytes_max = 512 * 1024};

std::string bytes_of(const Batch& batch) {
  std::string bytes = batch.head;
  if (batch.body) bytes.append(*batch.body, batch.offset, batch.length);
  return bytes;
}

struct Sent {
  std::vector<std::string> batches;
  std::vector<std::string> frames;
  std::uint64_t counted = 0;
};

// What arrives of all that is queued.
Sent pass(BatchQueue& queue) {
  Sent sent;
  FrameAssembler assembler(kLimits.frame_bytes_max);
  Function<void(std::string_view)> keep = [&](std::string_view frame) {
    sent.frames.emplace_back(frame);
  };
  while (!queue.empty()) {
    const Batch batch = queue.take();
    sent.batches.push_back(bytes_of(batch));
    EXPECT_EQ(batch.size(), sent.batches.back().size());
    sent.counted += batch.frames;
    EXPECT_TRUE(assembler.feed(sent.batches.back(), keep));
  }
  return sent;
}

TEST(BatchQueue, FramesOfAnySizeArriveWholeAndInOrder) {
  std::vector<std::string> frames;
  const std::vector<std::size_t> sizes = {
      0, 1, 63, 64, 8'191, 8'192, 16'384, 16'385, 65'536, 65'537, 200'000, 5, 0, 131'072, 7};
  for (const std::size_t size : sizes) {
    frames.emplace_back(size, static_cast<char>('a' + frames.size()));
  }
  BatchQueue queue(kLimits);
  for (const std::string& frame : frames) ASSERT_TRUE(queue.push(frame));
  const Sent sent = pass(queue);
  EXPECT_EQ(sent.frames, frames);
  EXPECT_EQ(sent.counted, frames.size());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(BatchQueue, SmallFramesShareABatch) {
  BatchQueue queue(kLimits);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(queue.push(std::string(100, 'x')));
  EXPECT_EQ(pass(queue).batches.size(), 1u);
}

TEST(BatchQueue, NoBatchIsMuchLargerThanItsBound) {
  BatchQueue queue(kLimits);
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(queue.push(std::string(10'000, 'x')));
  ASSERT_TRUE(queue.push(std::string(500'000, 'y')));
  for (const std::string& batch : pass(queue).batches) {
    EXPECT_LE(batch.size(), kLimits.batch_bytes_max + 10);
  }
}

TEST(BatchQueue, RefusesWhatWouldHoldTooMuchAndTakesItAgainOnceSent) {
  BatchQueue queue(kLimits);
  const std::string frame(300'000, 'x');
  ASSERT_TRUE(queue.push(frame));
  ASSERT_TRUE(queue.push(frame));
  ASSERT_TRUE(queue.push(frame));
  EXPECT_FALSE(queue.push(frame));
  for (int i = 0; i < 5; ++i) (void)queue.take();
  EXPECT_TRUE(queue.push(frame));
}

TEST(BatchQueue, OneFrameFitsIntoAnEmptyQueueWhateverItsSize) {
  BatchQueue queue({.batch_bytes_max = 1024, .queue_bytes_max = 10, .frame_bytes_max = 1000});
  EXPECT_TRUE(queue.push(std::string(1000, 'x')));
  EXPECT_FALSE(queue.push("y"));
}

TEST(BatchQueue, RefusesFramesThatNobodyWouldTake) {
  BatchQueue queue(kLimits);
  EXPECT_FALSE(queue.push(std::string(kLimits.frame_bytes_max + 1, 'x')));
}

// Other versions must read these: they are the protocol.
TEST(Batch, BytesAreThese) {
  BatchQueue queue({.batch_bytes_max = 4, .queue_bytes_max = 100, .frame_bytes_max = 100});
  ASSERT_TRUE(queue.push("abc"));
  ASSERT_TRUE(queue.push("vwxyz"));
  EXPECT_EQ(pass(queue).batches, (std::vector<std::string>{"\x06"
                                                           "abc",
                                                           "\x09"
                                                           "vwxy",
                                                           "\x02"
                                                           "z"}));
}

TEST(FrameAssembler, RefusesAFrameThatIsTooLarge) {
  FrameAssembler assembler(10);
  Function<void(std::string_view)> ignore = [](std::string_view) {};
  const std::string eight = std::string(1, '\x11') + "12345678";  // goes on
  EXPECT_TRUE(assembler.feed(eight, ignore));
  EXPECT_FALSE(assembler.feed(eight, ignore));
}

TEST(FrameAssembler, RefusesDamagedBytes) {
  Function<void(std::string_view)> ignore = [](std::string_view) {};
  EXPECT_FALSE(
      FrameAssembler(100).feed("\x06"
                               "ab",
                               ignore));
  EXPECT_FALSE(FrameAssembler(100).feed(std::string(20, '\xff'), ignore));
  EXPECT_FALSE(FrameAssembler(100).feed("\x80", ignore));
}

}  // namespace
}  // namespace troupe::transport

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/transport/batch.h"
#include "runtime/transport/greeting.h"
#include "runtime/transport/wire.h"

namespace {

using namespace troupe::transport;

constexpr std::size_t kFrameBytesMax = 4096;

std::vector<std::string> frames_of(const std::vector<std::string>& batches, bool& sound) {
  FrameAssembler assembler(kFrameBytesMax);
  std::vector<std::string> frames;
  troupe::Function<void(std::string_view)> take = [&](std::string_view frame) {
    troupe::check(frame.size() <= kFrameBytesMax, "no frame is longer than allowed");
    frames.emplace_back(frame);
  };
  sound = true;
  for (const std::string& batch : batches) sound = sound && assembler.feed(batch, take).has_value();
  return frames;
}

// What came as frames goes out as frames, in batches of `most` bytes.
void send_on(const std::vector<std::string>& frames, std::size_t most) {
  BatchQueue queue({.batch_bytes_max = most,
                    .queue_bytes_max = std::size_t{1} << 30,
                    .frame_bytes_max = kFrameBytesMax});
  for (const std::string& frame : frames) {
    troupe::check(queue.push(frame), "a queue with room takes a frame");
  }
  std::vector<std::string> batches;
  while (!queue.empty()) {
    Batch batch = queue.take();
    std::string bytes = std::move(batch.head);
    if (batch.body) bytes.append(*batch.body, batch.offset, batch.length);
    batches.push_back(std::move(bytes));
  }
  bool sound = false;
  troupe::check(frames_of(batches, sound) == frames && sound, "frames survive the stream");
}

void greet(std::string_view bytes) {
  const auto greeting = decode_greeting(bytes);
  if (!greeting || greeting->hello.protocol_version != troupe::Hello{}.protocol_version) return;
  const std::string encoded = encode(*greeting);
  const auto again = decode_greeting(encoded);
  troupe::check(again && encode(*again) == encoded, "a greeting survives the wire");
}

}  // namespace

// Input: a byte, then messages of a stream, each its length in a byte and then itself; the same
// bytes as a greeting, and as an answer to who asked for an introduction.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  greet(rest);
  static_cast<void>(decode_answer(rest));
  if (rest.empty()) return 0;
  const std::size_t most = 16U + static_cast<unsigned char>(rest.front());
  rest.remove_prefix(1);
  std::vector<std::string> batches;
  while (!rest.empty()) {
    const std::size_t length = static_cast<unsigned char>(rest.front());
    batches.emplace_back(rest.substr(1, length));
    rest.remove_prefix(1 + batches.back().size());
  }
  bool sound = false;
  const std::vector<std::string> frames = frames_of(batches, sound);
  if (sound) send_on(frames, most);
  return 0;
}

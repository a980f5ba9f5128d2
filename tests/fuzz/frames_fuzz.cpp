#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/cluster/frames.h"
#include "runtime/cluster/snapshot_chunk.h"

// Input: a frame, or a part of a snapshot in one, as a peer sends it. What decodes is encoded to
// the same again, whichever way a number was written at first.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::cluster;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto part = decode_snapshot_chunk(bytes)) {
    const std::string encoded = encode(*part);
    const auto again = decode_snapshot_chunk(encoded);
    troupe::check(again.has_value(), "a part of a snapshot that was read can be read again");
    troupe::check(encode(*again) == encoded, "a part of a snapshot survives the wire");
  }
  const troupe::Time now{std::chrono::hours(1)};
  const troupe::Result<Frame> frame = decode_frame(bytes, now);
  if (!frame) return 0;
  const std::string encoded = encode(*frame, now);
  const troupe::Result<Frame> again = decode_frame(encoded, now);
  troupe::check(again.has_value(), "a frame that was read can be read again");
  troupe::check(again->index() == frame->index(), "a frame keeps its kind");
  troupe::check(encode(*again, now) == encoded, "a frame survives the wire");
  return 0;
}

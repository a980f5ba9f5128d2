#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "placement/gossip/gossip.h"

// Input: the first byte says whether it comes over a stream; what follows the envelope of a
// datagram.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  troupe::Random random(1);
  troupe::placement::Table table(64);
  troupe::placement::Member self;
  self.id = {.high = 1, .low = 1};
  self.address = {.host = "a", .port = 1};
  troupe::placement::Gossip gossip(self, table, {.cluster = "f", .membership = {}, .table = {}},
                                   random);
  std::string bytes(
      "TRG1\x01"
      "f");
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  const troupe::Time now{};
  static_cast<void>(gossip.receive(now, {.host = "b", .port = 2}, bytes, (data[0] & 1) != 0));
  gossip.tick(now);
  for (const auto& message : gossip.take_outgoing()) {
    if (!message.stream && message.bytes.size() > troupe::placement::Gossip::kDatagramSizeMax) {
      __builtin_trap();
    }
  }
  return 0;
}

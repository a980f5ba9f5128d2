#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/cluster/founding.h"
#include "runtime/cluster/meta_machine.h"

// Input: an entry of the meta shard, its stored state, or a proposal to found a cluster.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::cluster;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  MetaMachine machine;
  const bool loaded = machine.load(bytes).has_value();
  if (const auto command = decode_meta_command(bytes)) {
    const std::string encoded = encode(*command);
    const auto again = decode_meta_command(encoded);
    troupe::check(again && encode(*again) == encoded, "a command survives the log");
    MetaMachine fresh;
    static_cast<void>(fresh.apply(1, *command));
    static_cast<void>(fresh.apply(2, *command));
  }
  if (loaded) {
    MetaMachine read;
    troupe::check(read.load(machine.stored()).has_value(), "what was stored can be loaded");
    troupe::check(read.stored() == machine.stored(), "and is the same");
  }
  const Proposal proposal = decode_proposal(bytes);
  troupe::check(decode_proposal(encode(proposal)) == proposal, "a proposal survives the wire");
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "placement/hash_ring.h"
#include "runtime/base/check.h"

// Input: names of nodes and a key, separated by zero bytes; the key comes last.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> nodes;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (auto zero = rest.find('\0'); zero != std::string_view::npos; zero = rest.find('\0')) {
    nodes.emplace_back(rest.substr(0, zero));
    rest.remove_prefix(zero + 1);
  }
  const troupe::placement::HashRing ring(nodes);
  if (ring.empty()) return 0;
  troupe::check(ring.successors(rest, 1).front() == ring.owner(rest), "the owner comes first");
  troupe::check(ring.successors(rest, nodes.size()).size() == ring.nodes().size(),
                "every node is met");
  return 0;
}

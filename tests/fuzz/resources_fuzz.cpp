#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/components/parse.h"

// Input: the text of a file of resources.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = troupe::components::parse_resources(text, "f");
  for (const troupe::components::Problem& each : parsed.problems) {
    if (each.place.line == 0 || each.message.empty()) __builtin_trap();
  }
  const auto same = troupe::components::difference(parsed.resources, parsed.resources);
  if (!same.added.empty() || !same.gone.empty()) __builtin_trap();
  return 0;
}

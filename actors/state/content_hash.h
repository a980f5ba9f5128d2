#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace troupe::actors {

/// Tells whether bytes are those seen before, without keeping them: equal hashes mean equal bytes
/// for all practical purposes.
struct ContentHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const ContentHash&, const ContentHash&) = default;
};

ContentHash content_hash(std::string_view bytes);

}  // namespace troupe::actors

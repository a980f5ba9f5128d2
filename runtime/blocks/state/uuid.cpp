#include "runtime/blocks/state/uuid.h"

#include <cstdint>
#include <string_view>

#include "runtime/base/random.h"

namespace troupe::blocks::state {

std::string new_uuid() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::uint64_t high = (random_seed() & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (random_seed() & ~(0x3ULL << 62U)) | (0x2ULL << 62U);
  std::string text;
  for (unsigned i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    const std::uint64_t half = i < 16 ? high : low;
    text += kDigits[(half >> (60U - 4U * (i % 16))) & 0xfU];
  }
  return text;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !digit) return false;
  }
  return true;
}

}  // namespace troupe::blocks::state

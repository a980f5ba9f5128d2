#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::api {

/// Whether `shown` is `secret`, in a time that does not tell how much of it is equal.
inline bool same_secret(std::string_view secret, std::string_view shown) {
  std::uint32_t difference = secret.size() == shown.size() ? 0 : 1;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const char other = shown.empty() ? '\0' : shown[i % shown.size()];
    difference |= static_cast<std::uint32_t>(static_cast<unsigned char>(secret[i] ^ other));
  }
  return difference == 0;
}

}  // namespace troupe::api

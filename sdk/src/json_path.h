#pragma once

#include <string>
#include <string_view>

// Where in a JSON value something went wrong, built from the inside out: `.items[3].price`.
namespace troupe::detail {

/// At most so much of a name given by a peer appears in a message.
inline constexpr std::size_t kShownMax = 64;

/// The beginning of `text`, cut between characters.
inline std::string shown(std::string_view text) {
  if (text.size() <= kShownMax) return std::string(text);
  std::size_t end = kShownMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

inline std::string at_path(std::string_view path, std::string_view why) {
  if (path.empty()) return std::string(why);
  if (path.front() == '.') path.remove_prefix(1);
  return std::string(path) + ": " + std::string(why);
}

}  // namespace troupe::detail

#include "runtime/base/ids.h"

#include <array>
#include <charconv>
#include <ranges>
#include <string_view>

namespace troupe {
namespace {

std::string hexadecimal(std::uint64_t number) {
  std::string digits(16, '0');
  for (char& digit : std::views::reverse(digits)) {
    digit = "0123456789abcdef"[number & 0xf];
    number >>= 4;
  }
  return digits;
}

bool read_hexadecimal(std::string_view digits, std::uint64_t& number) {
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number, 16);
  return error == std::errc() && rest == end;
}

}  // namespace

std::string to_string(NodeId node) { return hexadecimal(node.high) + hexadecimal(node.low); }

std::string short_name(NodeId node) { return hexadecimal(node.high).substr(0, 8); }

NodeId parse_node_id(const std::string& text) {
  NodeId node;
  const std::string_view digits = text;
  if (digits.size() != 32) return {};
  if (!read_hexadecimal(digits.substr(0, 16), node.high)) return {};
  if (!read_hexadecimal(digits.substr(16), node.low)) return {};
  return node;
}

}  // namespace troupe

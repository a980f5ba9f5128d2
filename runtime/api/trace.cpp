#include "runtime/api/trace.h"

#include <algorithm>
#include <cstdint>

namespace troupe::api {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

bool hexadecimal(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return kDigits.find(c) != std::string_view::npos; });
}

bool zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

std::string spelled(std::uint64_t number) {
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; number >>= 4) text[i] = kDigits[number & 0xf];
  return text;
}

}  // namespace

bool valid_traceparent(std::string_view text) {
  if (text.size() != 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  if (!hexadecimal(text.substr(0, 2)) || text.substr(0, 2) == "ff") return false;
  return hexadecimal(trace) && !zero(trace) && hexadecimal(span) && !zero(span) &&
         hexadecimal(text.substr(53));
}

std::string Traces::continued(std::string_view incoming) {
  if (valid_traceparent(incoming)) return std::string(incoming);
  return random_.with([](Random& random) {
    // An odd number is not zero.
    const std::string high = spelled(random.next());
    const std::string low = spelled(random.next() | 1);
    return "00-" + high + low + "-" + spelled(random.next() | 1) + "-00";
  });
}

}  // namespace troupe::api

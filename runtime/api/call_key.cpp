#include "runtime/api/call_key.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "runtime/net/http_message.h"

namespace troupe::api {
namespace {

constexpr std::size_t kCallerDigits = 32;
constexpr std::size_t kShownMax = 80;

template <class Number>
std::optional<Number> number_of(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Failure refused(std::string_view header, std::string_view value, std::string_view right) {
  return fail(Code::kInvalid, std::string(header) + " '" + std::string(value.substr(0, kShownMax)) +
                                  "' " + std::string(right));
}

}  // namespace

bool CallKey::take(std::string_view name, std::string_view value) {
  if (net::same_without_case(name, kCallKeyHeader)) {
    key = value;
    return true;
  }
  if (net::same_without_case(name, kCallAttemptHeader)) {
    attempt = value;
    return true;
  }
  if (net::same_without_case(name, kCallsDoneHeader)) {
    done_below = value;
    return true;
  }
  return false;
}

Result<storage::CallId> call_id_of(std::string_view key) {
  constexpr std::string_view kRight =
      "is no key of a call: it is 32 hexadecimal digits that the caller has drawn at random, '-', "
      "and the number of the call from 1 on, such as 9f86d081884c7d659a2feaa0c55ad015-1";
  if (key.size() < kCallerDigits + 2 || key[kCallerDigits] != '-') {
    return refused(kCallKeyHeader, key, kRight);
  }
  const auto high = number_of<std::uint64_t>(key.substr(0, kCallerDigits / 2), 16);
  const auto low = number_of<std::uint64_t>(key.substr(kCallerDigits / 2, kCallerDigits / 2), 16);
  const auto sequence = number_of<std::uint64_t>(key.substr(kCallerDigits + 1));
  if (!high || !low || !sequence || *sequence == 0) return refused(kCallKeyHeader, key, kRight);
  const NodeId caller{.high = *high, .low = *low};
  if (caller.empty()) return refused(kCallKeyHeader, key, kRight);
  return storage::CallId{.origin = caller, .generation = {}, .sequence = *sequence};
}

Result<bool> is_repeat(std::string_view attempt) {
  if (attempt.empty()) return false;
  const auto number = number_of<std::uint32_t>(attempt);
  if (!number || *number == 0) {
    return refused(kCallAttemptHeader, attempt,
                   "is no number of an attempt: the first is 1, and needs not be told");
  }
  return *number > 1;
}

Result<std::uint64_t> done_below_of(std::string_view done_below, const storage::CallId& id) {
  if (done_below.empty()) return std::uint64_t{0};
  const auto number = number_of<std::uint64_t>(done_below);
  if (!number || *number > id.sequence) {
    return refused(
        kCallsDoneHeader, done_below,
        "is no number of a call that is at most that of this one, " + std::to_string(id.sequence));
  }
  return *number;
}

}  // namespace troupe::api

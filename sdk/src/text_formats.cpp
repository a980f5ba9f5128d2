#include "sdk/src/text_formats.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::detail {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> base64_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    values[static_cast<unsigned char>(kBase64[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr Nanoseconds kMicrosecond = 1'000;
constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr Nanoseconds kMinute = 60 * kSecond;
constexpr Nanoseconds kHour = 60 * kMinute;

std::string decimal(Nanoseconds value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value > 0);
  return digits;
}

// `value / unit` with as many digits after the point as it needs.
std::string fraction(Nanoseconds value, Nanoseconds unit) {
  std::string text = decimal(value / unit);
  Nanoseconds rest = value % unit;
  if (rest > 0) text += '.';
  for (; rest > 0; rest %= unit) {
    rest *= 10;
    text += static_cast<char>('0' + static_cast<int>(rest / unit));
  }
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes `count` digits off the front.
bool take_digits(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// Takes the digits after a point: so many billionths; finer ones are cut off.
bool take_fraction(std::string_view& text, Nanoseconds& billionths) {
  Nanoseconds scale = kSecond;
  billionths = 0;
  if (text.empty() || !is_digit(text[0])) return false;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1)) {
    scale /= 10;
    billionths += (text[0] - '0') * scale;
  }
  return true;
}

// The length of a unit of time, taken off the front; 0 if there is none.
Nanoseconds take_unit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    Nanoseconds length;
  };
  // A longer name before its own beginning; the two characters are both micro signs.
  static constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                               {"us", kMicrosecond},
                                               {"\u00b5s", kMicrosecond},
                                               {"\u03bcs", kMicrosecond},
                                               {"ms", kMillisecond},
                                               {"s", kSecond},
                                               {"m", kMinute},
                                               {"h", kHour}}};
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.length;
  }
  return 0;
}

// One number with its unit.
bool take_term(std::string_view& text, Nanoseconds& value) {
  constexpr std::size_t kDigitsMax = 24;  // so that no product overflows
  std::size_t digits = 0;
  Nanoseconds whole = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (digits == kDigitsMax) return false;
    whole = whole * 10 + (text[digits] - '0');
  }
  text.remove_prefix(digits);
  Nanoseconds billionths = 0;
  const bool point = take(text, '.');
  if (point && !take_fraction(text, billionths)) return false;
  if (digits == 0 && !point) return false;
  const Nanoseconds unit = take_unit(text);
  value = whole * unit + billionths * unit / kSecond;
  return unit > 0;
}

// `Z`, or `+01:30`: minutes east of Greenwich.
bool take_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (take(text, 'Z') || take(text, 'z')) return true;
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) return false;
  int hours = 0;
  if (!take_digits(text, 2, hours) || !take(text, ':') || !take_digits(text, 2, minutes)) {
    return false;
  }
  if (hours > 23 || minutes > 59) return false;
  minutes += hours * 60;
  if (west) minutes = -minutes;
  return true;
}

void append_padded(std::string& out, int value, int width) {
  for (int scale = width == 4 ? 1000 : 10; scale > 0; scale /= 10) {
    out += static_cast<char>('0' + value / scale % 10);
  }
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group <<= 8;
      if (i + j < bytes.size()) group |= static_cast<unsigned char>(bytes[i + j]);
    }
    const std::size_t left = bytes.size() - i;
    out += kBase64[group >> 18];
    out += kBase64[group >> 12 & 63];
    out += left > 1 ? kBase64[group >> 6 & 63] : '=';
    out += left > 2 ? kBase64[group & 63] : '=';
  }
}

bool parse_base64(std::string_view text, std::string& bytes) {
  static constexpr auto kValues = base64_values();
  const std::size_t padded = text.size();
  while (!text.empty() && text.back() == '=' && padded - text.size() < 2) text.remove_suffix(1);
  if (padded != text.size() && padded % 4 != 0) return false;
  if (text.size() % 4 == 1) return false;
  bytes.clear();
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const std::int8_t value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    group = (group << 6 | static_cast<std::uint32_t>(value)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(group >> bits & 0xff);
    }
  }
  return (group & ((1U << bits) - 1)) == 0;
}

std::string duration_text(Nanoseconds value) {
  std::string text = value < 0 ? "-" : "";
  if (value < 0) value = -value;
  if (value == 0) return "0s";
  if (value < kMicrosecond) return text + decimal(value) + "ns";
  if (value < kMillisecond) return text + fraction(value, kMicrosecond) + "us";
  if (value < kSecond) return text + fraction(value, kMillisecond) + "ms";
  if (value >= kHour) text += decimal(value / kHour) + "h";
  if (value >= kMinute) text += decimal(value % kHour / kMinute) + "m";
  return text + fraction(value % kMinute, kSecond) + "s";
}

bool parse_duration(std::string_view text, Nanoseconds& value) {
  constexpr Nanoseconds kMax = Nanoseconds{INT64_MAX} * INT64_MAX / 10;
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  value = 0;
  if (text == "0") return true;
  if (text.empty()) return false;
  while (!text.empty()) {
    Nanoseconds term = 0;
    if (!take_term(text, term)) return false;
    value += term;
    if (value > kMax) return false;
  }
  if (negative) value = -value;
  return true;
}

std::string wall_time_text(Nanoseconds since_1970) {
  using std::chrono::days;
  using std::chrono::sys_days;
  Nanoseconds rest = since_1970 % (24 * kHour);
  if (rest < 0) rest += 24 * kHour;
  const Nanoseconds whole_days = (since_1970 - rest) / (24 * kHour);
  if (whole_days < -719'528 || whole_days >= 2'932'897) return {};
  const std::chrono::year_month_day date(sys_days(days(static_cast<int>(whole_days))));
  std::string text;
  append_padded(text, static_cast<int>(date.year()), 4);
  text += '-';
  append_padded(text, static_cast<int>(static_cast<unsigned>(date.month())), 2);
  text += '-';
  append_padded(text, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  text += 'T';
  append_padded(text, static_cast<int>(rest / kHour), 2);
  text += ':';
  append_padded(text, static_cast<int>(rest % kHour / kMinute), 2);
  text += ':';
  append_padded(text, static_cast<int>(rest % kMinute / kSecond), 2);
  if (rest % kSecond != 0) text += fraction(rest % kSecond, kSecond).substr(1);
  return text + 'Z';
}

bool parse_wall_time(std::string_view text, Nanoseconds& since_1970) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
  Nanoseconds billionths = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) ||
      !take(text, '-') || !take_digits(text, 2, day)) {
    return false;
  }
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return false;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute) ||
      !take(text, ':') || !take_digits(text, 2, second)) {
    return false;
  }
  if (take(text, '.') && !take_fraction(text, billionths)) return false;
  if (!take_offset(text, offset) || !text.empty()) return false;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return false;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  since_1970 = days * (24 * kHour) + hour * kHour + (minute - offset) * kMinute + second * kSecond +
               billionths;
  return true;
}

}  // namespace troupe::detail

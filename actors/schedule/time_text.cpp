#include "actors/schedule/time_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

namespace troupe {
namespace {

constexpr std::string_view kDurationHint =
    "; give a Go duration such as 1h30m or 500ms, or an ISO 8601 duration such as PT1H30M";
constexpr std::uint64_t kNanosMax = std::uint64_t{1} << 63;

bool digit(char c) { return c >= '0' && c <= '9'; }

// The length of the digits at the beginning.
std::size_t digits(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, digit) - text.begin());
}

// Takes a whole number off the front of `text`; none if there is none below 2^64.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t nanos;
};
// Longer names before those they begin with.
constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"\u00b5s", 1'000},
                                         {"\u03bcs", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000}}};

// Takes one number and its unit off the front, in nanoseconds; none if that fails.
std::optional<std::uint64_t> take_part(std::string_view& text) {
  const std::size_t whole_digits = digits(text);
  std::uint64_t whole = 0;
  if (whole_digits > 0) {
    const auto read = take_number(text);
    if (!read) return std::nullopt;
    whole = *read;
  }
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = text.substr(0, digits(text));
    text.remove_prefix(fraction.size());
  }
  if (whole_digits == 0 && fraction.empty()) return std::nullopt;
  const auto unit =
      std::ranges::find_if(kUnits, [&](const Unit& u) { return text.starts_with(u.name); });
  if (unit == kUnits.end()) return std::nullopt;
  text.remove_prefix(unit->name.size());
  std::uint64_t nanos = 0;
  if (__builtin_mul_overflow(whole, unit->nanos, &nanos) || nanos > kNanosMax) return std::nullopt;
  // What is finer than a nanosecond rounds up to one.
  std::uint64_t place = unit->nanos;
  bool finer = false;
  for (const char c : fraction) {
    const auto value = static_cast<std::uint64_t>(c - '0');
    finer = finer || (value != 0 && (value * place) % 10 != 0) || (value != 0 && place == 0);
    nanos += value * place / 10;
    place /= 10;
  }
  return nanos + (finer ? 1 : 0);
}

// Nanoseconds; none if malformed or too long.
std::optional<std::uint64_t> go_nanos(std::string_view text) {
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part || __builtin_add_overflow(sum, *part, &sum) || sum > kNanosMax) return std::nullopt;
  }
  return sum;
}

}  // namespace

Result<Duration> parse_go_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto nanos = go_nanos(text.substr(negative || text.starts_with('+') ? 1 : 0));
  if (!nanos) {
    return fail(Code::kInvalid, "unsupported duration format: " + std::string(text.substr(0, 100)) +
                                    std::string(kDurationHint));
  }
  if (negative) return Duration(-static_cast<std::int64_t>(*nanos / 1000));
  return Duration(static_cast<std::int64_t>(*nanos / 1000 + (*nanos % 1000 != 0 ? 1 : 0)));
}

std::string format_go_duration(Duration length) {
  if (length == Duration::zero()) return "0s";
  const bool negative = length < Duration::zero();
  // Negated as unsigned, since the least number has no positive counterpart.
  auto micros = static_cast<std::uint64_t>(length.count());
  if (negative) micros = ~micros + 1;
  const auto with_fraction = [](std::uint64_t value, std::uint64_t unit) {
    std::string text = std::to_string(value / unit);
    if (value % unit == 0) return text;
    std::string rest = std::to_string(unit + value % unit).substr(1);
    rest.erase(rest.find_last_not_of('0') + 1);
    return text + "." + rest;
  };
  std::string text = negative ? "-" : "";
  if (micros < 1'000) return text + std::to_string(micros) + "µs";
  if (micros < 1'000'000) return text + with_fraction(micros, 1'000) + "ms";
  const std::uint64_t minutes = micros / 60'000'000;
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + with_fraction(micros % 60'000'000, 1'000'000) + "s";
}

namespace {

Failure bad_iso(std::string_view text, std::string_view why) {
  return fail(Code::kInvalid, "unsupported ISO8601 duration format: " +
                                  std::string(text.substr(0, 100)) + "; " + std::string(why));
}

struct IsoPart {
  char letter;
  bool time;  // after the T
  std::int64_t months;
  std::int64_t days;
  std::int64_t seconds;
};
constexpr std::array<IsoPart, 7> kIsoParts = {{{'Y', false, 12, 0, 0},
                                               {'M', false, 1, 0, 0},
                                               {'W', false, 0, 7, 0},
                                               {'D', false, 0, 1, 0},
                                               {'H', true, 0, 0, 3600},
                                               {'M', true, 0, 0, 60},
                                               {'S', true, 0, 0, 1}}};
// No part may be longer than the calendar is, which keeps all sums small.
constexpr std::int64_t kSecondsMax = std::int64_t{10'000} * 366 * 86'400;

// Reads what follows the P.
Result<CalendarStep> read_iso_step(std::string_view whole, std::string_view rest) {
  CalendarStep step;
  std::array<bool, kIsoParts.size()> seen{};
  bool time = false;
  bool any = false;
  while (!rest.empty()) {
    if (rest.starts_with('T')) {
      if (time || rest.size() == 1) return bad_iso(whole, "one T, with hours, minutes or seconds");
      time = true;
      rest.remove_prefix(1);
      continue;
    }
    const auto value = take_number(rest);
    if (!value || rest.empty()) return bad_iso(whole, "give whole numbers with units: P1DT2H30M");
    const auto part = std::ranges::find_if(kIsoParts, [&](const IsoPart& known) {
      return known.letter == rest.front() && known.time == time;
    });
    if (part == kIsoParts.end())
      return bad_iso(whole, "units are P[nY][nM][nW][nD][T[nH][nM][nS]]");
    bool& given = seen[static_cast<std::size_t>(part - kIsoParts.begin())];
    if (given) return bad_iso(whole, "each unit once");
    given = any = true;
    rest.remove_prefix(1);
    const std::int64_t unit = part->months * 30 * 86'400 + part->days * 86'400 + part->seconds;
    if (*value > static_cast<std::uint64_t>(kSecondsMax / unit)) {
      return bad_iso(whole, "at most 10000 years");
    }
    const auto count = static_cast<std::int64_t>(*value);
    step.months += static_cast<std::int32_t>(count * part->months);
    step.days += static_cast<std::int32_t>(count * part->days);
    step.exact += std::chrono::seconds(count * part->seconds);
  }
  if (!any) return bad_iso(whole, "give at least one part, as in PT10S");
  return step;
}

}  // namespace

Result<RepeatedStep> parse_iso_duration(std::string_view text) {
  RepeatedStep parsed;
  std::string_view rest = text;
  if (rest.starts_with('R')) {
    rest.remove_prefix(1);
    const auto repeats = take_number(rest);
    if (!repeats || *repeats > std::numeric_limits<std::uint32_t>::max()) {
      return bad_iso(text, "R is followed by a number of repetitions from 0 to 4294967295");
    }
    parsed.repeats = static_cast<std::uint32_t>(*repeats);
    if (rest.empty()) return parsed;
    if (!rest.starts_with('/')) return bad_iso(text, "repetitions look like R5/PT10S");
    rest.remove_prefix(1);
  }
  if (!rest.starts_with('P')) return bad_iso(text, "a duration begins with P, as in PT10S");
  auto step = read_iso_step(text, rest.substr(1));
  if (!step) return fail(step.error());
  parsed.step = *step;
  return parsed;
}

Result<RepeatedStep> parse_duration(std::string_view text) {
  if (text.starts_with('P') || text.starts_with('R')) return parse_iso_duration(text);
  const auto length = parse_go_duration(text);
  if (!length) return fail(length.error());
  return RepeatedStep{.repeats = {}, .step = {.exact = *length}};
}

namespace {

// Takes `count` digits off the front; none if there are fewer.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count || digits(text.substr(0, count)) < count) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, count)) value = value * 10 + static_cast<unsigned>(c - '0');
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// The offset of the local time from UTC.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return std::chrono::minutes(0);
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  const bool colon = take(text, ":");
  const auto minutes = take_digits(text, 2);
  if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return west ? -offset : offset;
}

// Takes the fraction of a second, rounded up to the microsecond.
std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, ".,")) return Duration::zero();
  const std::size_t count = digits(text);
  if (count == 0) return std::nullopt;
  std::int64_t micros = 0;
  std::int64_t place = 100'000;
  bool finer = false;
  for (const char c : text.substr(0, count)) {
    finer = finer || (place == 0 && c != '0');
    micros += (c - '0') * place;
    place /= 10;
  }
  text.remove_prefix(count);
  return Duration(micros + (finer ? 1 : 0));
}

std::optional<WallTime> read_rfc3339(std::string_view text) {
  const auto year = take_digits(text, 4);
  const bool dash = take(text, "-");
  const auto month = take_digits(text, 2);
  const bool second_dash = take(text, "-");
  const auto day = take_digits(text, 2);
  if (!year || !dash || !month || !second_dash || !day || !take(text, "Tt")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  const bool colon = take(text, ":");
  const auto minutes = take_digits(text, 2);
  const bool second_colon = take(text, ":");
  const auto seconds = take_digits(text, 2);
  if (!hours || !colon || !minutes || !second_colon || !seconds) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto offset = take_offset(text);
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!fraction || !offset || !text.empty() || !date.ok()) return std::nullopt;
  if (*hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
         std::chrono::seconds(*seconds) + *fraction - *offset;
}

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  const auto time = read_rfc3339(text);
  if (!time || *time < kFirstWallTime || *time > kLastWallTime) {
    return fail(Code::kInvalid, "unsupported time format: " + std::string(text.substr(0, 100)) +
                                    "; give RFC 3339 with a zone, such as 2030-01-31T08:00:00Z");
  }
  return *time;
}

}  // namespace troupe

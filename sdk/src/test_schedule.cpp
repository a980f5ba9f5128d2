#include "sdk/src/test_schedule.h"

#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

namespace troupe {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::optional<long long> take_number(std::string_view& text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > 1'000'000'000'000) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

std::optional<Duration> take_unit(std::string_view& text, bool iso) {
  static constexpr std::array<std::pair<std::string_view, Duration>, 5> kGo = {
      {{"ms", milliseconds(1)},
       {"us", microseconds(1)},
       {"h", hours(1)},
       {"m", minutes(1)},
       {"s", seconds(1)}}};
  static constexpr std::array<std::pair<std::string_view, Duration>, 5> kIso = {
      {{"H", hours(1)}, {"M", minutes(1)}, {"S", seconds(1)}, {"H", hours(1)}, {"M", minutes(1)}}};
  for (const auto& [name, unit] : iso ? kIso : kGo) {
    if (take(text, name)) return unit;
  }
  return std::nullopt;
}

Failure not_a_schedule(const ReminderChange& change, const std::string& what) {
  return fail(Code::kInvalid, "reminder '" + change.name + "': " + what);
}

std::optional<WallTime> moment(std::string_view text, WallTime from) {
  if (const auto length = parse_test_duration(text)) return from + *length;
  return parse_time(text);
}

// A Go or ISO 8601 duration, `@every` one, or `R5/` before either.
Result<void> read_period(const ReminderChange& change, TestSchedule& schedule) {
  std::string_view text = change.period;
  if (take(text, "R")) {
    const auto repeats = take_number(text);
    if (!repeats || !take(text, "/")) return not_a_schedule(change, "bad period " + change.period);
    if (*repeats > 0) schedule.left = static_cast<std::uint32_t>(*repeats);
  }
  take(text, "@every ");
  schedule.period = parse_test_duration(text);
  if (!schedule.period) {
    return fail(Code::kUnimplemented, "reminder '" + change.name + "': the testing kit has no '" +
                                          change.period + "', only lengths of time");
  }
  if (*schedule.period <= Duration(0)) return not_a_schedule(change, "a period of nothing");
  return {};
}

}  // namespace

std::optional<Duration> parse_test_duration(std::string_view text) {
  const bool iso = take(text, "PT");
  if (text.empty()) return std::nullopt;
  Duration sum(0);
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text, iso) : std::nullopt;
    if (!unit || (number > 0 && *unit > Duration::max() / *number)) return std::nullopt;
    sum += *number * *unit;
  }
  return sum;
}

std::optional<WallTime> parse_time(std::string_view text) {
  const auto year = take_number(text);
  const auto month = year && take(text, "-") ? take_number(text) : std::nullopt;
  const auto day = month && take(text, "-") ? take_number(text) : std::nullopt;
  const auto hour = day && take(text, "T") ? take_number(text) : std::nullopt;
  const auto minute = hour && take(text, ":") ? take_number(text) : std::nullopt;
  const auto second = minute && take(text, ":") ? take_number(text) : std::nullopt;
  if (!second || *year > 9999 || *month > 12 || *day > 31) return std::nullopt;
  Duration fraction(0);
  if (take(text, ".")) {
    Duration digit = milliseconds(100);
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1)) {
      fraction += (text[0] - '0') * digit;
      digit /= 10;
    }
  }
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (text != "Z" || !date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) +
         fraction;
}

bool TestSchedule::advance(WallTime now, CatchUp catch_up) {
  if (!period || (left && --*left == 0)) return false;
  next += *period;
  if (catch_up != CatchUp::kAll && next <= now) next += (now - next) / *period * *period + *period;
  return !expiry || next < *expiry;
}

Result<TestSchedule> parse_test_schedule(const ReminderChange& change, WallTime now) {
  TestSchedule schedule{now, std::nullopt, std::nullopt, std::nullopt};
  if (!change.period.empty()) {
    Result<void> read = read_period(change, schedule);
    if (!read) return fail(read.error());
  }
  if (change.repeats) schedule.left = change.repeats;
  if (schedule.left == 0U) return not_a_schedule(change, "no repetitions");
  if (!change.due.empty()) {
    const auto due = moment(change.due, now);
    if (!due) return not_a_schedule(change, "bad due time " + change.due);
    schedule.next = std::max(*due, now);
  } else if (schedule.period) {
    schedule.next = now + *schedule.period;
  }
  if (!change.ttl.empty()) {
    schedule.expiry = moment(change.ttl, now);
    if (!schedule.expiry) return not_a_schedule(change, "bad ttl " + change.ttl);
  }
  return schedule;
}

}  // namespace troupe

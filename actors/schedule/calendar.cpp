#include "actors/schedule/calendar.h"

#include <algorithm>
#include <chrono>

namespace troupe {
namespace {

using std::chrono::days;

std::string two_digits(unsigned value) {
  return std::string(value < 10 ? "0" : "") + std::to_string(value);
}

constexpr std::int64_t kMonthsMax = std::int64_t{10'000} * 12;

// The day `months` after `day`, held within its month.
std::optional<std::chrono::sys_days> add_months(std::chrono::year_month_day day,
                                                std::int64_t months) {
  const std::int64_t month =
      int{day.year()} * std::int64_t{12} + unsigned{day.month()} - 1 + months;
  if (month < 0 || month >= kMonthsMax) return std::nullopt;
  const std::chrono::year year(static_cast<int>(month / 12));
  const std::chrono::month of_year(static_cast<unsigned>(month % 12) + 1);
  const std::chrono::year_month_day_last last{year, std::chrono::month_day_last{of_year}};
  return std::chrono::sys_days(year / of_year / std::min(day.day(), last.day()));
}

}  // namespace

WallTime saturating_add(WallTime time, Duration length) {
  if (length > kLastWallTime - time) return kLastWallTime;
  if (length < kFirstWallTime - time) return kFirstWallTime;
  return time + length;
}

std::optional<WallTime> add_steps(WallTime from, const CalendarStep& step, std::int64_t count) {
  std::int64_t months = 0;
  std::int64_t whole_days = 0;
  std::int64_t micros = 0;
  std::int64_t exact = 0;
  if (__builtin_mul_overflow(std::int64_t{step.months}, count, &months) ||
      __builtin_mul_overflow(std::int64_t{step.days}, count, &whole_days) ||
      __builtin_mul_overflow(step.exact.count(), count, &exact) ||
      __builtin_mul_overflow(whole_days, Duration(days(1)).count(), &micros) ||
      __builtin_add_overflow(micros, exact, &micros) || months > kMonthsMax ||
      months < -kMonthsMax) {
    return std::nullopt;
  }
  const auto day = std::chrono::floor<days>(from);
  const auto moved = add_months(day, months);
  if (!moved) return std::nullopt;
  const WallTime base = *moved + (from - day);
  const Duration rest(micros);
  if (rest > kLastWallTime - base || rest < kFirstWallTime - base) return std::nullopt;
  return base + rest;
}

std::string format_rfc3339(WallTime time) {
  time = std::clamp(time, kFirstWallTime, kLastWallTime);
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const std::string year = std::to_string(int{date.year()});
  std::string text = std::string(4 - year.size(), '0') + year + "-" +
                     two_digits(unsigned{date.month()}) + "-" + two_digits(unsigned{date.day()}) +
                     "T" + two_digits(static_cast<unsigned>(clock.hours().count())) + ":" +
                     two_digits(static_cast<unsigned>(clock.minutes().count())) + ":" +
                     two_digits(static_cast<unsigned>(clock.seconds().count()));
  if (const auto micros = clock.subseconds().count(); micros != 0) {
    std::string digits = std::to_string(1'000'000 + micros).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + "Z";
}

}  // namespace troupe

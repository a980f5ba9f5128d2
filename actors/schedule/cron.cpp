#include "actors/schedule/cron.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

#include "actors/schedule/calendar.h"

namespace troupe {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kTextMax = 256;
// From one 29 February to the next, 1896 to 1904, and a year to be sure.
constexpr days kHorizon{9 * 366};

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"SUN", "MON", "TUE", "WED",
                                                       "THU", "FRI", "SAT"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kDescriptors = {
    {{"@yearly", "0 0 0 1 1 *"},
     {"@annually", "0 0 0 1 1 *"},
     {"@monthly", "0 0 0 1 * *"},
     {"@weekly", "0 0 0 * * 0"},
     {"@daily", "0 0 0 * * *"},
     {"@midnight", "0 0 0 * * *"},
     {"@hourly", "0 0 * * * *"}}};

/// One of the six places of an expression.
struct Place {
  std::string_view name;
  unsigned least;
  unsigned most;
};
constexpr std::array<Place, 6> kPlaces = {{{"second", 0, 59},
                                           {"minute", 0, 59},
                                           {"hour", 0, 23},
                                           {"day", 1, 31},
                                           {"month", 1, 12},
                                           {"weekday", 0, 7}}};

constexpr std::uint64_t bit(unsigned value) { return std::uint64_t{1} << value; }

std::vector<std::string_view> split(std::string_view text, char separator, bool keep_empty) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0 || keep_empty) parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

Failure bad_field(const Place& place, std::string_view field, const std::string& why) {
  return fail(Code::kInvalid,
              "cron: " + std::string(place.name) + " '" + std::string(field) + "': " + why);
}

template <std::size_t N>
std::optional<unsigned> find_name(const std::array<std::string_view, N>& names,
                                  std::string_view text) {
  const auto found = std::ranges::find(names, upper(text));
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin());
}

std::optional<unsigned> read_value(const Place& place, std::string_view text) {
  if (place.name == "month") {
    if (const auto month = find_name(kMonths, text)) return *month + 1;
  }
  if (place.name == "weekday") {
    if (const auto weekday = find_name(kWeekdays, text)) return weekday;
  }
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The values that `*`, `7`, `1-5`, `*/15`, `10/5` or `MON-FRI/2` stand for.
Result<std::uint64_t> read_range(const Place& place, std::string_view field) {
  const std::size_t slash = field.find('/');
  const std::string_view range = field.substr(0, slash);
  unsigned step = 1;
  if (slash != std::string_view::npos) {
    const auto read = read_value({.name = "step", .least = 1, .most = 99}, field.substr(slash + 1));
    if (!read || *read == 0) return bad_field(place, field, "the step is a number above 0");
    step = *read;
  }
  unsigned first = place.least;
  unsigned last = place.most;
  if (range == "*" || range == "?") {
    if (place.name == "weekday") last = 6;
  } else {
    const std::size_t dash = range.find('-');
    const auto from = read_value(place, range.substr(0, dash));
    const auto to =
        dash == std::string_view::npos ? from : read_value(place, range.substr(dash + 1));
    if (!from || !to || *from < place.least || *to > place.most) {
      return bad_field(place, field,
                       "values lie between " + std::to_string(place.least) + " and " +
                           std::to_string(place.most));
    }
    if (*from > *to) return bad_field(place, field, "the range begins after its end");
    first = *from;
    if (dash != std::string_view::npos || slash == std::string_view::npos) last = *to;
  }
  std::uint64_t values = 0;
  for (std::uint64_t value = first; value <= last; value += step) {
    values |= bit(static_cast<unsigned>(value));
  }
  return values;
}

Result<std::uint64_t> read_field(const Place& place, std::string_view field) {
  std::uint64_t values = 0;
  for (const std::string_view part : split(field, ',', true)) {
    const auto range = read_range(place, part);
    if (!range) return fail(range.error());
    values |= *range;
  }
  if (place.name == "weekday" && (values & bit(7)) != 0) values = (values & ~bit(7)) | bit(0);
  return values;
}

// The least value at or above `from` in `values`; none if there is none.
std::optional<unsigned> next_value(std::uint64_t values, unsigned from) {
  const std::uint64_t rest = from >= 64 ? 0 : values >> from << from;
  if (rest == 0) return std::nullopt;
  return static_cast<unsigned>(std::countr_zero(rest));
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  if (text.size() > kTextMax) {
    return fail(Code::kInvalid, "cron: more than " + std::to_string(kTextMax) + " characters");
  }
  Cron cron;
  cron.text_ = text;
  for (const std::string_view prefix : {"TZ=", "CRON_TZ="}) {
    if (!text.starts_with(prefix)) continue;
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) {
      return fail(Code::kInvalid, "cron: '" + cron.text_ +
                                      "' ends after its time zone; a space and the fields follow");
    }
    auto zone = TimeZone::load(std::string(text.substr(prefix.size(), space - prefix.size())));
    if (!zone) return fail(zone.error().code, "cron: " + zone.error().message);
    cron.zone_ = *zone;
    text.remove_prefix(space + 1);
    break;
  }
  const auto read = cron.read_fields(text);
  if (!read) return fail(read.error());
  if (!cron.next_local(sys_seconds(std::chrono::sys_days(std::chrono::year(2000) / 1 / 1)))) {
    return fail(Code::kInvalid, "cron: '" + cron.text_ + "' never happens: no such day of month");
  }
  return cron;
}

Result<void> Cron::read_fields(std::string_view text) {
  if (text.starts_with('@')) {
    const auto known = std::ranges::find(kDescriptors, text, [](const auto& d) { return d.first; });
    if (known == kDescriptors.end()) {
      return fail(Code::kInvalid, "cron: unknown '" + std::string(text) +
                                      "'; known are @yearly, @monthly, @weekly, @daily, @hourly, "
                                      "and @every <duration> without a time zone");
    }
    text = known->second;
  }
  const auto fields = split(text, ' ', false);
  if (fields.size() != 5 && fields.size() != 6) {
    return fail(Code::kInvalid, "cron: '" + std::string(text) + "' has " +
                                    std::to_string(fields.size()) +
                                    " fields; give 6, '[second] minute hour day month weekday', "
                                    "or 5 without the second");
  }
  std::array<std::uint64_t, 6> values{bit(0)};
  const std::size_t missing = 6 - fields.size();
  const auto starred = [&](std::size_t place) {
    const auto parts = split(fields[place - missing], ',', true);
    return std::ranges::any_of(parts, [](std::string_view part) {
      return part == "*" || part == "?" || part == "*/1" || part == "?/1";
    });
  };
  for (std::size_t place = missing; place < 6; ++place) {
    const auto field = read_field(kPlaces[place], fields[place - missing]);
    if (!field) return fail(field.error());
    values[place] = *field;
  }
  fields_ = {.seconds = values[0],
             .minutes = values[1],
             .hours = values[2],
             .days = values[3],
             .months = values[4],
             .weekdays = values[5],
             .every_day = starred(3),
             .every_weekday = starred(5)};
  return {};
}

std::optional<WallTime> Cron::next(WallTime time) const {
  if (time >= kLastWallTime) return std::nullopt;
  time = std::max(time, kFirstWallTime);
  const bool every_hour = fields_.hours == bit(24) - 1;
  const auto found = every_hour ? next_passed(time) : next_shown(time);
  return found && *found <= kLastWallTime ? found : std::nullopt;
}

// By what the clocks show. Shown times are met in order, and the moments they stand for never go
// back, so the first moment that is later is the next.
std::optional<WallTime> Cron::next_shown(WallTime time) const {
  auto shown = next_local(zone_.local(time));
  while (shown) {
    const WallTime moment = zone_.moments(*shown).first;
    if (moment > time) return moment;
    shown = next_local(*shown + seconds(1));
  }
  return std::nullopt;
}

// By the passing of time: from shift to shift the clocks run evenly.
std::optional<WallTime> Cron::next_passed(WallTime time) const {
  WallTime from = std::chrono::floor<seconds>(time) + seconds(1);
  const WallTime end = saturating_add(from, kHorizon);
  while (from <= end) {
    const WallTime shift = zone_.next_shift(from);
    const sys_seconds shown = zone_.local(from);
    const auto match = next_local(shown);
    if (match) {
      const WallTime moment = from + (*match - shown);
      if (moment < shift) return moment;
    }
    if (shift == kLastWallTime) return std::nullopt;
    from = shift;
  }
  return std::nullopt;
}

bool Cron::day_matches(std::chrono::year_month_day day) const {
  const bool of_month = (fields_.days & bit(unsigned{day.day()})) != 0;
  const bool of_week =
      (fields_.weekdays & bit(std::chrono::weekday(std::chrono::sys_days(day)).c_encoding())) != 0;
  if (fields_.every_day || fields_.every_weekday) return of_month && of_week;
  return of_month || of_week;
}

// The first time of day at or after `from` that the fields name.
std::optional<seconds> Cron::next_time_of_day(seconds from) const {
  const std::chrono::hh_mm_ss clock(from);
  const auto hour_from = static_cast<unsigned>(clock.hours().count());
  const auto minute_from = static_cast<unsigned>(clock.minutes().count());
  const auto second_from = static_cast<unsigned>(clock.seconds().count());
  for (auto hour = next_value(fields_.hours, hour_from); hour;
       hour = next_value(fields_.hours, *hour + 1)) {
    const bool same_hour = *hour == hour_from;
    for (auto minute = next_value(fields_.minutes, same_hour ? minute_from : 0); minute;
         minute = next_value(fields_.minutes, *minute + 1)) {
      const bool same_minute = same_hour && *minute == minute_from;
      const auto second = next_value(fields_.seconds, same_minute ? second_from : 0);
      if (second)
        return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + seconds(*second);
    }
  }
  return std::nullopt;
}

// The first local time at or after `from`, however often and whether at all clocks show it.
std::optional<sys_seconds> Cron::next_local(sys_seconds from) const {
  auto day = std::chrono::floor<days>(from);
  seconds of_day = from - day;
  const auto last = day + kHorizon;
  for (; day <= last; day += days(1), of_day = seconds(0)) {
    const std::chrono::year_month_day date(day);
    if ((fields_.months & bit(unsigned{date.month()})) == 0) {
      day = std::chrono::sys_days(date.year() / date.month() / std::chrono::last);
      continue;
    }
    if (!day_matches(date)) continue;
    if (const auto time = next_time_of_day(of_day)) return day + *time;
  }
  return std::nullopt;
}

}  // namespace troupe

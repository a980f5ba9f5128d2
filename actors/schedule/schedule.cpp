#include "actors/schedule/schedule.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "actors/schedule/time_text.h"

namespace troupe {
namespace {

// The first of `first`, `first + length`, ... after `after`. Requires after >= first, length > 0.
std::optional<WallTime> next_fixed(WallTime first, Duration length, WallTime after) {
  const Duration since = after - first;
  const WallTime last = first + (since - since % length);
  if (length > kLastWallTime - last) return std::nullopt;
  return last + length;
}

// The same on the calendar, by bisection: later steps are later times.
std::optional<WallTime> next_calendar(WallTime first, const CalendarStep& step, WallTime after) {
  const auto beyond = [&](std::int64_t count) {
    const auto time = add_steps(first, step, count);
    return !time || *time > after;
  };
  std::int64_t low = 0;  // not beyond
  std::int64_t high = 1;
  while (!beyond(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (beyond(middle) ? high : low) = middle;
  }
  return add_steps(first, step, high);
}

std::optional<WallTime> next_on_grid(const Schedule& schedule, WallTime after) {
  if (const auto* length = std::get_if<Duration>(&schedule.period)) {
    return next_fixed(schedule.first, *length, after);
  }
  if (const auto* step = std::get_if<CalendarStep>(&schedule.period)) {
    return next_calendar(schedule.first, *step, after);
  }
  if (const auto* cron = std::get_if<Cron>(&schedule.period)) return cron->next(after);
  return std::nullopt;
}

bool in_range(WallTime time) { return time >= kFirstWallTime && time <= kLastWallTime; }

// A step that leads on, and whose exact part can be written in ISO 8601 as we read it.
Result<void> check_step(const CalendarStep& step) {
  if (step.months < 0 || step.days < 0 || step.exact < Duration::zero() || step.zero()) {
    return fail(Code::kInvalid, "a calendar period has no negative parts and one above zero");
  }
  if (step.exact % std::chrono::seconds(1) != Duration::zero()) {
    return fail(Code::kInvalid, "a calendar period is whole seconds");
  }
  return {};
}

// Periods without months and days become lengths.
Result<Period> check_period(const Period& period) {
  if (const auto* step = std::get_if<CalendarStep>(&period)) {
    if (step->fixed()) return check_period(step->exact);
    const auto checked = check_step(*step);
    if (!checked) return fail(checked.error());
  }
  if (const auto* length = std::get_if<Duration>(&period); length && *length <= Duration::zero()) {
    return fail(Code::kInvalid,
                "a period of " + format_go_duration(*length) + " is not above zero");
  }
  return period;
}

Failure too_late(std::string_view what) {
  return fail(Code::kInvalid, std::string(what) + " lies outside the years 0 to 9999");
}

// The moment counted from `base`.
Result<WallTime> settle(const Moment& moment, WallTime base, std::string_view what) {
  if (const auto* time = std::get_if<WallTime>(&moment)) {
    if (!in_range(*time)) return too_late(what);
    return *time;
  }
  if (const auto* length = std::get_if<Duration>(&moment)) {
    if (*length > kLastWallTime - base) return too_late(what);
    return saturating_add(base, *length);
  }
  if (const auto* step = std::get_if<CalendarStep>(&moment)) {
    const auto time = add_steps(base, *step, 1);
    if (!time) return too_late(what);
    return *time;
  }
  return base;
}

// The first tick when none was asked for.
Result<WallTime> default_first(const Period& period, bool at_once, WallTime now) {
  if (const auto* cron = std::get_if<Cron>(&period)) {
    const auto time = cron->next(now);
    if (!time) return too_late("the first tick of '" + cron->text() + "'");
    return *time;
  }
  if (at_once) return now;
  if (const auto* length = std::get_if<Duration>(&period)) {
    return settle(*length, now, "the first tick");
  }
  if (const auto* step = std::get_if<CalendarStep>(&period)) {
    return settle(*step, now, "the first tick");
  }
  return now;
}

}  // namespace

std::optional<WallTime> Schedule::next(WallTime after, std::uint64_t ticks) const {
  if (repeats != 0 && ticks >= repeats) return std::nullopt;
  if (after < first) return first;
  if (after >= kLastWallTime) return std::nullopt;
  const auto time = next_on_grid(*this, after);
  if (!time || (expiry && *time >= *expiry)) return std::nullopt;
  return time;
}

Result<Schedule> resolve(const ScheduleRequest& request, WallTime now) {
  now = std::clamp(now, kFirstWallTime, kLastWallTime);
  const auto period = check_period(request.period);
  if (!period) return fail(period.error());
  const bool given = !std::holds_alternative<std::monostate>(request.first);
  const auto first = given ? settle(request.first, now, "the first tick")
                           : default_first(*period, request.at_once, now);
  if (!first) return fail(first.error());
  Schedule schedule{.first = *first, .period = *period, .repeats = request.repeats, .expiry = {}};
  if (std::holds_alternative<std::monostate>(request.ttl)) return schedule;
  const auto expiry = settle(request.ttl, given ? *first : now, "the ttl");
  if (!expiry) return fail(expiry.error());
  if (*expiry < *first) {
    return fail(Code::kInvalid, "the ttl ends at " + format_rfc3339(*expiry) +
                                    ", before the first tick at " + format_rfc3339(*first));
  }
  schedule.expiry = *expiry;
  return schedule;
}

void Schedule::encode(Writer& writer) const {
  writer.integer(first.time_since_epoch().count());
  writer.number(period.index());
  if (const auto* length = std::get_if<Duration>(&period)) {
    writer.integer(length->count());
  } else if (const auto* step = std::get_if<CalendarStep>(&period)) {
    writer.integer(step->months);
    writer.integer(step->days);
    writer.integer(step->exact.count());
  } else if (const auto* cron = std::get_if<Cron>(&period)) {
    writer.bytes(cron->text());
  }
  writer.number(repeats);
  writer.boolean(expiry.has_value());
  if (expiry) writer.integer(expiry->time_since_epoch().count());
}

namespace {

Result<Period> decode_period(Reader& reader) {
  const auto small = [&] {
    const std::int64_t value = reader.integer();
    if (value < 0 || value > std::numeric_limits<std::int32_t>::max()) reader.damage();
    return static_cast<std::int32_t>(value);
  };
  switch (reader.number_up_to(std::variant_size_v<Period> - 1)) {
    case 1:
      return check_period(Duration(reader.integer()));
    case 2: {
      CalendarStep step;
      step.months = small();
      step.days = small();
      step.exact = Duration(reader.integer());
      if (!reader.ok()) return Period();
      return check_period(step);
    }
    case 3: {
      auto cron = Cron::parse(reader.bytes());
      if (!cron) return fail(cron.error());
      return Period(*std::move(cron));
    }
    default:
      return Period();
  }
}

}  // namespace

Result<Schedule> Schedule::decode(Reader& reader) {
  Schedule schedule;
  schedule.first = WallTime(Duration(reader.integer()));
  auto period = decode_period(reader);
  if (!period) {
    return fail(Code::kDataLoss, "a stored schedule cannot be read: " + period.error().message);
  }
  schedule.period = *std::move(period);
  schedule.repeats =
      static_cast<std::uint32_t>(reader.number_up_to(std::numeric_limits<std::uint32_t>::max()));
  if (reader.boolean()) schedule.expiry = WallTime(Duration(reader.integer()));
  if (!reader.ok() || !in_range(schedule.first) ||
      (schedule.expiry && !in_range(*schedule.expiry))) {
    return fail(Code::kDataLoss, "a stored schedule is damaged");
  }
  return schedule;
}

Result<RepeatedPeriod> parse_period(std::string_view text) {
  constexpr std::string_view kEvery = "@every ";
  if (text.starts_with(kEvery)) {
    const auto length = parse_go_duration(text.substr(kEvery.size()));
    if (!length) return fail(length.error());
    const auto period = check_period(*length);
    if (!period) return fail(period.error());
    return RepeatedPeriod{.repeats = {}, .period = *period};
  }
  if (text.starts_with('@') || text.find(' ') != std::string_view::npos ||
      text.find("TZ=") != std::string_view::npos) {
    auto cron = Cron::parse(text);
    if (!cron) return fail(cron.error());
    return RepeatedPeriod{.repeats = {}, .period = *std::move(cron)};
  }
  const auto parsed = parse_duration(text);
  if (!parsed) return fail(parsed.error());
  if (parsed->step.zero()) return RepeatedPeriod{.repeats = parsed->repeats, .period = {}};
  const auto period = check_period(parsed->step);
  if (!period) return fail(period.error());
  return RepeatedPeriod{.repeats = parsed->repeats, .period = *period};
}

std::string format_period(const Period& period) {
  if (const auto* length = std::get_if<Duration>(&period)) {
    return "@every " + format_go_duration(*length);
  }
  if (const auto* cron = std::get_if<Cron>(&period)) return cron->text();
  const auto* step = std::get_if<CalendarStep>(&period);
  if (step == nullptr) return "";
  std::string text = "P";
  if (step->months != 0) text += std::to_string(step->months) + "M";
  if (step->days != 0) text += std::to_string(step->days) + "D";
  if (const auto seconds = std::chrono::floor<std::chrono::seconds>(step->exact).count()) {
    text += "T" + std::to_string(seconds) + "S";
  }
  return text;
}

}  // namespace troupe

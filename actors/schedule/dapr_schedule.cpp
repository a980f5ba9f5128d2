#include "actors/schedule/dapr_schedule.h"

#include <utility>

#include "actors/schedule/time_text.h"

namespace troupe {
namespace {

constexpr std::string_view kMomentHint =
    "; give an RFC 3339 time such as 2030-01-31T08:00:00Z, a Go duration such as 1h30m, or an "
    "ISO 8601 duration such as PT1H30M";

Failure invalid(std::string message) { return fail(Code::kInvalid, std::move(message)); }

constexpr std::size_t kShown = 100;  // characters of what was given, in messages

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, kShown)) + "'";
}

// `repeats` and `unknown` are the messages for a repeated duration and for anything unreadable.
Result<Moment> parse_moment(std::string_view text, std::string_view repeats,
                            std::string_view unknown) {
  if (text.empty()) return Moment();
  if (const auto time = parse_rfc3339(text)) return Moment(*time);
  const auto length = parse_duration(text);
  if (!length)
    return invalid(std::string(unknown) + ": " + quoted(text) + std::string(kMomentHint));
  if (length->repeats) return invalid(std::string(repeats));
  if (length->step.fixed()) return Moment(length->step.exact);
  return Moment(length->step);
}

Result<Moment> parse_timer_moment(std::string_view text, std::string_view what) {
  auto moment =
      parse_moment(text, "repetitions are not allowed", "unsupported time/duration format");
  if (!moment)
    return invalid("error parsing timer " + std::string(what) + ": " + moment.error().message);
  return moment;
}

Result<RepeatedPeriod> parse_timer_period(std::string_view text) {
  if (text.empty()) return RepeatedPeriod();
  const auto parsed = parse_duration(text);
  if (!parsed) return invalid("invalid timer period: " + parsed.error().message);
  if (parsed->repeats == 0U) {
    return invalid("invalid timer period: " + quoted(text) + " has zero repetitions");
  }
  if (parsed->step.zero()) return RepeatedPeriod{.repeats = 1, .period = {}};
  return RepeatedPeriod{.repeats = parsed->repeats, .period = parsed->step};
}

Result<RepeatedPeriod> parse_reminder_period(std::string_view text) {
  if (text.empty()) return RepeatedPeriod();
  const auto parsed = parse_duration(text);
  if (!parsed || !parsed->step.fixed()) {
    return invalid("unsupported period format: " + std::string(text.substr(0, kShown)) +
                   (parsed ? "; a reminder's period has no years, months, weeks or days"
                           : "; give a Go duration such as 1h30m, or R5/PT10S"));
  }
  if (parsed->step.zero()) return RepeatedPeriod{.repeats = parsed->repeats, .period = {}};
  return RepeatedPeriod{.repeats = parsed->repeats, .period = parsed->step.exact};
}

bool none(const Moment& moment) { return std::holds_alternative<std::monostate>(moment); }
bool none(const Period& period) { return std::holds_alternative<std::monostate>(period); }

// What reminders and jobs have in common.
Result<Schedule> schedule_job(const ScheduleTexts& texts, RepeatedPeriod period, WallTime now) {
  if (texts.due_time.empty() && none(period.period)) {
    return invalid("job must have either a due time or a schedule");
  }
  if (period.repeats.value_or(0) > 1 && none(period.period)) {
    return invalid("job must have a schedule to repeat");
  }
  if (!texts.ttl.empty() && none(period.period)) {
    return invalid("job must have a schedule to have a ttl");
  }
  const auto first = parse_moment(texts.due_time, "repeats not supported for due time",
                                  "due time format not recognized");
  if (!first) return fail(first.error());
  auto ttl = parse_moment(texts.ttl, "repeats not supported for ttl", "ttl format not recognized");
  if (!ttl) return fail(ttl.error());
  ScheduleRequest request{.first = *first,
                          .period = std::move(period.period),
                          .repeats = period.repeats.value_or(0),
                          .ttl = {}};
  auto schedule = resolve(request, now);
  if (!schedule || none(*ttl)) return schedule;
  request.ttl = *ttl;
  const WallTime first_due = schedule->first;
  schedule = resolve(request, now);
  if (!schedule || *schedule->expiry <= first_due) {
    return invalid("ttl must be greater than due time: " + quoted(texts.ttl) +
                   " ends before or with the first tick at " + format_rfc3339(first_due));
  }
  return schedule;
}

}  // namespace

Result<Schedule> parse_timer_schedule(const ScheduleTexts& texts, WallTime now,
                                      std::string_view owner) {
  const auto first = parse_timer_moment(texts.due_time, "due time");
  if (!first) return fail(first.error());
  auto period = parse_timer_period(texts.period);
  if (!period) return fail(period.error());
  const auto ttl = parse_timer_moment(texts.ttl, "TTL");
  if (!ttl) return fail(ttl.error());
  ScheduleRequest request{.first = *first,
                          .period = std::move(period->period),
                          .repeats = period->repeats.value_or(0),
                          .ttl = {},
                          .at_once = true};
  auto schedule = resolve(request, now);
  if (!schedule) {
    request.first = {};
    const bool readable = resolve(request, now).has_value();
    return invalid((readable ? "error parsing timer due time: " : "invalid timer period: ") +
                   schedule.error().message);
  }
  if (none(*ttl)) return schedule;
  request.ttl = *ttl;
  const std::string due = format_rfc3339(schedule->first);
  schedule = resolve(request, now);
  if (!schedule || *schedule->expiry < now) {
    return invalid("timer " + std::string(owner) + " has already expired: dueTime: " + due +
                   " TTL: " + texts.ttl.substr(0, kShown));
  }
  return schedule;
}

Result<Schedule> parse_reminder_schedule(const ScheduleTexts& texts, WallTime now) {
  auto period = parse_reminder_period(texts.period);
  if (!period) return fail(period.error());
  return schedule_job(texts, *std::move(period), now);
}

Result<Schedule> parse_job_schedule(const ScheduleTexts& texts,
                                    std::optional<std::uint32_t> repeats, WallTime now) {
  if (repeats == 0U) return invalid("defined repeats must be greater than 0");
  RepeatedPeriod period;
  if (!texts.period.empty()) {
    if (!texts.period.starts_with("@every ")) {
      auto cron = Cron::parse(texts.period);
      if (!cron) return fail(cron.error());
      period.period = *std::move(cron);
    } else {
      auto every = parse_period(texts.period);
      if (!every) return fail(every.error());
      period.period = std::move(every->period);
    }
  }
  period.repeats = repeats;
  return schedule_job(texts, std::move(period), now);
}

ScheduleTexts shown_texts(const ScheduleTexts& texts, const Schedule& schedule) {
  ScheduleTexts shown{
      .due_time = texts.due_time, .period = format_period(schedule.period), .ttl = {}};
  if (const auto time = parse_rfc3339(texts.ttl)) shown.ttl = format_rfc3339(*time);
  return shown;
}

}  // namespace troupe

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include <troupe/schedule_options.h>

namespace troupe {
namespace {

using std::chrono::duration_cast;

std::string padded(long long number, int digits) {
  std::string text = std::to_string(number);
  return std::string(
             std::max<std::size_t>(static_cast<std::size_t>(digits), text.size()) - text.size(),
             '0') +
         text;
}

Failure contradiction(const std::string& name, const std::string& what) {
  return fail(Code::kInvalid,
              (name.empty() ? "the schedule: " : "the schedule of '" + name + "': ") + what);
}

}  // namespace

std::string to_text(Duration duration) {
  if (duration < Duration(0)) return "-" + to_text(-duration);
  const auto micros = duration.count();
  if (micros % 1'000 != 0) return std::to_string(micros) + "us";
  if (micros % 1'000'000 != 0 || micros == 0) return std::to_string(micros / 1'000) + "ms";
  const auto seconds = micros / 1'000'000;
  std::string text;
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
  if (seconds / 60 % 60 != 0) text += std::to_string(seconds / 60 % 60) + "m";
  if (seconds % 60 != 0) text += std::to_string(seconds % 60) + "s";
  return text;
}

std::string to_text(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto micros = duration_cast<Duration>(time - day).count();
  const auto seconds = micros / 1'000'000;
  std::string text = padded(static_cast<int>(date.year()), 4) + "-" +
                     padded(static_cast<unsigned>(date.month()), 2) + "-" +
                     padded(static_cast<unsigned>(date.day()), 2) + "T" +
                     padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" +
                     padded(seconds % 60, 2);
  if (micros % 1'000'000 != 0) text += "." + padded(micros % 1'000'000, 6);
  return text + "Z";
}

Result<TimerChange> timer_change(TimerOptions options) {
  if (options.after && *options.after < Duration(0)) {
    return contradiction(options.name, "'after' is in the past");
  }
  if (options.every && *options.every <= Duration(0)) {
    return contradiction(options.name, "'every' must be more than zero");
  }
  TimerChange change;
  change.name = std::move(options.name);
  change.after = options.after.value_or(options.every.value_or(Duration(0)));
  change.every = options.every;
  change.repeats = options.repeats;
  change.ttl = options.ttl;
  return change;
}

Result<ReminderChange> reminder_change(ReminderOptions options) {
  const int whens = (options.after ? 1 : 0) + (options.at ? 1 : 0) + (options.due.empty() ? 0 : 1);
  const int periods =
      (options.every ? 1 : 0) + (options.cron.empty() ? 0 : 1) + (options.period.empty() ? 0 : 1);
  if (whens > 1) return contradiction(options.name, "only one of 'after', 'at' and 'due'");
  if (periods > 1) return contradiction(options.name, "only one of 'every', 'cron' and 'period'");
  if (whens + periods == 0)
    return contradiction(options.name, "say when: 'after', 'at', 'every' ...");
  if (options.after && *options.after < Duration(0)) {
    return contradiction(options.name, "'after' is in the past");
  }
  if (options.every && *options.every <= Duration(0)) {
    return contradiction(options.name, "'every' must be more than zero");
  }
  ReminderChange change;
  change.name = std::move(options.name);
  change.due = std::move(options.due);
  if (options.after) change.due = to_text(*options.after);
  if (options.at) change.due = to_text(*options.at);
  change.period = std::move(options.period);
  if (options.every) change.period = to_text(*options.every);
  if (!options.cron.empty()) change.period = std::move(options.cron);
  if (options.ttl) change.ttl = to_text(*options.ttl);
  change.repeats = options.repeats;
  change.failure = options.failure;
  change.catch_up = options.catch_up;
  change.overwrite = options.overwrite;
  return change;
}

}  // namespace troupe

#include "actors/reminders/reminder_record.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kFormat = 1;
constexpr std::uint32_t kNumberMax = std::numeric_limits<std::uint32_t>::max();
constexpr Duration kBackOffFirst = std::chrono::seconds(1);
constexpr Duration kBackOffLongest = std::chrono::minutes(5);
constexpr Duration kRetrySoonest = milliseconds(1);

// Whole milliseconds, never earlier.
WallTime due_at(WallTime time) { return std::chrono::ceil<milliseconds>(time); }

// How long to wait before the next attempt, after `attempts` failed; none: the tick is given up.
std::optional<Duration> retry_delay(const TickFailurePolicy& policy, std::uint32_t attempts) {
  switch (policy.kind) {
    case TickFailurePolicy::Kind::kDrop:
      return std::nullopt;
    case TickFailurePolicy::Kind::kConstant:
      if (policy.retries_max && attempts > *policy.retries_max) return std::nullopt;
      return std::max(policy.interval, kRetrySoonest);
    case TickFailurePolicy::Kind::kBackOff:
      break;
  }
  constexpr std::uint32_t kDoublings = 9;  // 512 s are more than the longest
  const std::uint32_t doublings = std::min(attempts - 1, kDoublings);
  return std::min(kBackOffFirst * (std::int64_t{1} << doublings), kBackOffLongest);
}

void encode_policy(Writer& writer, const TickFailurePolicy& policy) {
  writer.number(static_cast<std::uint64_t>(policy.kind));
  writer.integer(policy.interval.count());
  writer.boolean(policy.retries_max.has_value());
  if (policy.retries_max) writer.number(*policy.retries_max);
}

TickFailurePolicy decode_policy(Reader& reader) {
  TickFailurePolicy policy;
  policy.kind = static_cast<TickFailurePolicy::Kind>(
      reader.number_up_to(static_cast<std::uint64_t>(TickFailurePolicy::Kind::kConstant)));
  policy.interval = Duration(reader.integer());
  if (reader.boolean()) {
    policy.retries_max = static_cast<std::uint32_t>(reader.number_up_to(kNumberMax));
  }
  return policy;
}

}  // namespace

Registration registration_at(std::uint64_t index, std::uint32_t position) {
  check(position < kRegistrationsPerEntry, "an entry has no more registrations than that");
  check(index < (std::uint64_t{1} << 52), "a log is shorter than 2^52 entries");
  return Registration{index * kRegistrationsPerEntry + position};
}

TickFailurePolicy dapr_failure_policy() {
  return {.kind = TickFailurePolicy::Kind::kConstant,
          .interval = std::chrono::seconds(1),
          .retries_max = 3};
}

std::string ReminderRecord::encode() const {
  Writer writer;
  writer.number(kFormat);
  writer.bytes(key.type);
  writer.bytes(key.id);
  writer.bytes(name);
  writer.bytes(method);
  writer.bytes(data);
  schedule.encode(writer);
  writer.id(registration);
  writer.number(number);
  writer.number(skipped);
  writer.integer(scheduled.time_since_epoch().count());
  writer.integer(due.time_since_epoch().count());
  encode_policy(writer, failure);
  writer.number(static_cast<std::uint64_t>(catch_up));
  writer.number(attempts);
  writer.boolean(paused);
  writer.bytes(texts.due_time);
  writer.bytes(texts.period);
  writer.bytes(texts.ttl);
  return writer.take();
}

Result<ReminderRecord> ReminderRecord::decode(std::string_view bytes) {
  Reader reader(bytes);
  if (const auto format = reader.number(); reader.ok() && format != kFormat) {
    return fail(Code::kDataLoss, "a stored reminder has format " + std::to_string(format) +
                                     ", this version reads " + std::to_string(kFormat));
  }
  ReminderRecord record;
  record.key.type = reader.string();
  record.key.id = reader.string();
  record.name = reader.string();
  record.method = reader.string();
  record.data = reader.string();
  auto schedule = Schedule::decode(reader);
  if (!schedule) {
    return fail(schedule.error().code, "reminder '" + record.name + "' of " +
                                           to_string(record.key) + ": " + schedule.error().message);
  }
  record.schedule = *std::move(schedule);
  record.registration = reader.id<Registration>();
  record.number = reader.number();
  record.skipped = reader.number_up_to(record.number);
  record.scheduled = WallTime(Duration(reader.integer()));
  record.due = WallTime(Duration(reader.integer()));
  record.failure = decode_policy(reader);
  record.catch_up =
      static_cast<TickCatchUp>(reader.number_up_to(static_cast<std::uint64_t>(TickCatchUp::kSkip)));
  record.attempts = static_cast<std::uint32_t>(reader.number_up_to(kNumberMax));
  record.paused = reader.boolean();
  record.texts = {.due_time = reader.string(), .period = reader.string(), .ttl = reader.string()};
  if (!reader.finished()) {
    return fail(Code::kDataLoss, "the stored reminder '" + record.name + "' of " +
                                     to_string(record.key) + " is damaged");
  }
  return record;
}

ReminderRecord registered(ReminderRecord record) {
  record.number = 1;
  record.skipped = 0;
  record.attempts = 0;
  record.scheduled = record.schedule.first;
  record.due = due_at(record.scheduled);
  return record;
}

Verdict judge(const ReminderRecord& record, WallTime now) {
  if (record.paused || record.due > now) return Verdict::kWait;
  const bool skippable = record.catch_up == TickCatchUp::kSkip && record.schedule.recurring();
  // A tick that was tried once is tried to its end.
  if (skippable && record.attempts == 0 && saturating_add(record.scheduled, kSkipAfter) < now) {
    return Verdict::kSkip;
  }
  return Verdict::kFire;
}

std::optional<ReminderRecord> advance(ReminderRecord record, const TickOutcome& outcome,
                                      WallTime now) {
  using Kind = TickOutcome::Kind;
  if (outcome.kind == Kind::kCancelled) return std::nullopt;
  if (outcome.kind == Kind::kFailed) {
    if (record.attempts < kNumberMax) ++record.attempts;
    if (const auto delay = retry_delay(record.failure, record.attempts)) {
      // The clock may have been set back since the tick was sent.
      record.due = due_at(std::max(saturating_add(now, *delay), record.scheduled));
      return record;
    }
  }
  WallTime after = record.scheduled;
  if (outcome.kind == Kind::kSkipped) {
    ++record.skipped;
    after = std::max(after, now);
  } else if (record.catch_up == TickCatchUp::kOne) {
    after = std::max(after, outcome.fired);
  } else if (record.catch_up == TickCatchUp::kSkip) {
    after = std::max(after, now);
  }
  const auto next = record.schedule.next(after, record.number - record.skipped);
  if (!next) return std::nullopt;
  ++record.number;
  record.attempts = 0;
  record.scheduled = *next;
  record.due = due_at(*next);
  return record;
}

}  // namespace troupe

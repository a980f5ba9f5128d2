#include "actors/turns/reminder_writes.h"

#include <utility>

#include "actors/reminders/reminder_record.h"

namespace troupe::actors {
namespace {

TickCatchUp catch_up_of(CatchUp wanted) {
  switch (wanted) {
    case CatchUp::kCoalesce:
      return TickCatchUp::kOne;
    case CatchUp::kAll:
      return TickCatchUp::kAll;
    case CatchUp::kSkip:
      return TickCatchUp::kSkip;
  }
  return TickCatchUp::kOne;
}

TickFailurePolicy failure_of(const FailurePolicy& wanted) {
  return {.kind = wanted.drop ? TickFailurePolicy::Kind::kDrop : TickFailurePolicy::Kind::kConstant,
          .interval = wanted.interval,
          .retries_max = wanted.retries_max};
}

bool is_cron(const std::string& period) {
  return period.find(' ') != std::string::npos || period.starts_with('@');
}

Result<Schedule> schedule_of(const ReminderChange& change, WallTime now) {
  ScheduleTexts texts{.due_time = change.due, .period = change.period, .ttl = change.ttl};
  if (texts.due_time.empty() && texts.period.empty()) texts.due_time = "0s";
  if (is_cron(texts.period)) return parse_job_schedule(texts, change.repeats, now);
  Result<Schedule> schedule = parse_reminder_schedule(texts, now);
  if (schedule && change.repeats) schedule->repeats = *change.repeats;
  return schedule;
}

TickOutcome::Kind kind_of(TickEnd end) {
  switch (end) {
    case TickEnd::kDone:
      return TickOutcome::Kind::kDone;
    case TickEnd::kFailed:
      return TickOutcome::Kind::kFailed;
    case TickEnd::kSkipped:
      return TickOutcome::Kind::kSkipped;
  }
  return TickOutcome::Kind::kDone;
}

}  // namespace

Result<storage::ReminderWrite> reminder_write(const ActorKey& key, const ReminderChange& change,
                                              WallTime now) {
  using Kind = storage::ReminderWrite::Kind;
  if (change.name.empty()) return fail(Code::kInvalid, "a reminder has a name");
  storage::ReminderWrite write{.name = change.name, .due = {}, .body = {}};
  if (change.cancel) {
    write.kind = Kind::kErase;
    return write;
  }
  Result<Schedule> schedule = schedule_of(change, now);
  if (!schedule) {
    return fail(Code::kInvalid, "reminder '" + change.name + "' of " + to_string(key) + ": " +
                                    schedule.error().message);
  }
  ReminderRecord record;
  record.key = key;
  record.name = change.name;
  record.method = change.method;
  record.data = std::string(change.message.view());
  record.schedule = *std::move(schedule);
  record.failure = failure_of(change.failure);
  record.catch_up = catch_up_of(change.catch_up);
  record.texts = {.due_time = change.due, .period = change.period, .ttl = change.ttl};
  record = registered(std::move(record));
  write.kind = change.overwrite ? Kind::kRegister : Kind::kRegisterIfAbsent;
  write.number = record.number;
  write.due = record.due;
  write.body = record.encode();
  return write;
}

Result<std::optional<TurnMessage>> tick_message(std::string_view body, WallTime now, bool outside) {
  Result<ReminderRecord> record = ReminderRecord::decode(body);
  if (!record) return fail(record.error());
  if (judge(*record, now) == Verdict::kSkip) return std::optional<TurnMessage>();
  TurnMessage message;
  message.method = std::move(record->method);
  message.body = std::move(record->data);
  if (outside) message.tick = std::make_shared<TickFacts>(TickFacts{.name = record->name});
  return std::optional(std::move(message));
}

Result<storage::ReminderWrite> tick_write(const storage::TickCause& cause, std::string_view body,
                                          TickEnd end, WallTime now, bool* given_up) {
  using Kind = storage::ReminderWrite::Kind;
  Result<ReminderRecord> record = ReminderRecord::decode(body);
  if (!record) return fail(record.error());
  const TickOutcome outcome{.kind = kind_of(end), .fired = now};
  const std::uint64_t number = record->number;
  const std::optional<ReminderRecord> next = advance(*std::move(record), outcome, now);
  if (given_up != nullptr) *given_up = !next || next->number != number;
  storage::ReminderWrite write{.kind = Kind::kErase, .name = cause.name, .due = {}, .body = {}};
  if (!next) return write;
  write.kind = Kind::kAdvance;
  write.number = next->number;
  write.due = next->due;
  write.body = next->encode();
  return write;
}

}  // namespace troupe::actors

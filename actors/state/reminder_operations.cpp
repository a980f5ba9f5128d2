#include "actors/state/reminder_operations.h"

#include <utility>

#include "actors/reminders/reminder_record.h"
#include "runtime/base/codec.h"

namespace troupe::actors {
namespace {

void write(Writer& writer, const ReminderChange& change) {
  writer.bytes(change.name);
  writer.boolean(change.cancel);
  writer.bytes(change.method);
  writer.bytes(change.message.view());
  writer.bytes(change.due);
  writer.bytes(change.period);
  writer.bytes(change.ttl);
  writer.boolean(change.repeats.has_value());
  writer.number(change.repeats.value_or(0));
  writer.boolean(change.overwrite);
  writer.boolean(change.failure.drop);
  writer.integer(change.failure.interval.count());
  writer.boolean(change.failure.retries_max.has_value());
  writer.number(change.failure.retries_max.value_or(0));
  writer.number(static_cast<std::uint64_t>(change.catch_up));
}

std::optional<std::uint32_t> read_count(Reader& reader) {
  const bool there = reader.boolean();
  const auto count = static_cast<std::uint32_t>(reader.number_up_to(~std::uint32_t{0}));
  return there ? std::optional(count) : std::nullopt;
}

ReminderChange read(Reader& reader) {
  ReminderChange change;
  change.name = reader.string();
  change.cancel = reader.boolean();
  change.method = reader.string();
  change.message = reader.string();
  change.due = reader.string();
  change.period = reader.string();
  change.ttl = reader.string();
  change.repeats = read_count(reader);
  change.overwrite = reader.boolean();
  change.failure.drop = reader.boolean();
  change.failure.interval = Duration(reader.integer());
  change.failure.retries_max = read_count(reader);
  change.catch_up =
      static_cast<CatchUp>(reader.number_up_to(static_cast<std::uint64_t>(CatchUp::kSkip)));
  return change;
}

}  // namespace

std::string encode(const ReminderOperation& operation) {
  Writer writer;
  writer.number(static_cast<std::uint64_t>(operation.kind));
  writer.bytes(operation.name);
  write(writer, operation.change);
  return writer.take();
}

Result<ReminderOperation> decode_reminder_operation(std::string_view bytes) {
  Reader reader(bytes);
  ReminderOperation operation;
  operation.kind = static_cast<ReminderOperation::Kind>(reader.number_up_to(1));
  operation.name = reader.string();
  operation.change = read(reader);
  if (!reader.finished()) return fail(Code::kInvalid, "damaged reminder operation");
  return operation;
}

std::string encode(const std::vector<ReminderFacts>& facts) {
  Writer writer;
  writer.number(facts.size());
  for (const ReminderFacts& each : facts) {
    for (const std::string* text :
         {&each.name, &each.method, &each.data, &each.due_text, &each.period, &each.ttl}) {
      writer.bytes(*text);
    }
    writer.integer(each.due.time_since_epoch().count());
    writer.number(each.number);
    writer.number(each.attempts);
  }
  return writer.take();
}

Result<std::vector<ReminderFacts>> decode_reminder_facts(std::string_view bytes) {
  Reader reader(bytes);
  std::vector<ReminderFacts> facts;
  for (std::uint64_t left = reader.number_up_to(bytes.size()); left > 0 && reader.ok(); --left) {
    ReminderFacts& each = facts.emplace_back();
    for (std::string* text :
         {&each.name, &each.method, &each.data, &each.due_text, &each.period, &each.ttl}) {
      *text = reader.string();
    }
    each.due = WallTime(Duration(reader.integer()));
    each.number = reader.number();
    each.attempts = static_cast<std::uint32_t>(reader.number_up_to(~std::uint32_t{0}));
  }
  if (!reader.finished()) return fail(Code::kInvalid, "damaged reminder facts");
  return facts;
}

Result<ReminderFacts> reminder_facts(std::string_view body) {
  Result<ReminderRecord> record = ReminderRecord::decode(body);
  if (!record) return fail(record.error());
  const ScheduleTexts shown = shown_texts(record->texts, record->schedule);
  return ReminderFacts{.name = std::move(record->name),
                       .method = std::move(record->method),
                       .data = std::move(record->data),
                       .due_text = shown.due_time,
                       .period = shown.period,
                       .ttl = shown.ttl,
                       .due = record->due,
                       .number = record->number,
                       .attempts = record->attempts};
}

}  // namespace troupe::actors

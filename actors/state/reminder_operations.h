#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/actor_type.h>
#include <troupe/result.h>

/// What the API asks of an actor's reminders: the messages of calls of kind kReminders, which need
/// no activation.
namespace troupe::actors {

struct ReminderOperation {
  enum class Kind : std::uint8_t {
    kChange,  // registers, or cancels, as a turn of the actor would
    kRead,    // the one of that name, all if it is empty; the reply is encoded ReminderFacts
  };
  Kind kind = Kind::kRead;
  ReminderChange change;
  std::string name;
};

std::string encode(const ReminderOperation& operation);
/// kInvalid for damaged bytes.
Result<ReminderOperation> decode_reminder_operation(std::string_view bytes);

/// A reminder, as the API shows it.
struct ReminderFacts {
  std::string name;
  std::string method;
  std::string data;
  std::string due_text;  // as registered
  std::string period;    // as Dapr shows it
  std::string ttl;
  WallTime due;  // of the next attempt
  std::uint64_t number = 1;
  std::uint32_t attempts = 0;
};

std::string encode(const std::vector<ReminderFacts>& facts);
Result<std::vector<ReminderFacts>> decode_reminder_facts(std::string_view bytes);
/// From the body as the shard has it.
Result<ReminderFacts> reminder_facts(std::string_view body);

}  // namespace troupe::actors

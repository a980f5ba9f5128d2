#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/shard/machine.h"
#include "storage/shard/rows.h"

namespace troupe::storage {

/// What a recorded call counts for: its key, its share of the memory, and its reply.
inline std::size_t recorded_call_bytes(std::size_t reply_bytes) { return 128 + reply_bytes; }

/// One turn being applied: decides first, then gathers all its effects, and only when nothing can
/// refuse it any more, changes the machine.
class ShardMachine::Turn {
 public:
  Turn(ShardMachine& machine, const At& at, const TurnCommand& command)
      : machine_(machine), at_(at), command_(command), keys_(machine.keys_) {}

  Result<Outcome> run(Batch& out);

 private:
  /// A reminder that the turn names: as it was, and as the turn leaves it.
  struct Reminder {
    std::optional<ReminderMark> before;
    std::optional<ReminderMark> after;
    const std::string* body = nullptr;  // the new one

    void set(const ReminderMark& mark, const std::string& the_body);
  };

  // Each returns an outcome if it ends the turn.
  Result<std::optional<Outcome>> decide();
  std::optional<Outcome> check_owner() const;
  Result<std::optional<Outcome>> check_cause();
  Result<std::optional<Outcome>> check_call(const CallCause& call) const;
  Result<std::optional<Outcome>> check_tick(const TickCause& tick);
  std::optional<Outcome> check_message(const OutboxCause& message) const;
  Result<std::optional<Outcome>> check_values() const;
  std::optional<Outcome> check_outbox() const;
  Result<std::optional<Outcome>> check_reminders();

  Outcome outcome(Outcome::Kind kind) const;
  Outcome refused(Code code, std::string message) const;

  Result<Reminder*> reminder(const std::string& name);
  Result<std::optional<ReminderMark>> read_mark(const std::string& name) const;
  void gather_reminders(Batch& out) const;

  Result<void> write_values(Batch& out);
  void write_outbox(Batch& out);
  void consume(const CallCause& call, Batch& out);
  void consume(const OutboxCause& message, Batch& out);
  void advance_sequence();

  ShardMachine& machine_;
  const At& at_;
  const TurnCommand& command_;
  ReplicaKeys keys_;
  std::map<std::string_view, Reminder> reminders_;  // by name, which is the command's
};

}  // namespace troupe::storage

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "storage/shard/machine.h"
#include "storage/shard/rows.h"
#include "storage/shard/snapshot.h"
#include "tests/support/manual_disk.h"

namespace troupe::storage {

inline WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

/// One replica of shard 3 of 8 on a disk in memory, with a log of its own that only counts.
class ShardBench {
 public:
  explicit ShardBench(ReplicaId replica = {7}, ShardLimits limits = {})
      : writer(disk, {}, {.progress = [](auto) {}, .failed = [](const Error&) {}}),
        keys(ShardId{3}, replica),
        limits_(limits) {
    reload();
  }

  /// A machine that knows only what is in the rows.
  void reload() {
    machine.emplace(keys, 8, writer, limits_);
    loaded = machine->load().has_value();
  }

  Outcome apply(Command command, WallTime now = at(1000)) {
    ++index;
    Outcome outcome =
        machine->apply(index, 5, {.now = now, .command = std::move(command)}, writer.pending())
            .value();
    machine->put_sequences(writer.pending());
    return outcome;
  }

  /// Makes node 1 the owner of `type`, under the next epoch.
  Epoch own(const std::string& type = "Cart") {
    const auto found = machine->owners().find(type);
    const Epoch current = found == machine->owners().end() ? Epoch{} : found->second.epoch;
    apply(AssignCommand{.type = type, .node = {1, 1}, .generation = {1}, .replaces = current});
    return machine->owners().at(type).epoch;
  }

  /// A turn of Cart/alice that would be accepted, and does nothing yet.
  TurnCommand turn(const std::string& type = "Cart", const std::string& id = "alice") const {
    TurnCommand command;
    command.type = type;
    command.id = id;
    const Owner& owner = machine->owners().at(type);
    command.epoch = owner.epoch;
    command.sequence = owner.last_sequence + 1;
    return command;
  }

  ReplicaHash hash() const { return replica_hash(writer, keys).value(); }

  std::optional<ValueRow> value(const std::string& name, WallTime now = at(1000)) const {
    return storage::value(writer, keys, "Cart", "alice", name, now).value();
  }
  std::optional<ReminderRow> reminder(const std::string& name) const {
    return storage::reminder(writer, keys, "Cart", "alice", name).value();
  }

  ManualDisk disk;
  GroupWriter writer;
  ReplicaKeys keys;
  std::optional<ShardMachine> machine;
  bool loaded = false;
  std::uint64_t index = 0;

 private:
  ShardLimits limits_;
};

inline StateWrite put(std::string name, std::string value) {
  StateWrite write;
  write.name = std::move(name);
  write.value = std::move(value);
  return write;
}

inline ReminderWrite remind(std::string name, WallTime due,
                            ReminderWrite::Kind kind = ReminderWrite::Kind::kRegister,
                            std::uint64_t number = 1) {
  return {.kind = kind, .name = std::move(name), .number = number, .due = due, .body = "body"};
}

inline CallCause call(std::uint64_t sequence, WallTime keep_until = at(2000),
                      std::uint64_t done_below = 0) {
  return {.id = {.origin = {9, 9}, .generation = {2}, .sequence = sequence},
          .keep_until = keep_until,
          .done_below = done_below};
}

}  // namespace troupe::storage

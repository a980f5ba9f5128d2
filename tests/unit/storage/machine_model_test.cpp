#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"
#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

using Kind = Outcome::Kind;

/// What a shard does, said as plainly as possible and without any care for cost.
class Model {
 public:
  struct Value {
    std::string value;
    std::uint64_t etag;
    std::optional<WallTime> expires;
  };
  struct Reminder {
    std::uint64_t registration;
    std::uint64_t number;
    WallTime due;
  };

  Kind apply(std::uint64_t index, const Entry& entry) {
    std::erase_if(calls, [&](const auto& call) { return call.second <= entry.now; });
    if (entry.now >= done_until) done_below = 0;
    std::erase_if(values, [&](const auto& row) {
      return row.second.expires && *row.second.expires <= entry.now;
    });
    if (const auto* turn = std::get_if<TurnCommand>(&entry.command)) return run(index, *turn);
    if (const auto* assign = std::get_if<AssignCommand>(&entry.command)) {
      if (epoch[assign->type] != assign->replaces.value) return Kind::kRefused;
      ++epoch[assign->type];
      sequence[assign->type] = 0;
    } else if (const auto* done = std::get_if<OutboxDoneCommand>(&entry.command)) {
      for (const std::uint64_t number : done->numbers) outbox[done->target].erase(number);
    } else if (const auto* mark = std::get_if<WatermarkCommand>(&entry.command)) {
      WallTime to = std::min(mark->watermark, entry.now);
      for (const auto& [key, reminder] : reminders) to = std::min(to, reminder.due);
      watermark = std::max(watermark, to);
    }
    return Kind::kApplied;
  }

  std::map<std::tuple<std::string, std::string, std::string>, Value> values;
  std::map<std::tuple<std::string, std::string, std::string>, Reminder> reminders;
  std::map<ShardId, std::map<std::uint64_t, std::string>> outbox;
  std::map<ShardId, std::uint64_t> outbox_last;
  std::map<std::string, std::uint64_t> epoch;
  std::map<std::string, std::uint64_t> sequence;
  std::map<std::uint64_t, WallTime> calls;
  std::uint64_t done_below = 0;
  WallTime done_until = WallTime::min();
  std::map<ShardId, std::set<std::uint64_t>> consumed;
  WallTime watermark = WallTime::min();

 private:
  void drop_done(std::uint64_t below) {
    while (!calls.empty() && calls.begin()->first < below) {
      done_below = std::max(done_below, below);
      done_until = std::max(done_until, calls.begin()->second);
      calls.erase(calls.begin());
    }
  }

  Kind run(std::uint64_t index, const TurnCommand& turn) {
    if (const auto* said = std::get_if<CallCause>(&turn.cause)) drop_done(said->done_below);
    if (turn.epoch.value == 0 || epoch[turn.type] != turn.epoch.value) return Kind::kStaleEpoch;
    if (turn.sequence != sequence[turn.type] + 1) return Kind::kGap;
    const auto* call = std::get_if<CallCause>(&turn.cause);
    if (call != nullptr && calls.contains(call->id.sequence)) return Kind::kConsumed;
    if (call != nullptr && call->id.sequence < done_below) return Kind::kRefused;
    const auto* message = std::get_if<OutboxCause>(&turn.cause);
    if (message != nullptr && consumed[message->source].contains(message->number)) {
      return Kind::kConsumed;
    }
    const auto* tick = std::get_if<TickCause>(&turn.cause);
    if (tick != nullptr) {
      const auto row = reminders.find({turn.type, turn.id, tick->name});
      if (row == reminders.end() || row->second.registration != tick->registration ||
          row->second.number != tick->number) {
        return Kind::kConsumed;
      }
    }
    for (const StateWrite& write : turn.state) {
      const auto row = values.find({turn.type, turn.id, write.name});
      if (write.etag && *write.etag != (row == values.end() ? 0 : row->second.etag)) {
        return Kind::kRefused;
      }
    }
    for (const ReminderWrite& write : turn.reminders) {
      if (write.kind == ReminderWrite::Kind::kRegisterIfAbsent &&
          reminders.contains({turn.type, turn.id, write.name})) {
        return Kind::kRefused;
      }
    }
    if (call != nullptr) calls[call->id.sequence] = call->keep_until;
    if (message != nullptr) consumed[message->source].insert(message->number);
    take_effect(index, turn);
    ++sequence[turn.type];
    return Kind::kApplied;
  }

  void take_effect(std::uint64_t index, const TurnCommand& turn) {
    for (const StateWrite& write : turn.state) {
      if (write.value) {
        values[{turn.type, turn.id, write.name}] = {*write.value, index, write.expires};
      } else {
        values.erase({turn.type, turn.id, write.name});
      }
    }
    for (const ReminderWrite& write : turn.reminders) {
      const std::tuple key(turn.type, turn.id, write.name);
      if (write.kind == ReminderWrite::Kind::kErase) {
        reminders.erase(key);
      } else if (write.kind == ReminderWrite::Kind::kAdvance) {
        reminders[key].number = write.number;
        reminders[key].due = std::max(write.due, watermark);
      } else {
        reminders[key] = {index, write.number, std::max(write.due, watermark)};
      }
    }
    for (const OutboxWrite& write : turn.outbox) {
      outbox[write.target][++outbox_last[write.target]] = write.message;
    }
  }
};

/// Random commands, most of which are accepted.
class Commands {
 public:
  Commands(Random& random, const Model& model) : random_(random), model_(model) {}

  Command next(WallTime now) {
    switch (random_.below(12)) {
      case 0:
        return AssignCommand{.type = type(),
                             .node = {1, 1},
                             .generation = {1},
                             .replaces = {random_.below(4) == 0 ? random_.below(5) : epoch()}};
      case 1: {
        OutboxDoneCommand done{.target = shard(), .numbers = {}};
        for (auto left = random_.below(6); left > 0; --left) {
          done.numbers.push_back(1 + random_.below(30));
        }
        return done;
      }
      case 2:
        return WatermarkCommand{.watermark = now + std::chrono::seconds(10 - pick(20))};
      default:
        return turn(now);
    }
  }

 private:
  std::int64_t pick(std::uint64_t bound) { return static_cast<std::int64_t>(random_.below(bound)); }
  std::string type() { return type_ = random_.below(4) == 0 ? "Wallet" : "Cart"; }
  std::string name() { return std::string(1, static_cast<char>('a' + pick(3))); }
  ShardId shard() { return {static_cast<std::uint32_t>(random_.below(3))}; }
  std::uint64_t epoch() {
    const auto found = model_.epoch.find(type_);
    return found == model_.epoch.end() ? 0 : found->second;
  }

  TurnCommand turn(WallTime now) {
    TurnCommand turn;
    turn.type = type();
    turn.id = name();
    turn.epoch = {epoch()};
    const auto last = model_.sequence.find(turn.type);
    turn.sequence = (last == model_.sequence.end() ? 0 : last->second) + 1;
    if (random_.chance(0.05)) ++turn.sequence;
    choose_cause(turn, now);
    for (auto left = random_.below(3); left > 0; --left) turn.state.push_back(write(turn, now));
    if (random_.chance(0.4)) {
      turn.reminders.push_back(remind(name(), now + std::chrono::seconds(pick(40) - 10),
                                      static_cast<ReminderWrite::Kind>(pick(2))));
    }
    for (auto left = random_.below(3); left > 0; --left) {
      turn.outbox.push_back({shard(), std::string(random_.below(5), 'm')});
    }
    return turn;
  }

  StateWrite write(const TurnCommand& turn, WallTime now) {
    StateWrite write = put(name(), std::to_string(random_.below(100)));
    if (random_.chance(0.2)) write.value.reset();
    if (random_.chance(0.3)) write.expires = now + std::chrono::seconds(1 + pick(20));
    if (random_.chance(0.3)) {
      const auto row = model_.values.find({turn.type, turn.id, write.name});
      write.etag = row == model_.values.end() ? 0 : row->second.etag;
      if (random_.chance(0.2)) ++*write.etag;
    }
    return write;
  }

  void choose_cause(TurnCommand& turn, WallTime now) {
    switch (random_.below(4)) {
      case 0:
        turn.cause = call(random_.below(60), now + std::chrono::seconds(1 + pick(30)),
                          random_.chance(0.1) ? random_.below(40) : 0);
        break;
      case 1:
        turn.cause =
            OutboxCause{.source = shard(), .number = 1 + random_.below(60), .low_water = 1};
        break;
      case 2: {
        TickCause tick{.name = name(), .registration = 0, .number = 1};
        const auto row = model_.reminders.find({turn.type, turn.id, tick.name});
        if (row != model_.reminders.end()) {
          tick.registration = row->second.registration;
          tick.number = row->second.number - (random_.chance(0.2) ? 1 : 0);
        }
        turn.reminders = {remind(tick.name, now + std::chrono::seconds(pick(20)),
                                 ReminderWrite::Kind::kAdvance, tick.number + 1)};
        turn.cause = tick;
        break;
      }
      default:
        break;
    }
  }

  Random& random_;
  const Model& model_;
  std::string type_ = "Cart";
};

void expect_same(const ShardBench& shard, const Model& model, WallTime now) {
  std::map<std::tuple<std::string, std::string, std::string>, Model::Value> values;
  std::size_t reminders = 0;
  for (const std::string type : {"Cart", "Wallet"}) {
    for (const std::string id : {"a", "b", "c"}) {
      const auto rows = storage::values(shard.writer, shard.keys, type, id, now);
      for (const ValueRow& row : *rows) {
        const auto expected = model.values.find({type, id, row.name});
        ASSERT_NE(expected, model.values.end());
        EXPECT_EQ(row.value, expected->second.value);
        EXPECT_EQ(row.etag, expected->second.etag);
        EXPECT_EQ(row.expires, expected->second.expires);
        values[{type, id, row.name}] = expected->second;
      }
      reminders += storage::reminders(shard.writer, shard.keys, type, id)->size();
    }
  }
  EXPECT_EQ(values.size(), model.values.size());
  EXPECT_EQ(reminders, model.reminders.size());
  EXPECT_EQ(shard.machine->watermark(), model.watermark);
  const auto due = due_reminders(shard.writer, shard.keys, model.watermark, at(1'000'000), 1000);
  ASSERT_EQ(due->size(), model.reminders.size());
  for (const ReminderRow& row : *due) {
    const auto& expected = model.reminders.at({row.type, row.id, row.name});
    EXPECT_EQ(row.registration, expected.registration);
    EXPECT_EQ(row.number, expected.number);
    EXPECT_EQ(row.due, expected.due);
  }
  for (const auto& [target, messages] : model.outbox) {
    if (!model.outbox_last.contains(target)) continue;
    const auto rows = outbox_messages(shard.writer, shard.keys, target, 0, 10'000).value();
    ASSERT_EQ(rows.size(), messages.size());
    for (const OutboxRow& row : rows) EXPECT_EQ(row.message, messages.at(row.number));
    const OutboxState& state = shard.machine->outbox().at(target);
    EXPECT_EQ(state.messages, messages.size());
    EXPECT_EQ(state.last, model.outbox_last.at(target));
    EXPECT_EQ(state.low_water, messages.empty() ? state.last + 1 : messages.begin()->first);
  }
  EXPECT_EQ(shard.machine->recorded_calls(), model.calls.size());
}

class ShardMachineModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ShardMachineModel, DoesWhatThePlainModelDoesAndReplicasStayEqual) {
  Random random(GetParam());
  const ShardLimits limits{.expired_per_entry_max = 1000};
  ShardBench one({7}, limits);
  ShardBench other({8}, limits);
  Model model;
  Commands commands(random, model);
  WallTime now = at(1000);
  std::map<Kind, int> seen;
  for (std::uint64_t index = 1; index <= 600; ++index) {
    now += std::chrono::milliseconds(random.below(1500));
    const Command command = commands.next(now);
    const Outcome outcome = one.apply(command, now);
    EXPECT_EQ(other.apply(command, now).kind, outcome.kind);
    ASSERT_EQ(outcome.kind, model.apply(index, {.now = now, .command = command})) << index;
    ++seen[outcome.kind];
    // One writes rarely and never reloads, the other often does both.
    if (random.chance(0.02)) one.writer.flush();
    if (random.chance(0.3)) other.writer.flush();
    if (random.chance(0.1)) one.disk.complete_all();
    if (random.chance(0.5)) other.disk.complete_all();
    if (random.chance(0.1)) other.reload();
    if (index % 50 == 0) {
      expect_same(one, model, now);
      ASSERT_EQ(one.hash(), other.hash()) << index;
    }
  }
  EXPECT_EQ(seen.size(), 5U) << "every kind of outcome occurs";
  other.reload();
  EXPECT_EQ(other.machine->owners(), one.machine->owners());
  EXPECT_EQ(other.machine->outbox(), one.machine->outbox());
  EXPECT_EQ(other.machine->row_version(), one.machine->row_version());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardMachineModel, testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace troupe::storage

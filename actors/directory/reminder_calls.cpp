#include "actors/directory/reminder_calls.h"

#include <string>
#include <utility>
#include <vector>

#include "actors/state/reminder_operations.h"
#include "actors/turns/effects.h"
#include "actors/turns/reminder_writes.h"

namespace troupe::actors {
namespace {

void change(Home& home, const std::shared_ptr<Right>& right, Call call,
            const ReminderChange& change) {
  const ActorsDependencies& on = home.dependencies;
  TurnResult turn;
  turn.reminders.push_back(change);
  Result<Effects> effects = effects_of(call, turn, std::nullopt, on.clock, on.shards);
  if (!effects) return call.done(fail(effects.error()));
  home.metrics.commits.add();
  on.shards.commit(
      right, *std::move(effects->command),
      [done = std::move(call.done)](Result<storage::Outcome> outcome) mutable {
        if (!outcome) return done(fail(outcome.error()));
        switch (outcome->kind) {
          case storage::Outcome::Kind::kApplied:
          case storage::Outcome::Kind::kConsumed:
            return done(Reply{});
          case storage::Outcome::Kind::kStaleEpoch:
          case storage::Outcome::Kind::kGap:
            return done(fail(Code::kPrecondition, "this node is not the owner any more"));
          case storage::Outcome::Kind::kRefused:
            return done(fail(outcome->error.value_or(
                Error{Code::kConflict, "there is a reminder of that name already"})));
        }
      });
}

void read(Home& home, const std::shared_ptr<Right>& right, Call call, std::string name) {
  home.dependencies.shards.reminders(
      right, call.key, std::move(name),
      [done = std::move(call.done)](Result<std::vector<StoredReminder>> rows) mutable {
        if (!rows) return done(fail(rows.error()));
        std::vector<ReminderFacts> all;
        for (const StoredReminder& row : *rows) {
          Result<ReminderFacts> facts = reminder_facts(row.body);
          if (!facts) return done(fail(facts.error()));
          all.push_back(*std::move(facts));
        }
        Reply reply;
        reply.body = encode(all);
        done(std::move(reply));
      });
}

}  // namespace

void run_reminder_call(Home& home, const std::shared_ptr<Right>& right, Call call) {
  const Time now = home.dependencies.clock.now();
  if (call.deadline == Time{}) call.deadline = now + ActorOptions{}.turn_timeout;
  if (call.deadline <= now) {
    return call.done(fail(Code::kTimeout, "the deadline had passed before it began"));
  }
  Result<ReminderOperation> operation = decode_reminder_operation(call.message.view());
  if (!operation) return call.done(fail(operation.error()));
  if (operation->kind == ReminderOperation::Kind::kRead) {
    return read(home, right, std::move(call), std::move(operation->name));
  }
  change(home, right, std::move(call), operation->change);
}

}  // namespace troupe::actors

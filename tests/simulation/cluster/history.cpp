#include "tests/simulation/cluster/history.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

// Deadlines are looked at once a second.
constexpr Duration kDeadlineGrace = 1300ms;

}  // namespace

void History::ask(std::size_t machine) {
  Random& random = world_.random();
  Ask ask{.kind = Kind::kAdd,
          .number = static_cast<int>(next_++),
          .actor = {},
          .answer = {},
          .known = {}};
  const Duration patience = random.chance(0.2) ? 300ms : Duration(5s);
  const std::uint64_t dice = random.below(10);
  if (dice < 4) {
    ask.actor = std::to_string(random.below(kLedgers));
    ask.answer = world_.call(machine, Ledger::kType, ask.actor, "add", ask.number, patience);
  } else if (dice < 6) {
    ask.kind = Kind::kRead;
    ask.actor = std::to_string(random.below(kLedgers));
    ask.known = ledgers_[ask.actor].acknowledged;
    ask.answer = world_.call(machine, Ledger::kType, ask.actor, "entries", patience);
  } else if (dice < 9) {
    ask.kind = Kind::kTransfer;
    ask.actor = std::to_string(random.below(kAccounts));
    const Transfer order{.to = std::to_string(random.below(kAccounts)),
                         .amount = static_cast<int>(random.below(100))};
    ask.answer = world_.call(machine, Account::kType, ask.actor, "transfer", order, patience);
  } else {
    ask.kind = Kind::kWish;
    ask.actor = std::to_string(random.below(kAlarms));
    const Wish wish{.number = ask.number,
                    .delay_ms = static_cast<std::int64_t>(random.below(4000))};
    ask.answer = world_.call(machine, Alarm::kType, ask.actor, "set", wish, patience);
  }
  asks_.push_back(std::move(ask));
}

void History::follow() {
  std::vector<Ask> still;
  for (Ask& ask : std::exchange(asks_, {})) {
    const World::Answer& answer = *ask.answer;
    const bool origin_gone = answer.origin && !answer.origin->alive();
    if (answer.outcome || origin_gone) {
      settle(ask);
      continue;
    }
    if (world_.now() > answer.deadline + kDeadlineGrace && !answer.origin->paused()) {
      world_.violation("call " + std::to_string(ask.number) + " has no answer " +
                       std::to_string((world_.now() - answer.deadline) / 1ms) +
                       " ms after its deadline");
      settle(ask);
      continue;
    }
    still.push_back(std::move(ask));
  }
  asks_ = std::move(still);
}

void History::settle(const Ask& ask) {
  const World::Answer& answer = *ask.answer;
  if (ask.kind == Kind::kTransfer) return;
  if (ask.kind == Kind::kRead) {
    if (!answer.ok()) return;
    const auto entries = answer.value<std::vector<int>>();
    for (const int number : ask.known) {
      if (std::ranges::find(entries, number) != entries.end()) continue;
      world_.violation("a read of ledger " + ask.actor + " misses the acknowledged " +
                       std::to_string(number));
    }
    return;
  }
  Wishes& wishes = ask.kind == Kind::kAdd ? ledgers_[ask.actor] : alarms_[ask.actor];
  if (answer.ok()) {
    wishes.acknowledged.insert(ask.number);
  } else if (!answer.outcome || answer.outcome->error().code == Code::kUnknownOutcome) {
    wishes.uncertain.insert(ask.number);
  } else {
    wishes.refused.insert(ask.number);
  }
}

template <class T>
bool History::read(std::string_view type, const std::string& id, const char* method, T& into,
                   Duration patience) {
  std::size_t machine = 0;
  while (machine < world_.size() && !world_.ready(machine)) ++machine;
  const auto answer = world_.call(machine, type, id, method, patience);
  world_.run_until(patience + kDeadlineGrace, [&] { return answer->outcome.has_value(); });
  if (!answer->ok()) {
    world_.violation(std::string(type) + " " + id + " does not answer: " + answer->problem());
    return false;
  }
  into = answer->value<T>();
  return true;
}

void History::expect_answers(Duration patience) {
  std::vector<World::AnswerPtr> answers;
  std::size_t machine = 0;
  while (machine < world_.size() && !world_.ready(machine)) ++machine;
  const auto touch = [&](std::string_view type, int count, const char* method) {
    for (int i = 0; i < count; ++i) {
      answers.push_back(world_.call(machine, type, std::to_string(i), method, patience));
    }
  };
  touch(Ledger::kType, kLedgers, "entries");
  touch(Account::kType, kAccounts, "balance");
  touch(Alarm::kType, kAlarms, "rings");
  world_.run_until(patience + kDeadlineGrace, [&] {
    return std::ranges::all_of(answers, [](const auto& each) { return each->outcome.has_value(); });
  });
  for (const auto& each : answers) {
    if (!each->ok()) world_.violation("no progress after healing: " + each->problem());
  }
}

void History::expect_states() {
  for (int i = 0; i < kLedgers; ++i) {
    std::vector<int> entries;
    if (read(Ledger::kType, std::to_string(i), "entries", entries, 10s)) {
      check_ledger(std::to_string(i), entries);
    }
  }
  int sum = 0;
  world_.run_until(20s, [&] {
    sum = 0;
    for (int i = 0; i < kAccounts; ++i) {
      int balance = 0;
      if (!read(Account::kType, std::to_string(i), "balance", balance, 10s)) return true;
      sum += balance;
    }
    return sum == kAccounts * 1000;
  });
  if (sum != kAccounts * 1000) {
    world_.violation("the balances add up to " + std::to_string(sum));
  }
  for (int i = 0; i < kAlarms; ++i) {
    const std::string name = std::to_string(i);
    std::vector<Ring> rings;
    world_.run_until(20s, [&] {
      return !read(Alarm::kType, name, "rings", rings, 10s) ||
             rings.size() >= alarms_[name].acknowledged.size() + alarms_[name].uncertain.size();
    });
    check_alarm(name, rings);
  }
}

void History::check_ledger(const std::string& name, const std::vector<int>& entries) {
  const std::set<int> once(entries.begin(), entries.end());
  const Wishes& wishes = ledgers_[name];
  if (once.size() != entries.size()) world_.violation("ledger " + name + " has an entry twice");
  for (const int number : wishes.acknowledged) {
    if (!once.contains(number)) {
      world_.violation("ledger " + name + " lost the acknowledged " + std::to_string(number));
    }
  }
  for (const int number : wishes.refused) {
    if (once.contains(number)) {
      world_.violation("ledger " + name + " holds " + std::to_string(number) +
                       ", which was refused");
    }
  }
}

void History::check_alarm(const std::string& name, const std::vector<Ring>& rings) {
  std::map<int, int> times;
  for (const Ring& ring : rings) {
    ++times[ring.number];
    if (ring.early_us > 0) {
      world_.violation("reminder " + std::to_string(ring.number) + " of alarm " + name + " rang " +
                       std::to_string(ring.early_us) + " us early");
    }
  }
  const Wishes& wishes = alarms_[name];
  for (const auto& [number, count] : times) {
    if (count > 1) world_.violation("reminder " + std::to_string(number) + " rang twice");
    if (wishes.refused.contains(number)) {
      world_.violation("reminder " + std::to_string(number) + " rang, and was refused");
    }
  }
  for (const int number : wishes.acknowledged) {
    if (!times.contains(number)) {
      world_.violation("reminder " + std::to_string(number) + " of alarm " + name + " never rang");
    }
  }
}

}  // namespace troupe::sim

#include "tests/simulation/cluster/history.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

// Deadlines are looked at once a second.
constexpr Duration kDeadlineGrace = 1300ms;

// Of clients that ask again.
constexpr std::size_t kAttemptsMax = 5;
constexpr double kImpatience = 0.02;

bool may_have_effect(const World::AnswerPtr& answer) {
  return !answer->outcome ||
         (!*answer->outcome && answer->outcome->error().code == Code::kUnknownOutcome);
}

}  // namespace

void History::ask_ledger(Ask& ask, std::size_t machine, Duration patience) {
  Random& random = world_.random();
  ask.actor = std::to_string(random.below(kLedgers));
  const bool later = random.chance(0.15);
  if (random.chance(0.6)) {
    ask.answer = world_.call(machine, Ledger::kType, ask.actor, later ? "add_later" : "add",
                             ask.number, patience);
    return;
  }
  ask.kind = Kind::kRead;
  if (later) {
    const Pause pause{.ms = static_cast<std::int64_t>(random.below(2500))};
    ask.answer = world_.call(machine, Ledger::kType, ask.actor, "entries_later", pause, patience);
  } else {
    ask.answer = world_.call(machine, Ledger::kType, ask.actor, "entries", patience);
  }
}

void History::ask(std::size_t machine) {
  Random& random = world_.random();
  Ask ask;
  ask.number = static_cast<int>(next_++);
  const Duration patience = random.chance(0.2) ? 300ms : Duration(5s);
  const std::uint64_t dice = random.below(10);
  if (dice < 5) {
    ask_ledger(ask, machine, patience);
  } else if (dice < 9) {
    ask.kind = Kind::kTransfer;
    ask.actor = std::to_string(random.below(kAccounts));
    const Transfer order{.to = std::to_string(random.below(kAccounts)),
                         .amount = static_cast<int>(random.below(100)),
                         .parts = 1 + static_cast<int>(random.below(3))};
    ask.answer = world_.call(machine, Account::kType, ask.actor, "transfer", order, patience);
  } else {
    ask.kind = Kind::kWish;
    ask.actor = std::to_string(random.below(kAlarms));
    ask.times = random.chance(0.5) ? 1 : 3;
    const Wish wish{.number = ask.number,
                    .delay_ms = static_cast<std::int64_t>(random.below(3000)),
                    .times = ask.times};
    ask.answer = world_.call(machine, Alarm::kType, ask.actor, "set", wish, patience);
  }
  asks_.push_back(std::move(ask));
}

std::vector<World::AnswerPtr> History::attempts(const Ask& ask) {
  std::vector<World::AnswerPtr> all{ask.answer};
  all.insert(all.end(), ask.others.begin(), ask.others.end());
  return all;
}

void History::follow() {
  std::vector<Ask> still;
  for (Ask& ask : std::exchange(asks_, {})) {
    if (over(ask)) {
      world_.done_with(*ask.answer);
      settle(ask);
    } else {
      still.push_back(std::move(ask));
    }
  }
  asks_ = std::move(still);
}

// Answered, or given up.
bool History::over(Ask& ask) {
  bool open = false;
  for (const World::AnswerPtr& each : attempts(ask)) {
    const World::Answer& answer = *each;
    if (answer.ok()) return true;
    if (answer.outcome || !answer.origin->alive()) continue;
    const Time heard = std::max(answer.deadline, answer.origin->resumed_at());
    if (world_.now() > heard + kDeadlineGrace && !answer.origin->paused()) {
      world_.violation("call " + std::to_string(ask.number) + " has no answer " +
                       std::to_string((world_.now() - answer.deadline) / 1ms) +
                       " ms after its deadline");
      continue;
    }
    open = true;
  }
  const bool named = !ask.answer->id.empty() && world_.now() < ask.answer->deadline;
  if (!named || ask.others.size() >= kAttemptsMax) return !open;
  // Also beside one that is under way: its node may only be slow.
  if (!open || world_.random().chance(kImpatience)) attempt_again(ask);
  return false;
}

void History::attempt_again(Ask& ask) {
  const std::size_t machine = world_.random().below(world_.size());
  if (!world_.ready(machine)) return;
  const auto all = attempts(ask);
  const bool may_have_run = std::ranges::any_of(all, may_have_effect);
  ask.others.push_back(world_.ask_again(machine, *ask.answer, may_have_run));
}

void History::settle(const Ask& ask) {
  const auto all = attempts(ask);
  const auto heard = std::ranges::find_if(all, [](const auto& each) { return each->ok(); });
  const World::Answer& answer = heard == all.end() ? *all.back() : **heard;
  if (answer.ok()) ++succeeded_;
  if (ask.kind == Kind::kTransfer) return;
  if (ask.kind == Kind::kRead) {
    if (!answer.ok()) return;
    auto entries = answer.value<std::vector<int>>();
    const std::size_t length = entries.size();
    seen_[ask.actor].push_back({.asked = ask.answer->asked,
                                .answered = answer.answered,
                                .length = length,
                                .added = 0,
                                .read = std::move(entries)});
    return;
  }
  Wishes& wishes = ask.kind == Kind::kAdd ? ledgers_[ask.actor] : alarms_[ask.actor];
  wishes.times[ask.number] = ask.times;
  if (answer.ok()) {
    wishes.acknowledged.insert(ask.number);
    if (ask.kind != Kind::kAdd) return;
    seen_[ask.actor].push_back({.asked = ask.answer->asked,
                                .answered = answer.answered,
                                .length = static_cast<std::size_t>(answer.value<int>()),
                                .added = ask.number,
                                .read = {}});
  } else if (std::ranges::any_of(all, may_have_effect)) {
    wishes.uncertain.insert(ask.number);
  } else {
    wishes.refused.insert(ask.number);
  }
}

std::size_t History::somebody_ready() {
  std::size_t machine = 0;
  while (machine + 1 < world_.size() && !world_.ready(machine)) ++machine;
  return machine;
}

template <class T>
bool History::read(std::string_view type, const std::string& id, const char* method, T& into,
                   Duration patience) {
  const std::size_t machine = somebody_ready();
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
  const std::size_t machine = somebody_ready();
  const auto touch = [&](std::string_view type, int count, const char* method) {
    for (int i = 0; i < count; ++i) {
      answers.push_back(world_.call(machine, type, std::to_string(i), method, patience));
    }
  };
  touch(Ledger::kType, kLedgers, "entries");
  touch(Account::kType, kAccounts, "account");
  touch(Alarm::kType, kAlarms, "rings");
  world_.run_until(patience + kDeadlineGrace, [&] {
    return std::ranges::all_of(answers, [](const auto& each) { return each->outcome.has_value(); });
  });
  for (const auto& each : answers) {
    if (!each->ok()) {
      world_.violation("no progress " + std::to_string((each->answered - each->asked) / 1ms) +
                       " ms after healing: " + each->problem());
    }
  }
}

void History::expect_states() {
  for (int i = 0; i < kLedgers; ++i) {
    std::vector<int> entries;
    if (read(Ledger::kType, std::to_string(i), "entries", entries, 10s)) {
      check_ledger(std::to_string(i), entries);
    }
  }
  check_accounts();
  for (int i = 0; i < kAlarms; ++i) {
    const std::string name = std::to_string(i);
    std::vector<Ring> rings;
    const Time end = world_.now() + 20s;
    while (read(Alarm::kType, name, "rings", rings, 10s) && !rang(name, rings) &&
           world_.now() < end) {
      world_.run(200ms);
    }
    check_alarm(name, rings);
  }
}

// What was sent comes to rest: as much money as there was, and each message once and in order.
void History::check_accounts() {
  const Time end = world_.now() + 20s;
  std::vector<AccountState> accounts(kAccounts);
  int sum = 0;
  while (true) {
    sum = 0;
    for (int i = 0; i < kAccounts; ++i) {
      AccountState& account = accounts[static_cast<std::size_t>(i)];
      if (!read(Account::kType, std::to_string(i), "account", account, 10s)) return;
      sum += account.balance;
    }
    if (sum == kAccounts * 1000 || world_.now() >= end) break;
    world_.run(100ms);
  }
  if (sum != kAccounts * 1000) {
    world_.violation("the balances add up to " + std::to_string(sum));
  }
  for (std::size_t to = 0; to < accounts.size(); ++to) {
    std::map<int, int> last;
    for (const Deposit& deposit : accounts[to].received) {
      if (deposit.number != ++last[deposit.from]) {
        world_.violation("account " + std::to_string(to) + " had message " +
                         std::to_string(deposit.number) + " from " + std::to_string(deposit.from) +
                         " as the one after " + std::to_string(last[deposit.from] - 1));
        return;
      }
    }
  }
}

void History::check_ledger(const std::string& name, const std::vector<int>& entries) {
  const std::set<int> once(entries.begin(), entries.end());
  const Wishes& wishes = ledgers_[name];
  for (const int number : once) {
    if (std::ranges::count(entries, number) > 1) {
      world_.violation("ledger " + name + " has " + std::to_string(number) + " twice");
    }
  }
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
  for (const Seen& seen : seen_[name]) {
    const bool so =
        seen.length <= entries.size() &&
        (seen.added != 0 ? entries[seen.length - 1] == seen.added
                         : std::equal(seen.read.begin(), seen.read.end(), entries.begin()));
    if (!so) {
      world_.violation("ledger " + name + " is not what a caller was told it was: " +
                       std::to_string(seen.length) + " long, with " + std::to_string(seen.added));
    }
  }
  check_order(name, seen_[name]);
}

// Whatever began after an answer had come sees what that answer saw: linearizability, for a state
// that only grows.
void History::check_order(const std::string& name, std::vector<Seen> seen) {
  std::ranges::sort(seen, {}, &Seen::asked);
  std::vector<Seen> ended = seen;
  std::ranges::sort(ended, {}, &Seen::answered);
  auto next = ended.begin();
  std::size_t least = 0;
  for (const Seen& each : seen) {
    for (; next != ended.end() && next->answered < each.asked; ++next) {
      least = std::max(least, next->length);
    }
    if (each.length < least + (each.added != 0 ? 1 : 0)) {
      world_.violation("a call to ledger " + name + " saw " + std::to_string(each.length) +
                       " entries, after another had seen " + std::to_string(least));
    }
  }
}

bool History::rang(const std::string& name, const std::vector<Ring>& rings) {
  std::map<int, int> times;
  for (const Ring& ring : rings) ++times[ring.number];
  const Wishes& wishes = alarms_[name];
  return std::ranges::all_of(wishes.acknowledged,
                             [&](int number) { return times[number] >= wishes.times.at(number); });
}

void History::check_alarm(const std::string& name, const std::vector<Ring>& rings) {
  std::map<int, int> times;
  const std::int64_t early_max = world_.calendar_spread() / 1us;
  for (const Ring& ring : rings) {
    ++times[ring.number];
    if (ring.early_us > early_max) {
      world_.violation("reminder " + std::to_string(ring.number) + " of alarm " + name + " rang " +
                       std::to_string(ring.early_us) + " us early");
    }
  }
  const Wishes& wishes = alarms_[name];
  for (const auto& [number, count] : times) {
    const std::string told = "reminder " + std::to_string(number) + " of alarm " + name;
    const auto wished = wishes.times.find(number);
    if (wished == wishes.times.end()) {
      world_.violation(told + " rang, and nobody had asked for it");
    } else if (count > wished->second) {
      world_.violation(told + " rang too often");
    }
    if (wishes.refused.contains(number)) world_.violation(told + " rang, and was refused");
  }
  for (const int number : wishes.acknowledged) {
    if (times[number] < wishes.times.at(number)) {
      world_.violation("reminder " + std::to_string(number) + " of alarm " + name + " rang " +
                       std::to_string(times[number]) + " times");
    }
  }
}

}  // namespace troupe::sim

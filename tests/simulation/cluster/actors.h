#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <troupe/troupe.h>

/// Actors whose states tell afterwards what took effect, and how often.
namespace troupe::sim {

struct LedgerState {
  std::vector<int> entries;
};

struct Pause {
  std::int64_t ms = 0;
};

/// Writes down numbers.
class Ledger : public Actor<LedgerState> {
 public:
  static constexpr std::string_view kType = "ledger";

  int add(int number) {
    state.entries.push_back(number);
    return static_cast<int>(state.entries.size());
  }
  std::vector<int> entries() const { return state.entries; }
  /// The same, after a while: its right may be gone by then.
  Task<std::vector<int>> entries_later(Pause pause) const {
    const Duration length = std::chrono::milliseconds(pause.ms);
    co_await sleep(length);
    co_return state.entries;
  }
  /// Writes after a while.
  Task<int> add_later(int number) {
    const Duration length = std::chrono::milliseconds(number % 7 * 150);
    co_await sleep(length);
    state.entries.push_back(number);
    co_return static_cast<int>(state.entries.size());
  }

  using Methods =
      troupe::Methods<&Ledger::add, &Ledger::entries, &Ledger::entries_later, &Ledger::add_later>;
};

struct Transfer {
  std::string to;
  int amount = 0;
  int parts = 1;  // messages it is sent in
};
struct Deposit {
  int from = 0;
  int number = 0;  // of the messages from there to here, from 1
  int amount = 0;
};

struct AccountState {
  int balance = 1000;
  std::vector<int> sent;          // messages to each account
  std::vector<Deposit> received;  // in order
};

/// Money that is nowhere created, and messages that come in order.
class Account : public Actor<AccountState> {
 public:
  static constexpr std::string_view kType = "account";

  void deposit(const Deposit& deposit) {
    state.balance += deposit.amount;
    state.received.push_back(deposit);
  }
  int transfer(const Transfer& order) {
    const auto to = static_cast<std::size_t>(std::stoi(order.to));
    if (state.sent.size() <= to) state.sent.resize(to + 1);
    for (int part = 0; part < order.parts; ++part) {
      state.balance -= order.amount;
      actor<Account>(order.to).send<&Account::deposit>(
          {.from = std::stoi(id()), .number = ++state.sent[to], .amount = order.amount});
    }
    return state.balance;
  }
  AccountState account() const { return state; }

  using Methods =
      troupe::Methods<troupe::one_way<&Account::deposit>, &Account::transfer, &Account::account>;
};

struct Wish {
  int number = 0;
  std::int64_t delay_ms = 0;
  int times = 1;
};
struct Ring {
  int number = 0;
  std::int64_t early_us = 0;  // before it was due: above 0 is an error
};
struct Due {
  int number = 0;
  std::int64_t at_us = 0;
};

struct AlarmState {
  std::vector<Ring> rings;
};

/// Rings as often as each wish says.
class Alarm : public Actor<AlarmState> {
 public:
  static constexpr std::string_view kType = "alarm";
  static constexpr std::int64_t kPeriodMs = 400;

  void set(const Wish& wish) {
    const Duration delay = std::chrono::milliseconds(wish.delay_ms);
    ReminderOptions options;
    options.after = delay;
    options.name = std::to_string(wish.number);
    if (wish.times > 1) {
      options.every = std::chrono::milliseconds(kPeriodMs);
      options.repeats = static_cast<std::uint32_t>(wish.times);
      options.catch_up = CatchUp::kAll;
    }
    set_reminder<&Alarm::ring>(std::move(options),
                               {.number = wish.number, .at_us = micros(now() + delay)});
  }
  void ring(const Due& due) {
    const auto before = std::ranges::count(state.rings, due.number, &Ring::number);
    state.rings.push_back(
        {.number = due.number, .early_us = due.at_us + before * kPeriodMs * 1000 - micros(now())});
  }
  std::vector<Ring> rings() const { return state.rings; }

  using Methods = troupe::Methods<&Alarm::set, &Alarm::ring, &Alarm::rings>;

 private:
  static std::int64_t micros(WallTime time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  }
};

}  // namespace troupe::sim

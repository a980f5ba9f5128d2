#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <troupe/troupe.h>

/// Actors whose states tell afterwards what took effect, and how often.
namespace troupe::sim {

struct LedgerState {
  std::vector<int> entries;
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

  using Methods = troupe::Methods<&Ledger::add, &Ledger::entries>;
};

struct Transfer {
  std::string to;
  int amount = 0;
};

struct AccountState {
  int balance = 1000;
};

/// Money that is nowhere created.
class Account : public Actor<AccountState> {
 public:
  static constexpr std::string_view kType = "account";

  void deposit(int amount) { state.balance += amount; }
  int transfer(const Transfer& order) {
    state.balance -= order.amount;
    actor<Account>(order.to).send<&Account::deposit>(order.amount);
    return state.balance;
  }
  int balance() const { return state.balance; }

  using Methods = troupe::Methods<&Account::deposit, &Account::transfer, &Account::balance>;
};

struct Wish {
  int number = 0;
  std::int64_t delay_ms = 0;
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

/// Rings once for each wish.
class Alarm : public Actor<AlarmState> {
 public:
  static constexpr std::string_view kType = "alarm";

  void set(const Wish& wish) {
    const Duration delay = std::chrono::milliseconds(wish.delay_ms);
    ReminderOptions options;
    options.after = delay;
    options.name = std::to_string(wish.number);
    set_reminder<&Alarm::ring>(std::move(options),
                               {.number = wish.number, .at_us = micros(now() + delay)});
  }
  void ring(const Due& due) {
    state.rings.push_back({.number = due.number, .early_us = due.at_us - micros(now())});
  }
  std::vector<Ring> rings() const { return state.rings; }

  using Methods = troupe::Methods<&Alarm::set, &Alarm::ring, &Alarm::rings>;

 private:
  static std::int64_t micros(WallTime time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  }
};

}  // namespace troupe::sim

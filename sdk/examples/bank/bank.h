#pragma once

#include <string>
#include <utility>
#include <vector>

#include <troupe/troupe.h>

struct Transfer {
  std::string to;
  int amount = 0;
};

struct AccountState {
  int balance = 0;
  std::vector<std::string> history;
};

/// A bank account. Money is never lost between two of them, and never doubled: the withdrawal and
/// the message that carries the deposit are one turn, and the deposit takes effect once.
class Account : public troupe::Actor<AccountState> {
 public:
  int deposit(int amount) {
    record("deposit", amount);
    return state.balance += amount;
  }

  int transfer(const Transfer& order) {
    if (order.amount <= 0) throw troupe::ActorError(troupe::Code::kInvalid, "transfer something");
    if (state.balance < order.amount) throw troupe::ActorError("not enough money");
    state.balance -= order.amount;
    record("transfer to " + order.to, -order.amount);
    actor<Account>(order.to).send<&Account::deposit>(order.amount);
    return state.balance;
  }

  int balance() const { return state.balance; }
  std::vector<std::string> history() const { return state.history; }

  using Methods =
      troupe::Methods<&Account::deposit, &Account::transfer, &Account::balance, &Account::history>;

 private:
  void record(const std::string& what, int amount) {
    state.history.push_back(what + ": " + std::to_string(amount));
  }
};

/// Adds up accounts. Its turns have no state and may run in any number.
class Auditor : public troupe::Actor<> {
 public:
  troupe::Task<int> total(std::vector<std::string> accounts) const {
    int sum = 0;
    for (const std::string& each : accounts) {
      const auto account = actor<Account>(each);
      sum += co_await account.call<&Account::balance>();
    }
    co_return sum;
  }

  using Methods = troupe::Methods<&Auditor::total>;
};

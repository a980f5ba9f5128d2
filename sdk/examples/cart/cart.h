#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <troupe/troupe.h>

struct Item {
  std::string name;
  int price = 0;
};

struct WalletState {
  int balance = 0;
};

/// What a customer has to spend.
class Wallet : public troupe::Actor<WalletState> {
 public:
  int deposit(int amount) {
    if (amount <= 0) throw troupe::ActorError(troupe::Code::kInvalid, "deposit something");
    return state.balance += amount;
  }
  /// False if there is not enough.
  bool charge(int amount) {
    if (state.balance < amount) return false;
    state.balance -= amount;
    return true;
  }
  int balance() const { return state.balance; }

  using Methods = troupe::Methods<&Wallet::deposit, &Wallet::charge, &Wallet::balance>;
};

struct CartState {
  std::vector<Item> items;
  bool paid = false;
  int nudges = 0;
};

/// A customer's shopping cart. There is one for every customer id, always.
class Cart : public troupe::Actor<CartState> {
 public:
  std::size_t add(Item item) {
    state.items.push_back(std::move(item));                         // saved when the turn ends
    set_timer<&Cart::reprice>({.every = std::chrono::minutes(1)});  // while the cart is in memory
    set_reminder<&Cart::nudge>({.after = std::chrono::hours(24)});  // whatever crashes until then
    return state.items.size();
  }

  troupe::Task<bool> pay() {
    auto wallet = actor<Wallet>(id());
    state.paid = co_await wallet.call<&Wallet::charge>(total());
    if (state.paid) cancel_reminder<&Cart::nudge>();
    co_return state.paid;
  }

  int total() const {
    int sum = 0;
    for (const Item& item : state.items) sum += item.price;
    return sum;
  }
  std::vector<Item> items() const { return state.items; }

  /// Prices creep up while one hesitates.
  void reprice() {
    for (Item& item : state.items) ++item.price;
  }
  void nudge() { ++state.nudges; }

  using Methods = troupe::Methods<&Cart::add, &Cart::pay, &Cart::total, &Cart::items,
                                  &Cart::reprice, &Cart::nudge>;
};

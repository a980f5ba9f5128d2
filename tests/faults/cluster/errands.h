#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <troupe/troupe.h>

/// Actors whose states tell afterwards what took effect, how often, and in which order.
namespace troupe {

/// What a clerk has sent is what its addressee, of the same id and on another shard, has received.
class Addressee : public Actor<std::vector<int>> {
 public:
  void receive(int number) { state.push_back(number); }
  std::vector<int> received() const { return state; }

  using Methods = troupe::Methods<one_way<&Addressee::receive>, &Addressee::received>;
};

struct Wish {
  int number = 0;
  std::int64_t after_ms = 0;
};

struct ClerkState {
  std::vector<int> sent;    // numbers of orders and of rung wishes, as they came
  std::vector<int> wishes;  // numbers of reminders that were set
};

/// Sends each number that it is given on to its addressee: at once, or when a reminder rings.
class Clerk : public Actor<ClerkState> {
 public:
  int order(int number) {
    send_on(number);
    return static_cast<int>(std::ranges::count(state.sent, number));
  }
  void wish(const Wish& wish) {
    state.wishes.push_back(wish.number);
    set_reminder<&Clerk::send_on>(
        {.after = std::chrono::milliseconds(wish.after_ms), .name = std::to_string(wish.number)},
        wish.number);
  }
  void send_on(int number) {
    state.sent.push_back(number);
    actor<Addressee>(id()).send<&Addressee::receive>(number);
  }
  ClerkState ledger() const { return state; }

  using Methods = troupe::Methods<&Clerk::order, &Clerk::wish, &Clerk::send_on, &Clerk::ledger>;
};

}  // namespace troupe

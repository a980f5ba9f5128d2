#pragma once

#include <cstdlib>
#include <string>

#include "sdk/examples/warehouse/stock_table.h"
#include <troupe/troupe.h>

struct ShelfState {
  int count = 0;
};

/// What is there of a product. The shop reads it in a SQL table, so each turn that changes it
/// writes it there, too: the same number however often the turn is begun anew, and with the fencing
/// token.
class Shelf : public troupe::Actor<ShelfState> {
 public:
  static constexpr troupe::ActorOptions kOptions{.blocking = true};  // turns wait for the database

  /// Before the first turn at a new owner: from here on the row refuses whoever was it before. Also
  /// mends what a turn has left there that was not committed.
  void on_activate() { publish(); }

  int put(int count) {
    if (count <= 0) throw troupe::ActorError(troupe::Code::kInvalid, "put something");
    state.count += count;
    publish();
    return state.count;
  }
  int take(int count) {
    if (count <= 0) throw troupe::ActorError(troupe::Code::kInvalid, "take something");
    if (state.count < count) throw troupe::ActorError("there is not enough " + id());
    state.count -= count;
    publish();
    return state.count;
  }
  int count() const { return state.count; }

  using Methods = troupe::Methods<&Shelf::put, &Shelf::take, &Shelf::count>;

 private:
  // If it throws, nothing of the turn has happened.
  void publish() const {
    const char* const file = std::getenv("WAREHOUSE_DATABASE");
    StockTable table(file == nullptr ? "stock.db" : file);
    table.set({.product = id(), .count = state.count, .token = fencing_token()});
  }
};

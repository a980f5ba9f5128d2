#pragma once

#include <memory>

#include "runtime/base/clock.h"
#include "runtime/blocks/state/component.h"
#include "runtime/components/properties.h"

namespace troupe::blocks::state {

/// state.sqlite, with Dapr's tables, so that existing data is read: a file, or `:memory:`.
///
/// All work is done by one thread of the store's own, in order; what waits for it is bounded, and
/// what has waited beyond its deadline is dropped undone.
class SqliteStore final : public Component {
 public:
  /// Opens the database and makes the tables. Blocks on the disk. `clock` outlives it.
  static Result<std::unique_ptr<Component>> open(components::Properties& properties, Clock& clock);
  ~SqliteStore() override;

  Features features() const override;
  void read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) override;
  void write(std::vector<Change> changes, Time deadline,
             Done<std::vector<Result<void>>> done) override;
  void transact(std::vector<Change> changes, Time deadline, Done<void> done) override;
  void stop() override;

 private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace troupe::blocks::state

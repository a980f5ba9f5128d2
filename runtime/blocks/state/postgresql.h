#pragma once

#include <memory>

#include "runtime/base/clock.h"
#include "runtime/blocks/state/component.h"
#include "runtime/components/properties.h"

namespace troupe::blocks::state {

/// Which of Dapr's two layouts: version 1 keeps JSON (and bytes as base64 in it), its etag is the
/// row's `xmin`; version 2 keeps bytes, its etag is a UUID.
enum class PostgresqlLayout : std::uint8_t { kVersion1, kVersion2 };

/// state.postgresql, with Dapr's tables, which are made and brought up to date here.
///
/// A few threads, each with a connection of its own, do the work.
class PostgresqlStore final : public Component {
 public:
  /// Reaches the server and makes the tables, within `init_timeout`. `clock` outlives it.
  static Result<std::unique_ptr<Component>> open(components::Properties& properties, Clock& clock,
                                                 PostgresqlLayout layout, Duration init_timeout);
  ~PostgresqlStore() override;

  Features features() const override;
  void read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) override;
  void write(std::vector<Change> changes, Time deadline,
             Done<std::vector<Result<void>>> done) override;
  void transact(std::vector<Change> changes, Time deadline, Done<void> done) override;
  void query(std::string query, std::string_view key_prefix, Time deadline,
             Done<QueryResult> done) override;
  void stop() override;

 private:
  struct State;
  explicit PostgresqlStore(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace troupe::blocks::state

#pragma once

#include <map>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include "runtime/blocks/state/component.h"

namespace troupe::blocks::state {

/// state.in-memory: in this process, gone with it. Answers inside the call.
class InMemoryStore final : public Component {
 public:
  /// Outlived by `clock`.
  explicit InMemoryStore(Clock& clock) : clock_(clock) {}

  Features features() const override;
  void read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) override;
  void write(std::vector<Change> changes, Time deadline,
             Done<std::vector<Result<void>>> done) override;
  void transact(std::vector<Change> changes, Time deadline, Done<void> done) override;
  void stop() override {}

 private:
  struct Row {
    Payload data;
    std::uint64_t version = 0;
    std::optional<WallTime> expires;
  };
  struct Rows {
    std::map<std::string, Row, std::less<>> by_key;
    std::multimap<WallTime, std::string> expiring;  // perhaps of a row that was written since
    std::uint64_t version = 0;

    Row* find(const std::string& key, WallTime now);
    Result<void> check(const Change& change, WallTime now);
    void apply(const Change& change, WallTime now);
    void drop_expired(WallTime now);
  };

  Clock& clock_;
  Guarded<Rows> rows_;
};

}  // namespace troupe::blocks::state

#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "actors/state/operations.h"
#include "runtime/base/guarded.h"
#include "runtime/blocks/state/embedded.h"

namespace troupe::testing {

/// Actors with named values, as a cluster keeps them, in one map.
class FakeStateCalls final : public blocks::state::StateCalls {
 public:
  explicit FakeStateCalls(Clock& clock) : clock_(clock) {}

  void send(ActorKey key, Payload message, Time /*deadline*/, Done<Payload> done) override {
    ++sent;
    if (sent > cut_off_after) return done(fail(Code::kUnavailable, "cut off"));
    const auto operations = actors::decode_state_operations(message.view());
    done(rows_.with([&](auto& rows) { return answer(rows[key.id], *operations); }));
  }

  std::size_t sent = 0;
  std::size_t cut_off_after = ~std::size_t{0};

 private:
  using Values = std::map<std::string, actors::StoredValue>;

  Result<Payload> answer(Values& values, const actors::StateOperations& operations) {
    const WallTime now = clock_.wall();
    std::erase_if(values, [&](const auto& each) {
      return each.second.expires && *each.second.expires <= now;
    });
    if (operations.changes.empty()) {
      return Payload(actors::encode(actors::StoredValues(values.begin(), values.end())));
    }
    for (const actors::StateOperation& each : operations.changes) {
      const auto found = values.find(each.name);
      const std::uint64_t version = found == values.end() ? 0 : found->second.etag;
      if (each.etag && *each.etag != version) return fail(Code::kConflict, "another version");
    }
    ++version_;
    for (const actors::StateOperation& each : operations.changes) {
      if (!each.value) {
        values.erase(each.name);
        continue;
      }
      actors::StoredValue stored{.value = *each.value, .etag = version_, .expires = {}};
      if (each.ttl) stored.expires = now + *each.ttl;
      values[each.name] = std::move(stored);
    }
    return Payload();
  }

  Clock& clock_;
  Guarded<std::map<std::string, Values>> rows_;
  std::uint64_t version_ = 0;
};

}  // namespace troupe::testing

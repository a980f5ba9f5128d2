#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "runtime/base/guarded.h"
#include "storage/engine.h"
#include <troupe/result.h>

namespace troupe::storage {

/// An engine in memory, for tests and simulations: loses nothing, everything unsynced, or some of
/// it, as the test asks. Thread-safe. Views must be gone before the engine.
class MemoryEngine final : public Engine {
 public:
  MemoryEngine();
  ~MemoryEngine() override;

  Result<void> write_all(std::span<const Batch* const> batches, bool sync) override;
  std::unique_ptr<View> view() const override;

  /// How many batches would be lost by a crash now.
  std::size_t unsynced() const;
  /// As if the machine had lost power: of the unsynced batches only the first `keep` are left. No
  /// view may be left open.
  void crash(std::size_t keep = 0);

  /// From now on every write fails with `error`, writing nothing; nothing: writes succeed again.
  void fail_writes(std::optional<Error> error);

  struct State;

 private:
  std::unique_ptr<Guarded<State>> state_;
};

}  // namespace troupe::storage

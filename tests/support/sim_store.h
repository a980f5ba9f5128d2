#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/base/random.h"
#include "storage/memory/memory_engine.h"
#include "storage/writer.h"
#include "tests/support/sim_process.h"

namespace troupe::sim {

/// What a machine's disk holds, whichever process uses it.
class SimPlatter {
 public:
  void write(const storage::Batch& batch, bool sync) {
    static_cast<void>(engine_.write(batch, sync));
  }
  /// The machine loses power: of what is unsynced a beginning survives.
  void lose_power(Random& random) { engine_.crash(random.below(engine_.unsynced() + 1)); }
  void copy_to(storage::Engine& target) const {
    storage::Batch all;
    const auto view = engine_.view();
    for (int first = 0; first < 256; ++first) {
      const std::string from(1, static_cast<char>(first));
      const std::string to = from + std::string(64, '\xff');
      for (auto row = view->scan(from, to); row->valid(); row->next()) {
        all.put(std::string(row->key()), std::string(row->value()));
      }
    }
    static_cast<void>(target.write(all, true));
  }

 private:
  storage::MemoryEngine engine_;
};

/// The disk as one process sees it.
class SimStore final : public storage::Disk {
 public:
  SimStore(std::shared_ptr<SimProcess> process, SimPlatter& platter, Random& random)
      : process_(std::move(process)), platter_(platter), random_(random) {
    platter_.copy_to(engine_);
  }

  Duration latency_min = std::chrono::microseconds(100);
  Duration latency_max = std::chrono::milliseconds(2);
  /// What every write answers from now on: some of it may be on the platter all the same.
  std::optional<Error> failure;

  void write(const storage::Batch& batch, bool sync, Done<void> done) override {
    in_flight_.push_back(&batch);
    const auto spread = static_cast<std::uint64_t>((latency_max - latency_min).count());
    const Duration latency =
        latency_min + Duration(static_cast<Duration::rep>(random_.below(spread + 1)));
    free_at_ = std::max(free_at_, process_->now() + (sync ? latency : latency / 10));
    process_->at(free_at_, [this, &batch, sync, done = std::move(done)]() mutable {
      if (failure) {
        process_died();
        return done(fail(*failure));
      }
      static_cast<void>(engine_.write(batch, sync));
      platter_.write(batch, sync);
      in_flight_.pop_front();
      done({});
    });
  }
  std::unique_ptr<storage::View> view() const override { return engine_.view(); }
  void read(Function<Work()> work) override {
    process_->at(process_->now() + latency_min, [work = std::move(work)]() mutable { work()(); });
  }

  /// Of what is at the disk when its process dies, a beginning is on it.
  void process_died() {
    for (const storage::Batch* const batch : std::exchange(in_flight_, {})) {
      if (random_.chance(0.5)) break;
      platter_.write(*batch, false);
    }
  }

 private:
  std::shared_ptr<SimProcess> process_;
  SimPlatter& platter_;
  Random& random_;
  storage::MemoryEngine engine_;
  std::deque<const storage::Batch*> in_flight_;  // one after another
  Time free_at_{};
};

}  // namespace troupe::sim

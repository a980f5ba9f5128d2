#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "storage/memory/memory_engine.h"
#include "storage/writer.h"

namespace troupe::storage {

/// A disk in memory that finishes a write when the test says so.
class ManualDisk final : public Disk {
 public:
  void write(const Batch& batch, bool sync, Done<void> done) override {
    batch_ = &batch;
    sync_ = sync;
    done_ = std::move(done);
    ++writes;
  }
  std::unique_ptr<View> view() const override { return engine.view(); }

  bool busy() const { return batch_ != nullptr; }
  const Batch* batch() const { return batch_; }
  bool sync() const { return sync_; }

  /// Writes the batch, without saying so yet.
  Result<void> write_now() { return engine.write(*batch_, sync_); }
  /// Finishes the write under way. Requires busy().
  void complete() { finish(write_now()); }
  void finish(Result<void> written) {
    batch_ = nullptr;
    std::exchange(done_, nullptr)(std::move(written));
  }
  /// Until nothing is under way.
  void complete_all() {
    while (busy()) complete();
  }

  MemoryEngine engine;
  int writes = 0;

 private:
  const Batch* batch_ = nullptr;
  bool sync_ = false;
  Done<void> done_;
};

}  // namespace troupe::storage

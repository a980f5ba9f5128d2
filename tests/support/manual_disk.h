#pragma once

#include <cstddef>
#include <deque>
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
  void read(Function<Work()> work) override { reads_.push_back(std::move(work)); }

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

  /// Does what was to be read, and then what follows. False if there was nothing.
  bool read_one() {
    if (reads_.empty()) return false;
    Function<Work()> work = std::move(reads_.front());
    reads_.pop_front();
    work()();
    return true;
  }

  MemoryEngine engine;
  int writes = 0;

 private:
  std::deque<Function<Work()>> reads_;
  const Batch* batch_ = nullptr;
  bool sync_ = false;
  Done<void> done_;
};

}  // namespace troupe::storage

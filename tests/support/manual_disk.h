#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "storage/memory/memory_engine.h"
#include "storage/writer.h"

namespace troupe::storage {

/// A disk in memory that finishes one write after another when the test says so.
class ManualDisk final : public Disk {
 public:
  void write(const Batch& batch, bool sync, Done<void> done) override {
    asked_.push_back({.batch = &batch, .sync = sync, .done = std::move(done)});
    ++writes;
  }
  std::unique_ptr<View> view() const override { return engine.view(); }
  void read(Function<Work()> work) override { reads_.push_back(std::move(work)); }

  bool busy() const { return !asked_.empty(); }
  std::size_t asked() const { return asked_.size(); }
  /// Of the first that is not finished.
  const Batch* batch() const { return asked_.front().batch; }
  bool sync() const { return asked_.front().sync; }

  /// Writes the first batch that is not written, if any, without saying so yet.
  Result<void> write_now() {
    if (written_ == asked_.size()) return {};
    const Asked& next = asked_[written_++];
    return engine.write(*next.batch, next.sync);
  }
  /// Finishes the first write. Requires busy().
  void complete() { finish(written_ > 0 ? Result<void>() : write_now()); }
  void finish(Result<void> written) {
    Asked first = std::move(asked_.front());
    asked_.pop_front();
    if (written_ > 0) --written_;
    first.done(std::move(written));
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
  struct Asked {
    const Batch* batch;
    bool sync;
    Done<void> done;
  };
  std::deque<Function<Work()>> reads_;
  std::deque<Asked> asked_;
  std::size_t written_ = 0;  // so many of the first, which are not said to be
};

}  // namespace troupe::storage

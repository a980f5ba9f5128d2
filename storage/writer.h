#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "storage/engine.h"
#include "storage/gathered.h"
#include "storage/keys.h"
#include "storage/overlay.h"
#include <troupe/function.h>
#include <troupe/result.h>

namespace troupe::storage {

/// Writes batches, and reads what is large, without blocking the one who asks: an engine and its
/// threads, or a simulation.
class Disk {
 public:
  virtual ~Disk() = default;

  /// Writes all of `batch` or nothing, after all earlier ones. With `sync`, it and all earlier ones
  /// are on the disk when `done` is called: once, on the asker's executor, never inside this call.
  /// `batch` is left alone, and lives, until then. Those that wait for the disk may go there
  /// together; their `done`s are called in their order. After one that fails, all fail.
  virtual void write(const Batch& batch, bool sync, Done<void> done) = 0;

  /// What has been written; a write under way may or may not be in it.
  virtual std::unique_ptr<View> view() const = 0;

  /// Runs `work`, which reads from a view and may take a while, elsewhere; then what it returned,
  /// on the asker's executor. Several wait for one another, not for writes. Never inside this call.
  virtual void read(Function<Work()> work) = 0;
};

/// A Disk with two threads of its own for one engine. One writes: what is asked for while it writes
/// and syncs, it writes and syncs next, all at once. One reads.
///
/// Must be destroyed before the executor and the engine; waits for the write and the read under
/// way, of which is then posted what follows as always.
class ThreadDisk final : public Disk {
 public:
  /// `done` is called on `executor`.
  ThreadDisk(Engine& engine, Executor& executor, Clock& clock);

  void write(const Batch& batch, bool sync, Done<void> done) override;
  std::unique_ptr<View> view() const override;
  void read(Function<Work()> work) override;

 private:
  struct Request {
    const Batch* batch;
    bool sync;
    Done<void> done;
  };

  void write_asked();

  Engine& engine_;
  Executor& executor_;
  Guarded<std::vector<Request>> asked_;
  Loop writer_;
  Loop reader_;
};

/// Numbers the batches of a GroupWriter; the first is 1.
using Ticket = std::uint64_t;

/// Collects the changes of all of a node's shards into batches, and keeps some at the disk while
/// the next one fills. The disk takes at once what waits for it: the slower it is, the more that
/// is, with no timer to tune.
///
///     gather() ──settle()──→ pending() ──flush()──→ at the disk ──→ written (durable, if synced)
///        ▲ get() and scan() see all of it
///
/// What is gathered has time: it is the effect of log entries that are durable before it, and a
/// replica that restarts applies them again. So a row that changes with every entry is written a
/// few times a second.
///
/// Everything of it belongs to one executor (the node loop), where Disk completes.
class GroupWriter final : public Reads {
 public:
  struct Options {
    /// Beyond, full() asks callers to hold back. Larger: more throughput of a slow disk, more
    /// memory and a longer wait for the last.
    std::size_t bytes_max = 32U << 20U;
    /// Beyond, what is gathered goes with the next batch. Larger: rows that change often are
    /// written less often, a longer write when it comes.
    std::size_t gathered_bytes_max = 4U << 20U;
    /// So many batches may be at the disk. Fewer: more of what is asked for while it is busy waits
    /// for one more turn of the executor.
    std::size_t at_disk_max = 64;
  };
  struct Progress {
    Ticket written = 0;  // this one and all before are in the engine, as disk.view() shows it
    Ticket durable = 0;  // and these survive a crash of the machine
  };
  struct Hooks {
    /// After each write.
    Function<void(Progress)> progress;
    /// Before all that was gathered joins the pending batch: the last moment to gather more. May be
    /// null.
    Function<void()> settling{};
    /// After a failed write, with one line that names what failed where. Nothing is written after
    /// it, since nobody knows what is on the disk: the process must stop, with its own exit code.
    Function<void(const Error&)> failed;
  };

  /// `disk` outlives the writer.
  GroupWriter(Disk& disk, Options options, Hooks hooks);
  ~GroupWriter() override;

  /// The batch that is being filled. Changes to it are seen by get() and scan() at once. Ask again
  /// after flush(): it is another one then.
  Batch& pending() { return *pending_; }
  /// Changes that may be written later than the pending batch, and are seen by get() and scan() at
  /// once. To keys that pending() is not given: or settle() comes in between.
  void gather(const Batch& changes) { gathered_.add(changes); }
  /// What was gathered joins the pending batch: all of it, or only that of some keys.
  void settle() {
    if (hooks_.settling) hooks_.settling();
    gathered_.move_to(*pending_);
  }
  void settle(const KeyRange& keys) { gathered_.move_to(*pending_, keys.from, keys.to); }
  /// The ticket of the pending batch.
  Ticket current() const { return current_; }
  /// The pending batch must be durable: it holds log entries, a term or a vote. Without, it is
  /// written but not synced.
  void must_sync() { sync_ = true; }

  /// Hands the pending batch to the disk, or, while many are there, as soon as one of them is
  /// written. Does nothing if there is nothing to write. Call at the end of each turn of the loop.
  void flush();

  Progress progress() const { return progress_; }
  /// A write has failed: nothing more is written.
  bool failed() const { return failed_; }
  /// Gathered, pending and at the disk.
  std::size_t unwritten_bytes() const {
    return gathered_.size_bytes() + pending_->size_bytes() + at_disk_bytes_;
  }
  /// More than `bytes_max` of these: propose nothing new until `progress` is called.
  bool full() const { return unwritten_bytes() > options_.bytes_max; }

  /// Of what is gathered, pending, at the disk, and written.
  Result<std::optional<std::string>> get(std::string_view key) const override;
  /// As `get`; the cursor must be gone before anything changes pending(), flush(), or the executor
  /// runs anything else.
  std::unique_ptr<Cursor> scan(std::string_view from, std::string_view to) const override;

 private:
  struct Alive {};
  struct AtDisk {
    std::shared_ptr<const Batch> batch;
    std::unique_ptr<Overlay> layer;
    bool sync;
  };

  void renew_pending();
  void submit();
  void completed(const Result<void>& written);
  const View& base() const;

  Disk& disk_;
  Options options_;
  Hooks hooks_;
  Gathered gathered_;
  std::vector<std::shared_ptr<Batch>> batches_;  // all of them, and some that are empty
  std::shared_ptr<Batch> pending_;
  std::unique_ptr<Overlay> pending_layer_;  // of *pending_
  std::deque<AtDisk> at_disk_;              // in the order in which they went there
  std::size_t at_disk_bytes_ = 0;
  mutable std::unique_ptr<View> view_;  // renewed after each write
  Ticket current_ = 1;
  Progress progress_;
  bool sync_ = false;
  bool flush_wanted_ = false;
  bool failed_ = false;
  std::shared_ptr<const Alive> alive_ = std::make_shared<const Alive>();
};

}  // namespace troupe::storage

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "storage/rocksdb/rocksdb_engine.h"

/// What benchmarks compare durable turns with: RocksDB's synced batches, written by one thread.
namespace troupe::bench {

using storage::Batch;
using storage::Engine;
using storage::open_rocksdb;
using storage::RocksdbOptions;

inline constexpr std::uint64_t kBulk = 256;  // rows of a bulk load's batch
inline constexpr auto kRound = std::chrono::seconds(2);
inline const std::string kValue(200, 'v');

inline std::unique_ptr<Engine> open(const std::string& directory) {
  RocksdbOptions options;
  options.directory = directory;
  options.identity = "bench";
  options.create = true;
  auto engine = open_rocksdb(options);
  check(engine.has_value(), engine ? "" : engine.error().message);
  return *std::move(engine);
}

/// Clients, each with one transaction of one row in flight at a time: the least that a durable
/// turn can be. A client hands its row to the one writer and is told when it is on the disk; the
/// writer takes all that are queued when it becomes free, as one synced batch. So a row pays for
/// its way to the writer and back, as a turn does, and for nothing else: no actors, no log beside
/// the rows, no state machine. All clients run on one thread.
class RawClients {
 public:
  RawClients(Engine& engine, std::uint64_t count)
      : engine_(engine), count_(count), clients_(clock_, "clients"), writer_([this] { write(); }) {}
  ~RawClients() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      waiting_ = false;
    }
    changed_.notify_one();
    writer_.join();
    clients_.stop();
  }

  /// Rows a second.
  double run() {
    end_ = clock_.now() + kRound;
    for (std::uint64_t client = 0; client < count_; ++client) {
      clients_.post([this] { send(); });
    }
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return idle_ == count_; });
    return static_cast<double>(rows_) / std::chrono::duration<double>(kRound).count();
  }

 private:
  struct Row {
    std::string key;
    std::string value;
    Work written;
  };

  // On the clients' thread.
  void send() {
    if (clock_.now() >= end_) {
      const std::lock_guard lock(mutex_);
      if (++idle_ == count_) finished_.notify_one();
      return;
    }
    Row row{.key = "d" + std::to_string(rows_++), .value = kValue, .written = [this] { send(); }};
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      queued_.push_back(std::move(row));
      wake = std::exchange(waiting_, false);
    }
    if (wake) changed_.notify_one();
  }

  void write() {
    std::vector<Row> rows;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        waiting_ = queued_.empty() && !stopping_;
        changed_.wait(lock, [this] { return !waiting_; });
        if (queued_.empty()) return;
        rows.swap(queued_);
      }
      Batch batch;
      for (Row& row : rows) batch.put(std::move(row.key), std::move(row.value));
      check(engine_.write(batch, true).has_value(), "the disk works");
      for (Row& row : rows) clients_.post(std::move(row.written));
      rows.clear();
    }
  }

  Engine& engine_;
  const std::uint64_t count_;
  SystemClock clock_;
  Time end_;
  std::uint64_t rows_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable finished_;
  std::vector<Row> queued_;
  std::uint64_t idle_ = 0;
  bool waiting_ = false;
  bool stopping_ = false;
  Loop clients_;
  std::thread writer_;
};

/// Rows a second of so many clients with one row in flight each.
inline double raw(Engine& engine, std::uint64_t clients) {
  return RawClients(engine, clients).run();
}

/// Rows a second of one thread that writes kBulk rows a batch for nobody: what a bulk load does.
/// For information; no service can come near it.
inline double bulk_load(Engine& engine) {
  const SystemClock clock;
  std::uint64_t rows = 0;
  const Time end = clock.now() + kRound;
  while (clock.now() < end) {
    Batch batch;
    for (std::uint64_t i = 0; i < kBulk; ++i, ++rows) {
      batch.put("d" + std::to_string(rows), kValue);
    }
    check(engine.write(batch, true).has_value(), "the disk works");
  }
  return static_cast<double>(rows) / std::chrono::duration<double>(kRound).count();
}

}  // namespace troupe::bench

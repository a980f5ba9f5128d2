#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "storage/rocksdb/rocksdb_engine.h"

/// What benchmarks compare durable turns with: one thread's synced batches of small rows.
namespace troupe::bench {

using storage::Batch;
using storage::Engine;
using storage::open_rocksdb;
using storage::RocksdbOptions;

inline constexpr std::uint64_t kInFlight = 256;
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

/// Rows a second, of one thread that writes 256 rows a batch.
inline double raw(Engine& engine, const Clock& clock) {
  std::uint64_t rows = 0;
  const Time end = clock.now() + kRound;
  while (clock.now() < end) {
    Batch batch;
    for (std::uint64_t i = 0; i < kInFlight; ++i, ++rows) {
      batch.put("d" + std::to_string(rows), kValue);
    }
    check(engine.write(batch, true).has_value(), "the disk works");
  }
  return static_cast<double>(rows) / std::chrono::duration<double>(kRound).count();
}

}  // namespace troupe::bench

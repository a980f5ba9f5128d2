#pragma once

#include <memory>
#include <string>

#include "storage/replica_log.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace troupe::storage {

/// A store with numbered, acknowledged batches, and the question whether they are all there.
///
/// Batch n puts a log entry and a row, so that both column families take part.
inline const ReplicaKeys kStoreKeys(ShardId{1}, ReplicaId{1});

inline Result<std::unique_ptr<Engine>> open_store(const std::string& directory, bool create = false,
                                                  rocksdb::Env* env = nullptr,
                                                  Log log = {silent_log(), "storage"}) {
  RocksdbOptions options;
  options.directory = directory;
  options.identity = "cluster-1/node-1";
  options.create = create;
  options.env = env;
  options.log = log;
  options.write_buffer_bytes = 256U << 10U;  // small, so that some rows reach files
  return open_rocksdb(options);
}

inline std::string row_value(std::uint64_t n) {
  std::string value = std::to_string(n) + ":";
  while (value.size() < 200) value += static_cast<char>('a' + (value.size() * n) % 26);
  return value;
}

inline Batch numbered_batch(std::uint64_t n) {
  Batch batch;
  put_log_entry(batch, kStoreKeys, {.index = n, .term = 1, .kind = 0, .data = row_value(n)});
  batch.put(kStoreKeys.value("T", std::to_string(n), ""), row_value(n));
  put_applied(batch, kStoreKeys, n);
  return batch;
}

/// How many batches from 1 on are there, whole. An error if a read fails or shows wrong bytes.
inline Result<std::uint64_t> count_batches(const Engine& engine) {
  const auto view = engine.view();
  const Result<ReplicaLog> log = load_replica_log(*view, kStoreKeys);
  if (!log) return fail(log.error());
  for (const LogEntry& entry : log->entries) {
    if (entry.data != row_value(entry.index)) return fail(Code::kInternal, "wrong entry served");
    const auto row = view->get(kStoreKeys.value("T", std::to_string(entry.index), ""));
    if (!row) return fail(row.error());
    if (*row != row_value(entry.index)) return fail(Code::kInternal, "wrong row served");
  }
  if (log->applied != log->entries.size()) return fail(Code::kInternal, "half a batch served");
  return log->applied;
}

}  // namespace troupe::storage

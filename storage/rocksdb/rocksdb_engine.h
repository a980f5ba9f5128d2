#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/base/log.h"
#include "storage/engine.h"
#include <troupe/result.h>

namespace rocksdb {
class Env;
}

namespace troupe::storage {

struct RocksdbOptions {
  /// Of nothing but this store: DataDirectory::store_path().
  std::string directory;
  /// Whose store it is, as in DataDirectory's identity: written when the store is created, compared
  /// each time it is opened.
  std::string identity;
  /// Only true for a node that has never stored anything (Identity::store_created is false): a
  /// missing store of another node is a lost replica, not an empty one.
  bool create = false;
  /// For blocks read from files. Larger: fewer reads; smaller: less memory.
  std::size_t block_cache_bytes = 8U << 20U;
  /// For writes that are not in files yet, all key spaces together. Larger: fewer, larger files.
  std::size_t write_buffer_bytes = 32U << 20U;
  /// Where RocksDB's warnings go. The sink outlives the engine.
  Log log{silent_log(), "storage"};
  /// The file system; null: the real one. Tests inject failures here. Outlives the engine.
  rocksdb::Env* env = nullptr;
};

/// Opens the store on the disk.
///
/// Writes acknowledged as synced are all there, or this refuses: kPrecondition (another process has
/// it; it belongs to another node; there are foreign files), kDataLoss (damaged, or files are
/// missing: never repaired in place), kUnavailable (disk full, read-only, not permitted). The
/// message says what to do. A last write torn by a crash, which nobody was told of, is dropped.
Result<std::unique_ptr<Engine>> open_rocksdb(const RocksdbOptions& options);

}  // namespace troupe::storage

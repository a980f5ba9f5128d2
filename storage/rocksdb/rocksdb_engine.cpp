#include "storage/rocksdb/rocksdb_engine.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include "runtime/base/check.h"
#include "storage/keys.h"
#include "storage/rocksdb/log_file.h"
#include "storage/rocksdb/logger.h"

namespace troupe::storage {
namespace {

constexpr std::string_view kIdentityRecord = "store";
constexpr std::size_t kKeptBytesMax = 4U << 20U;
constexpr std::string_view kLost =
    ": this replica is lost. Remove the node from its cluster, and start it with an empty data "
    "directory";

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view view_of(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

// What RocksDB says only in words.
bool says(const rocksdb::Status& status, std::string_view words) {
  return status.ToString().find(words) != std::string::npos;
}

Failure failure(const rocksdb::Status& status, std::string_view doing,
                const std::string& directory) {
  const std::string what =
      std::string(doing) + " the store in '" + directory + "': " + status.ToString();
  if (says(status, "While lock file") || says(status, "No locks available")) {
    return fail(Code::kPrecondition, "another process uses the store in '" + directory +
                                         "': stop it, or name another directory (" +
                                         status.ToString() + ")");
  }
  if (status.IsNoSpace()) return fail(Code::kUnavailable, "disk full, cannot " + what);
  const bool missing = status.IsPathNotFound() || says(status, "No such file or directory");
  if (status.IsIOError() && !missing) return fail(Code::kUnavailable, "cannot " + what);
  return fail(Code::kDataLoss, "cannot " + what + std::string(kLost));
}

class RocksdbCursor final : public Cursor {
 public:
  RocksdbCursor(rocksdb::DB& db, rocksdb::ReadOptions options, rocksdb::ColumnFamilyHandle& family,
                const std::string& directory, const KeyRange& range)
      : directory_(directory), to_(range.to), to_slice_(to_) {
    options.iterate_upper_bound = &to_slice_;
    iterator_.reset(db.NewIterator(options, &family));
    iterator_->Seek(range.from);
  }

  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return view_of(iterator_->key()); }
  std::string_view value() const override { return view_of(iterator_->value()); }
  void next() override { iterator_->Next(); }
  Result<void> status() const override {
    if (iterator_->status().ok()) return {};
    return failure(iterator_->status(), "read", directory_);
  }

 private:
  const std::string& directory_;
  std::string to_;
  rocksdb::Slice to_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksdbEngine final : public Engine {
 public:
  explicit RocksdbEngine(std::string directory) : directory_(std::move(directory)) {}
  ~RocksdbEngine() override;

  Result<void> open(const RocksdbOptions& options);
  Result<void> check_identity(const RocksdbOptions& options);

  Result<void> write_all(std::span<const Batch* const> batches, bool sync) override;
  std::unique_ptr<View> view() const override;

  rocksdb::DB& db() const { return *db_; }
  const std::string& directory() const { return directory_; }
  rocksdb::ColumnFamilyHandle& family(std::string_view key) const {
    const bool log = !key.empty() && key.front() == static_cast<char>(KeySpace::kLog);
    return *families_[log ? 1 : 0];
  }

 private:
  void add(const Batch& batch);

  std::string directory_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;  // data, log
  rocksdb::WriteBatch rows_;                            // of the write under way
  std::optional<Error> failure_;                        // of the first failed write
};

class RocksdbView final : public View {
 public:
  explicit RocksdbView(const RocksdbEngine& engine)
      : engine_(engine), snapshot_(engine.db().GetSnapshot()) {
    options_.snapshot = snapshot_;
    options_.verify_checksums = true;
  }
  ~RocksdbView() override { engine_.db().ReleaseSnapshot(snapshot_); }

  Result<std::optional<std::string>> get(std::string_view key) const override {
    std::string value;
    const rocksdb::Status status =
        engine_.db().Get(options_, &engine_.family(key), slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return failure(status, "read", engine_.directory());
    return std::optional(std::move(value));
  }

  std::unique_ptr<Cursor> scan(std::string_view from, std::string_view to) const override {
    const KeyRange range{.from = std::string(from), .to = std::string(to)};
    return std::make_unique<RocksdbCursor>(engine_.db(), options_, engine_.family(from),
                                           engine_.directory(), range);
  }

 private:
  const RocksdbEngine& engine_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions options_;
};

// A number at the end of keys: it rises from row to row, as keys do whose beginning is the same.
constexpr std::size_t kNumberBytes = 8;

// Which replica an entry of a log belongs to.
class LogEntryPrefix final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "troupe.LogEntryPrefix"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - kNumberBytes};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() == entry_bytes_; }

 private:
  const std::size_t entry_bytes_ = ReplicaKeys({}, {}).log_entry(0).size();
};

// Whose call, in which replica, was recorded.
class RecordedCallPrefix final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "troupe.RecordedCallPrefix"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - kNumberBytes};
  }
  bool InDomain(const rocksdb::Slice& key) const override {
    return key.size() == call_.size() && key[kind_at_] == call_[kind_at_];
  }

 private:
  const std::string call_ = ReplicaKeys({}, {}).call({});
  const std::size_t kind_at_ = ReplicaKeys({}, {}).call_prefix().size() - 1;
};

rocksdb::DBOptions db_options(const RocksdbOptions& options) {
  rocksdb::DBOptions db;
  if (options.env != nullptr) db.env = options.env;
  db.create_if_missing = options.create;
  db.create_missing_column_families = options.create;
  db.paranoid_checks = true;
  // The default would open after damage and drop the acknowledged writes behind it.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.track_and_verify_wals_in_manifest = true;
  // What a failed write left behind is unknown: the process stops rather than tries again.
  db.max_bgerror_resume_count = 0;
  db.info_log = make_logger(options.log);
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.max_background_jobs = 2;
  db.max_open_files = 512;
  db.max_file_opening_threads = 2;  // the default starts 15 at each start, for no file at all
  db.db_write_buffer_size = options.write_buffer_bytes;
  // Beyond, the oldest rows go to files: a start reads at most this much of the log.
  db.max_total_wal_size = 2 * options.write_buffer_bytes;
  db.bytes_per_sync = 1U << 20U;
  // There is one writer.
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;
  return db;
}

rocksdb::ColumnFamilyOptions data_options(const RocksdbOptions& options,
                                          const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // In pieces: a filter of a whole file would not fit into the cache, and be read for every get.
  table.partition_filters = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.pin_top_level_index_and_filter = true;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.compression = rocksdb::kLZ4Compression;
  family.level_compaction_dynamic_level_bytes = true;
  family.write_buffer_size = options.write_buffer_bytes / 2;
  // Calls come in the order of their callers' numbers: their places in the memtable are remembered.
  family.memtable_insert_with_hint_prefix_extractor = std::make_shared<RecordedCallPrefix>();
  return family;
}

// Few threads read: larger parts hold larger blocks.
constexpr int kCacheShardBits = 2;

// Entries live shortly and are read in order: no filter, nothing compressed.
rocksdb::ColumnFamilyOptions log_options(const RocksdbOptions& options,
                                         const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = data_options(options, cache);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.compression = rocksdb::kNoCompression;
  // The entries of a replica come in order, those of different replicas in any: each replica
  // remembers its place in the memtable.
  family.memtable_insert_with_hint_prefix_extractor = std::make_shared<LogEntryPrefix>();
  return family;
}

bool is_rocksdb_file(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"CURRENT", "IDENTITY", "LOCK", ".", ".."};
  constexpr std::array<std::string_view, 3> kBeginnings = {"LOG", "MANIFEST-", "OPTIONS-"};
  constexpr std::array<std::string_view, 3> kEndings = {".sst", ".log", ".dbtmp"};
  return std::ranges::find(kNames, name) != kNames.end() ||
         std::ranges::any_of(kBeginnings, [&](auto text) { return name.starts_with(text); }) ||
         std::ranges::any_of(kEndings, [&](auto text) { return name.ends_with(text); });
}

struct Files {
  bool current = false;
  bool rows = false;  // a file that holds rows
  bool wal = false;
  std::vector<std::string> logs;  // WALs and MANIFESTs
};

Result<Files> look_around(rocksdb::Env& env, const std::string& directory) {
  Files found;
  std::vector<std::string> names;
  const rocksdb::Status status = env.GetChildren(directory, &names);
  if (status.IsNotFound() || status.IsPathNotFound()) return found;
  if (!status.ok()) return failure(status, "read", directory);
  for (const std::string& name : names) {
    if (!is_rocksdb_file(name)) {
      return fail(Code::kPrecondition, "'" + directory + "' holds files that are not ours ('" +
                                           name + "'): name another directory");
    }
    const bool wal = name.ends_with(".log");
    found.current = found.current || name == "CURRENT";
    found.wal = found.wal || wal;
    found.rows = found.rows || wal || name.ends_with(".sst");
    if (wal || name.starts_with("MANIFEST-")) found.logs.push_back(directory + "/" + name);
  }
  return found;
}

Result<void> check_files(rocksdb::Env& env, const RocksdbOptions& options) {
  const Result<Files> found = look_around(env, options.directory);
  if (!found) return fail(found.error());
  if (!found->current && (found->rows || !options.create)) {
    return fail(Code::kDataLoss, "the store in '" + options.directory + "' is missing" +
                                     (found->rows ? " its file CURRENT" : "") + std::string(kLost));
  }
  if (found->current && !found->wal && !options.create) {
    return fail(Code::kDataLoss, "the log of the store in '" + options.directory + "' is missing" +
                                     std::string(kLost));
  }
  for (const std::string& log : found->logs) {
    if (auto sound = check_log_tail(env, log); !sound) {
      return fail(sound.error().code, sound.error().message + std::string(kLost));
    }
  }
  return {};
}

RocksdbEngine::~RocksdbEngine() {
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
}

Result<void> RocksdbEngine::open(const RocksdbOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes, kCacheShardBits);
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, data_options(options, cache)},
      {"log", log_options(options, cache)}};
  rocksdb::DB* db = nullptr;
  const rocksdb::DBOptions how = db_options(options);
  // RocksDB would complain of one that is missing before it makes it.
  rocksdb::Status status =
      options.create ? how.env->CreateDirIfMissing(directory_) : rocksdb::Status();
  if (status.ok()) status = rocksdb::DB::Open(how, directory_, families, &families_, &db);
  if (!status.ok()) return failure(status, "open", directory_);
  db_.reset(db);
  return check_identity(options);
}

// The engine's own record of whose it is: a store copied under another identity is noticed.
Result<void> RocksdbEngine::check_identity(const RocksdbOptions& options) {
  const std::string key = node_key(kIdentityRecord);
  const auto found = view()->get(key);
  if (!found) return fail(found.error());
  if (*found && **found == options.identity) return {};
  if (*found) {
    return fail(Code::kPrecondition, "the store in '" + directory_ + "' belongs to '" + **found +
                                         "', not to '" + options.identity +
                                         "': name another directory");
  }
  if (!options.create) {
    return fail(Code::kDataLoss,
                "the store in '" + directory_ + "' has lost its identity" + std::string(kLost));
  }
  Batch batch;
  batch.put(key, options.identity);
  return write(batch, true);
}

void RocksdbEngine::add(const Batch& batch) {
  for (const Batch::Operation& operation : batch.operations()) {
    rocksdb::ColumnFamilyHandle* into = &family(operation.key);
    switch (operation.kind) {
      case Batch::Kind::kPut:
        rows_.Put(into, slice(operation.key), slice(operation.value));
        break;
      case Batch::Kind::kErase:
        rows_.Delete(into, slice(operation.key));
        break;
      case Batch::Kind::kEraseRange:
        // In two: RocksDB keeps ranges in a table of their own, but would look for the place of one
        // that begins with a log entry's key where the entry was put (log_options).
        rows_.Delete(into, slice(operation.key));
        rows_.DeleteRange(into, std::string(operation.key) + '\0', slice(operation.value));
        break;
    }
  }
}

Result<void> RocksdbEngine::write_all(std::span<const Batch* const> batches, bool sync) {
  if (failure_) return fail(*failure_);
  // Kept for its memory: a batch follows a batch.
  if (rows_.Data().capacity() > kKeptBytesMax) rows_ = rocksdb::WriteBatch();
  rows_.Clear();
  for (const Batch* const batch : batches) add(*batch);
  rocksdb::WriteOptions how;
  how.sync = sync;
  rocksdb::Status status;
  if (rows_.Count() == 0) {
    if (sync) status = db_->SyncWAL();
  } else {
    status = db_->Write(how, &rows_);
  }
  if (status.ok()) return {};
  const Failure failed = failure(status, "write to", directory_);
  failure_ = failed.error;
  return failed;
}

std::unique_ptr<View> RocksdbEngine::view() const { return std::make_unique<RocksdbView>(*this); }

}  // namespace

Result<std::unique_ptr<Engine>> open_rocksdb(const RocksdbOptions& options) {
  rocksdb::Env& env = options.env != nullptr ? *options.env : *rocksdb::Env::Default();
  if (auto sound = check_files(env, options); !sound) return fail(sound.error());
  auto engine = std::make_unique<RocksdbEngine>(options.directory);
  if (auto opened = engine->open(options); !opened) return fail(opened.error());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace troupe::storage

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "storage/memory/memory_engine.h"
#include "storage/shard/snapshot.h"
#include "tests/support/store_writer.h"
#include "tests/support/temporary_directory.h"

namespace troupe::storage {
namespace {

/// Fails every write, sync or creation of a file from the n-th on.
struct Failures {
  enum class Kind : std::uint8_t { kWrite, kSync };

  rocksdb::IOStatus next(Kind what) {
    if (what != kind || count.fetch_add(1) < first) return rocksdb::IOStatus::OK();
    return kind == Kind::kWrite ? rocksdb::IOStatus::NoSpace("No space left on device")
                                : rocksdb::IOStatus::IOError("Input/output error");
  }

  Kind kind = Kind::kWrite;
  std::int64_t first = 1'000'000'000;
  std::atomic<std::int64_t> count = 0;
};

class FailingFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FailingFile(std::unique_ptr<rocksdb::FSWritableFile> file, Failures& failures)
      : FSWritableFileOwnerWrapper(std::move(file)), failures_(failures) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    auto status = failures_.next(Failures::Kind::kWrite);
    if (!status.ok()) return status;
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& /*verification*/,
                           rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    auto status = failures_.next(Failures::Kind::kSync);
    if (!status.ok()) return status;
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    auto status = failures_.next(Failures::Kind::kSync);
    if (!status.ok()) return status;
    return FSWritableFileOwnerWrapper::Fsync(options, debug);
  }

 private:
  Failures& failures_;
};

class FailingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FailingFileSystem(Failures& failures)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), failures_(failures) {}

  const char* Name() const override { return "FailingFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    auto status = failures_.next(Failures::Kind::kWrite);
    if (status.ok()) status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<FailingFile>(std::move(*file), failures_);
    return status;
  }

 private:
  Failures& failures_;
};

constexpr std::uint64_t kBatches = 1'200;  // enough for several files

struct Run {
  std::int64_t operations = 0;
  std::uint64_t acknowledged = 0;
  bool failed = false;
};

/// Creates a store and writes to it until something fails.
Run run(const std::string& path, Failures& failures) {
  const std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<FailingFileSystem>(failures));
  Run result;
  auto engine = open_store(path, true, env.get());
  if (!engine) {
    EXPECT_NE(engine.error().code, Code::kInternal) << engine.error().message;
    result.failed = true;
    return result;
  }
  while (result.acknowledged < kBatches) {
    const auto written = (*engine)->write(numbered_batch(result.acknowledged + 1), true);
    if (!written) {
      result.failed = true;
      EXPECT_NE(written.error().message.find(path), std::string::npos);
      EXPECT_FALSE((*engine)->write(numbered_batch(result.acknowledged + 1), true))
          << "an engine that failed once writes nothing more";
      break;
    }
    ++result.acknowledged;
  }
  result.operations = failures.count;
  return result;
}

/// After a failure at each of many points of a run, every acknowledged batch is there.
void expect_nothing_lost(Failures::Kind kind) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/store";
  Failures none{.kind = kind};
  const Run whole = run(path, none);
  ASSERT_EQ(whole.acknowledged, kBatches);
  int failed = 0;
  // Each of the first, while the store is made; then one in so many.
  const std::int64_t step = std::max<std::int64_t>(1, whole.operations / 25);
  for (std::int64_t first = 0; first < whole.operations; first += first < 40 ? 1 : step) {
    std::filesystem::remove_all(path);
    Failures failures{.kind = kind, .first = first};
    const Run cut = run(path, failures);
    failed += cut.failed ? 1 : 0;
    auto engine = open_store(path, true);
    ASSERT_TRUE(engine) << first << ": " << engine.error().message;
    const auto found = count_batches(**engine);
    ASSERT_TRUE(found) << first << ": " << found.error().message;
    EXPECT_GE(*found, cut.acknowledged) << first;
    EXPECT_LE(*found, cut.acknowledged + 1) << first;
  }
  EXPECT_GT(failed, 30);
}

constexpr std::uint64_t kApplied = 100;  // by the snapshot

ReplicaKeys snapshot_side() { return kStoreKeys.other_side(); }

/// Rows of about 300 KB, more than fit into a memtable.
const MemoryEngine& leader() {
  static const std::unique_ptr<MemoryEngine> engine = [] {
    auto made = std::make_unique<MemoryEngine>();
    Batch rows;
    for (std::uint64_t n = 1; n <= 1'500; ++n) {
      rows.put(kStoreKeys.value("Sent", std::to_string(n), ""), row_value(n));
    }
    EXPECT_TRUE(made->write(rows, true));
    return made;
  }();
  return *engine;
}

/// Receives a snapshot, part by part, until something fails. True if it became the state.
bool receive_snapshot(Engine& engine) {
  SnapshotReader reader(leader().view(), kStoreKeys, 8U << 10U);
  RowsHash hash;
  Batch begin;
  drop_rows(begin, snapshot_side());
  if (!engine.write(begin, false)) return false;
  for (auto part = reader.next(); !part->empty(); part = reader.next()) {
    Batch batch;
    EXPECT_TRUE(install_chunk(batch, snapshot_side(), *part, hash));
    if (!engine.write(batch, false)) return false;
  }
  EXPECT_EQ(hash.value(), reader.hash());
  Batch end;
  drop_rows(end, kStoreKeys);
  put_applied(end, snapshot_side(), kApplied);
  put_current(end, snapshot_side());
  return engine.write(end, true).has_value();
}

/// The rows in use are all the old ones or all of the snapshot, and the other side can be dropped.
void expect_one_state(Engine& engine, const ReplicaHash& before, bool installed) {
  const auto current = current_replica(*engine.view(), kStoreKeys.shard());
  ASSERT_TRUE(current && *current);
  const ReplicaKeys keys = **current;
  if (installed) EXPECT_EQ(keys.side(), Side::kSecond);
  const bool old = keys.side() == Side::kFirst;
  const ReplicaHash expected = old ? before : *replica_hash(*leader().view(), kStoreKeys);
  EXPECT_EQ(*replica_hash(*engine.view(), keys), expected);
  EXPECT_EQ(*applied_index(*engine.view(), keys), old ? 1 : kApplied);
  Batch left_over;
  drop_rows(left_over, keys.other_side());
  ASSERT_TRUE(engine.write(left_over, true));
  EXPECT_FALSE(*has_rows(*engine.view(), keys.other_side()));
  EXPECT_EQ(*replica_hash(*engine.view(), keys), expected);
}

/// A failure at each of many points of its way.
void expect_whole_or_not_at_all(Failures::Kind kind) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/store";
  int failed = 0;
  int installed = 0;
  for (std::int64_t first = 0; installed == 0; first += 1 + first / 8) {
    std::filesystem::remove_all(path);
    Failures failures{.kind = kind};
    const std::unique_ptr<rocksdb::Env> env =
        rocksdb::NewCompositeEnv(std::make_shared<FailingFileSystem>(failures));
    ReplicaHash before;
    bool whole = false;
    {
      auto engine = open_store(path, true, env.get());
      ASSERT_TRUE(engine);
      Batch old = numbered_batch(1);
      put_current(old, kStoreKeys);
      ASSERT_TRUE((*engine)->write(old, true));
      before = *replica_hash(*(*engine)->view(), kStoreKeys);
      failures.first = failures.count + first;
      whole = receive_snapshot(**engine);
    }
    ++(whole ? installed : failed);
    auto engine = open_store(path);
    ASSERT_TRUE(engine) << first << ": " << engine.error().message;
    expect_one_state(**engine, before, whole);
  }
  EXPECT_GT(failed, kind == Failures::Kind::kWrite ? 10 : 1);
}

TEST(FailingDisk, ASnapshotCutShortAtAnyWriteLeavesTheOldRowsOrAllTheNew) {
  expect_whole_or_not_at_all(Failures::Kind::kWrite);
}

TEST(FailingDisk, ASnapshotWithAFailedSyncLeavesTheOldRowsOrAllTheNew) {
  expect_whole_or_not_at_all(Failures::Kind::kSync);
}

TEST(FailingDisk, FullAtAnyWriteLosesNothingAcknowledged) {
  expect_nothing_lost(Failures::Kind::kWrite);
}

TEST(FailingDisk, FailedSyncAtAnyPointLosesNothingAcknowledged) {
  expect_nothing_lost(Failures::Kind::kSync);
}

/// Counts what it is told.
class Heard final : public LogSink {
 public:
  bool wants(LogLevel /*level*/, std::string_view /*component*/) const override { return true; }
  void write(LogLevel /*level*/, std::string_view component, std::string_view /*message*/,
             std::initializer_list<LogField> /*fields*/) override {
    EXPECT_EQ(component, "storage");
    ++lines;
  }

  std::atomic<int> lines = 0;
};

// RocksDB's own logger would end the process here, now and then: its file is refused lines as well.
TEST(FailingDisk, IsTalkedOfInTheLogOfTheNodeAndInNoFileOfItsOwn) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/store";
  Failures failures{.kind = Failures::Kind::kSync};
  const std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<FailingFileSystem>(failures));
  Heard heard;
  {
    const auto engine = open_store(path, true, env.get(), {heard, "storage"});
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ(heard.lines, 0) << "a new store is no error";
    failures.first = 0;
    ASSERT_FALSE((*engine)->write(numbered_batch(1), true));
  }
  EXPECT_GT(heard.lines, 0);
  EXPECT_FALSE(std::filesystem::exists(path + "/LOG"));
}

}  // namespace
}  // namespace troupe::storage

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/support/store_writer.h"
#include "tests/support/temporary_directory.h"

namespace troupe::storage {
namespace {

TEST(RefusedStore, IsOpenOnceAtATime) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/store";
  const auto first = open_store(path, true);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = open_store(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kPrecondition);
  EXPECT_NE(second.error().message.find("another process uses the store"), std::string::npos);
}

TEST(RefusedStore, BelongsToOneNode) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/store";
  ASSERT_TRUE(open_store(path, true));
  RocksdbOptions options;
  options.directory = path;
  options.identity = "cluster-1/node-2";
  const auto other = open_rocksdb(options);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kPrecondition);
  EXPECT_NE(other.error().message.find("'cluster-1/node-1'"), std::string::npos);
  EXPECT_TRUE(open_store(path));
}

TEST(RefusedStore, ForeignFilesAreNotTouched) {
  const TemporaryDirectory root;
  std::ofstream(root.path() + "/thesis.doc") << "x";
  const auto store = open_store(root.path(), true);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kPrecondition);
  EXPECT_FALSE(std::filesystem::exists(root.path() + "/CURRENT"));
}

TEST(RefusedStore, CreationCutShortMayBeRepeated) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/store";
  ASSERT_TRUE(open_store(path, true));
  ASSERT_TRUE(open_store(path, true)) << "nobody had been told of the store yet";
  std::filesystem::remove_all(path);
  std::filesystem::create_directory(path);
  std::ofstream(path + "/LOCK") << "";
  std::ofstream(path + "/LOG") << "";
  EXPECT_TRUE(open_store(path, true));
}

TEST(RefusedStore, ReadOnlyDirectoryIsRefused) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/store";
  ASSERT_TRUE(open_store(path, true));
  // Permissions do not stop root, a read-only mount does.
  const bool mounted =
      ::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
      ::mount(path.c_str(), path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
  if (!mounted) std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  const auto store = open_store(path);
  if (mounted) ::umount(path.c_str());
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  if (!mounted && ::geteuid() == 0) {
    GTEST_SKIP() << "neither mounts nor permissions are at hand: see FailingDisk";
  }
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kUnavailable) << store.error().message;
}

TEST(RefusedStore, FullDiskFailsTheWriteAndKeepsWhatWasAcknowledged) {
  const TemporaryDirectory root;
  if (::mount("tmpfs", root.path().c_str(), "tmpfs", 0, "size=3m") != 0) {
    GTEST_SKIP() << "no mounts at hand: see FailingDisk";
  }
  const std::string path = root.path() + "/store";
  std::uint64_t acknowledged = 0;
  {
    auto engine = open_store(path, true);
    ASSERT_TRUE(engine) << engine.error().message;
    Result<void> written;
    while ((written = (*engine)->write(numbered_batch(acknowledged + 1), true))) ++acknowledged;
    EXPECT_EQ(written.error().code, Code::kUnavailable);
    EXPECT_NE(written.error().message.find(path), std::string::npos);
  }
  EXPECT_GT(acknowledged, 100U);
  const auto full = open_store(path);
  if (!full) EXPECT_EQ(full.error().code, Code::kUnavailable) << full.error().message;
  EXPECT_EQ(::mount("tmpfs", root.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  if (!full) {
    const auto engine = open_store(path);
    EXPECT_TRUE(engine) << engine.error().message;
    if (engine) EXPECT_GE(count_batches(**engine).value(), acknowledged);
  } else {
    EXPECT_GE(count_batches(**full).value(), acknowledged);
  }
  ::umount2(root.path().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace troupe::storage

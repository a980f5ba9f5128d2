#include "storage/data_directory.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"

namespace troupe::storage {
namespace {

const Identity kIdentity{.cluster = "c1", .node = {1, 2}, .generation = {3}, .store_created = true};

Error refusal(const std::string& path) { return DataDirectory::open_or_create(path).error(); }

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(DataDirectory, RemembersItsIdentity) {
  const TemporaryDirectory root;
  const std::string path = root.path() + "/made/here";
  {
    auto directory = DataDirectory::open_or_create(path);
    ASSERT_TRUE(directory);
    EXPECT_FALSE(directory->identity());
    ASSERT_TRUE(directory->save({.cluster = "", .node = {1, 2}, .generation = {}}));
    ASSERT_TRUE(directory->save(kIdentity));
  }
  const auto directory = DataDirectory::open_or_create(path);
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->identity(), kIdentity);
  EXPECT_TRUE(directory->expect_cluster("c1"));
  const auto other = directory->expect_cluster("c2");
  EXPECT_EQ(other.error().code, Code::kPrecondition);
  EXPECT_NE(other.error().message.find("belongs to cluster 'c1', not 'c2'"), std::string::npos);
}

// A failure here means that this version cannot read the directories of those before.
TEST(DataDirectory, IdentityNeverChangesBetweenVersions) {
  const TemporaryDirectory root;
  auto directory = DataDirectory::open_or_create(root.path());
  ASSERT_TRUE(directory->save(kIdentity));
  EXPECT_EQ(read(root.path() + "/identity"),
            "troupe data directory\nformat 1\ncluster c1\n"
            "node 00000000000000010000000000000002\ngeneration 3\nstore created\n"
            "checksum 3fda2ae62bdff350\n");
}

TEST(DataDirectory, IsHeldByOneProcess) {
  const TemporaryDirectory root;
  const auto held = DataDirectory::open_or_create(root.path());
  ASSERT_TRUE(held);
  const Error error = refusal(root.path());
  EXPECT_EQ(error.code, Code::kPrecondition);
  EXPECT_NE(error.message.find("another process uses"), std::string::npos);
}

TEST(DataDirectory, AnyDamagedByteOfTheIdentityIsNoticed) {
  const TemporaryDirectory root;
  ASSERT_TRUE(DataDirectory::open_or_create(root.path())->save(kIdentity));
  const std::string path = root.path() + "/identity";
  const std::string bytes = read(path);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    write(path, flipped);
    EXPECT_EQ(refusal(root.path()).code, Code::kDataLoss) << i;
    write(path, bytes.substr(0, i));
    EXPECT_EQ(refusal(root.path()).code, Code::kDataLoss) << i;
  }
}

TEST(DataDirectory, NewerFormatIsRefusedWithWhatToDo) {
  const TemporaryDirectory root;
  write(root.path() + "/identity",
        "troupe data directory\nformat 2\nx\nchecksum 2d4e82814428baf3\n");
  const Error error = refusal(root.path());
  EXPECT_EQ(error.code, Code::kPrecondition);
  EXPECT_NE(error.message.find("start that version"), std::string::npos);
}

TEST(DataDirectory, ForeignFilesAreNotMixedWithOurs) {
  const TemporaryDirectory root;
  write(root.path() + "/thesis.doc", "x");
  const Error error = refusal(root.path());
  EXPECT_EQ(error.code, Code::kPrecondition);
  EXPECT_NE(error.message.find("'thesis.doc'"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(root.path() + "/lock"));
}

TEST(DataDirectory, MissingIdentityBesideAStoreIsDataLoss) {
  const TemporaryDirectory root;
  std::filesystem::create_directory(root.path() + "/store");
  EXPECT_EQ(refusal(root.path()).code, Code::kDataLoss);
}

TEST(DataDirectory, HalfWrittenIdentityOfACrashIsIgnored) {
  const TemporaryDirectory root;
  ASSERT_TRUE(DataDirectory::open_or_create(root.path())->save(kIdentity));
  write(root.path() + "/identity.new", "troupe da");
  const auto directory = DataDirectory::open_or_create(root.path());
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->identity(), kIdentity);
}

TEST(DataDirectory, PathThatCannotBeMadeIsRefused) {
  const TemporaryDirectory root;
  write(root.path() + "/file", "x");
  EXPECT_EQ(refusal(root.path() + "/file/below").code, Code::kUnavailable);
}

}  // namespace
}  // namespace troupe::storage

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"
#include "tests/support/store_writer.h"
#include "tests/support/temporary_directory.h"

namespace troupe::storage {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A store as a crash leaves it: with a WAL, and, if large, with files too.
class DamagedStore : public testing::Test {
 protected:
  void make(std::uint64_t batches) {
    batches_ = batches;
    {
      auto engine = open_store(original_, true);
      ASSERT_TRUE(engine) << engine.error().message;
      for (std::uint64_t n = 1; n <= batches; ++n) {
        ASSERT_TRUE((*engine)->write(numbered_batch(n), true));
      }
      // As a power cut would: what is on the disk now.
      std::filesystem::copy(original_, copied_, std::filesystem::copy_options::recursive);
      std::filesystem::remove(copied_ + "/LOCK");
    }
    std::filesystem::remove_all(original_);
  }

  /// A fresh copy of it.
  std::string fresh() {
    std::filesystem::remove_all(original_);
    std::filesystem::copy(copied_, original_);
    return original_;
  }

  /// The files of `kind`: what their names end with, or begin with.
  std::vector<std::string> files(const std::string& kind) {
    std::vector<std::string> found;
    for (const auto& file : std::filesystem::directory_iterator(copied_)) {
      const std::string name = file.path().filename().string();
      if (name.ends_with(kind) || name.starts_with(kind)) found.push_back(name);
    }
    std::ranges::sort(found);
    return found;
  }

  /// Every acknowledged batch is there, or the store is refused, or a read is: never less or else.
  void expect_whole_or_refused(const std::string& what) {
    auto engine = open_store(original_);
    if (!engine) {
      EXPECT_TRUE(engine.error().code == Code::kDataLoss) << what << ": " << engine.error().message;
      ++refused_;
      return;
    }
    const Result<std::uint64_t> found = count_batches(**engine);
    if (!found) {
      EXPECT_EQ(found.error().code, Code::kDataLoss) << what << ": " << found.error().message;
      ++refused_;
      return;
    }
    EXPECT_EQ(*found, batches_) << what << ": acknowledged batches are lost";
    ++whole_;
  }

  void flip_bits(const std::string& name, const std::vector<std::size_t>& places) {
    const std::string bytes = read(copied_ + "/" + name);
    for (const std::size_t place : places) {
      for (const int bit : {0, 5}) {
        fresh();
        std::string flipped = bytes;
        flipped[place] = static_cast<char>(flipped[place] ^ (1 << bit));
        write(original_ + "/" + name, flipped);
        expect_whole_or_refused(name + " byte " + std::to_string(place) + " bit " +
                                std::to_string(bit));
      }
    }
  }

  std::vector<std::size_t> some_places(std::size_t size, std::size_t count) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < count; ++i) places.push_back(random_.below(size));
    return places;
  }

  TemporaryDirectory root_;
  std::string original_ = root_.path() + "/store";
  std::string copied_ = root_.path() + "/copied";
  std::uint64_t batches_ = 0;
  Random random_{1};
  int refused_ = 0;
  int whole_ = 0;
};

TEST_F(DamagedStore, LogTornAtAnyOfItsLastBytesKeepsAllEarlierBatches) {
  make(3);
  const std::string wal = files(".log").back();
  const std::string bytes = read(copied_ + "/" + wal);
  // Three synced batches of about 500 bytes are at the end.
  for (std::size_t cut = 0; cut < 600; cut += cut < 64 ? 1 : 11) {
    fresh();
    write(original_ + "/" + wal, bytes.substr(0, bytes.size() - cut));
    auto engine = open_store(original_);
    ASSERT_TRUE(engine) << cut << ": " << engine.error().message;
    const auto found = count_batches(**engine);
    ASSERT_TRUE(found) << cut << ": " << found.error().message;
    if (cut == 0) EXPECT_EQ(*found, 3U);
    EXPECT_LE(*found, 3U);
    EXPECT_GE(*found, 1U);
  }
}

TEST_F(DamagedStore, FlippedBitInTheLogIsNoticed) {
  make(3);
  const std::string wal = files(".log").back();
  const std::size_t size = std::filesystem::file_size(copied_ + "/" + wal);
  std::vector<std::size_t> places;
  for (std::size_t i = size - std::min<std::size_t>(size, 1700); i < size; i += 5) {
    places.push_back(i);
  }
  flip_bits(wal, places);
  EXPECT_EQ(whole_, 0);
}

TEST_F(DamagedStore, DamagedLengthInTheLogIsNotTakenForATornTail) {
  make(3);
  const std::string wal = files(".log").back();
  const std::string bytes = read(copied_ + "/" + wal);
  ASSERT_LT(bytes.size(), 32'768U) << "one block";
  // A record: checksum 4 bytes, length 2, kind 1, and then its bytes.
  int records = 0;
  for (std::size_t record = 0; record + 7 <= bytes.size(); ++records) {
    for (const std::size_t place : {record + 4, record + 5}) {
      for (int bit = 0; bit < 8; ++bit) {
        fresh();
        std::string flipped = bytes;
        flipped[place] = static_cast<char>(flipped[place] ^ (1 << bit));
        write(original_ + "/" + wal, flipped);
        expect_whole_or_refused("length at " + std::to_string(place));
      }
    }
    record += 7 + static_cast<unsigned char>(bytes[record + 4]) +
              256U * static_cast<unsigned char>(bytes[record + 5]);
  }
  EXPECT_GE(records, 3);
  EXPECT_EQ(whole_, 0);
}

TEST_F(DamagedStore, FlippedBitInTheManifestIsNoticed) {
  make(1500);
  for (const std::string& name : files("MANIFEST-")) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < std::filesystem::file_size(copied_ + "/" + name); ++i) {
      if (i % 7 == 0) places.push_back(i);
    }
    flip_bits(name, places);
  }
  EXPECT_EQ(whole_, 0);
}

TEST_F(DamagedStore, FlippedBitInCurrentIsNoticed) {
  make(3);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < read(copied_ + "/CURRENT").size(); ++i) places.push_back(i);
  flip_bits("CURRENT", places);
  EXPECT_EQ(whole_, 0);
}

TEST_F(DamagedStore, FlippedBitInAFileOfRowsNeverShowsWrongRows) {
  make(1500);
  ASSERT_FALSE(files(".sst").empty());
  for (const std::string& name : files(".sst")) {
    flip_bits(name, some_places(std::filesystem::file_size(copied_ + "/" + name), 4));
  }
  EXPECT_GT(refused_, 0);
}

TEST_F(DamagedStore, MissingFileIsNoticed) {
  make(1500);
  std::vector<std::string> all;
  for (const char* kind : {".sst", ".log", "MANIFEST-", "CURRENT"}) {
    std::vector<std::string> names = files(kind);
    // The newest of several WALs is named nowhere: its loss looks like an idle store.
    if (kind == std::string(".log") && names.size() > 1) names.pop_back();
    all.insert(all.end(), names.begin(), names.end());
  }
  for (const std::string& name : all) {
    fresh();
    std::filesystem::remove(original_ + "/" + name);
    expect_whole_or_refused("without " + name);
  }
  EXPECT_EQ(whole_, 0);
}

TEST_F(DamagedStore, StoreWithoutAnyWalIsRefused) {
  make(3);
  fresh();
  for (const std::string& name : files(".log")) std::filesystem::remove(original_ + "/" + name);
  expect_whole_or_refused("without a WAL");
  EXPECT_EQ(refused_, 1);
}

TEST_F(DamagedStore, MissingStoreIsNotTakenForANewOne) {
  make(3);
  fresh();
  for (const auto& file : std::filesystem::directory_iterator(original_)) {
    std::filesystem::remove(file.path());
  }
  expect_whole_or_refused("empty");
  std::filesystem::remove(original_);
  expect_whole_or_refused("gone");
  EXPECT_EQ(refused_, 2);
}

}  // namespace
}  // namespace troupe::storage

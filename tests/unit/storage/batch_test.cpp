#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/engine.h"

namespace troupe::storage {
namespace {

std::vector<std::pair<std::string, std::string>> rows(const Batch& batch) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Batch::Operation& each : batch.operations()) rows.emplace_back(each.key, each.value);
  return rows;
}

// Of all sizes, so that some begin a piece of memory and some fill one alone.
std::string value(std::size_t n) { return std::string(n * n * 37 % 200'000, static_cast<char>(n)); }

TEST(Batch, HoldsWhatItWasGivenWhateverItsSize) {
  Batch batch;
  std::vector<std::pair<std::string, std::string>> given;
  for (int again = 0; again < 3; ++again) {
    std::size_t bytes = 0;
    for (std::size_t n = 0; n < 120; ++n) {
      given.emplace_back("a" + std::to_string(n), value(n));
      batch.put(given.back().first, given.back().second);
      bytes += given.back().first.size() + given.back().second.size();
    }
    EXPECT_EQ(rows(batch), given);
    EXPECT_EQ(batch.size_bytes(), bytes);
    batch.clear();
    given.clear();
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(batch.size_bytes(), 0U);
  }
}

TEST(Batch, BytesStayWhereTheyAreWhenItGrowsOrMoves) {
  Batch batch;
  batch.put("a1", "first");
  const std::string_view first = batch.operations().front().value;
  for (std::size_t n = 0; n < 120; ++n) batch.put("a2", value(n));
  const Batch moved = std::move(batch);
  EXPECT_EQ(moved.operations().front().value.data(), first.data());
  EXPECT_EQ(first, "first");
}

TEST(Batch, ACopyIsItsOwn) {
  Batch batch;
  batch.put("a1", "head", "tail");
  batch.erase("a2");
  batch.erase_range("a3", "a4");
  const Batch copy = batch;
  const auto before = rows(batch);
  batch.clear();
  batch.put("b1", "other");
  EXPECT_EQ(rows(copy), before);
  EXPECT_EQ(before.front().second, "headtail");
  EXPECT_EQ(copy.operations().back().kind, Batch::Kind::kEraseRange);
}

}  // namespace
}  // namespace troupe::storage

#include "storage/keys.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/hex.h"
#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

// A failure here means that this version cannot read the stores of those before.
TEST(Keys, LayoutNeverChangesBetweenVersions) {
  const ReplicaKeys keys(ShardId{0x0102}, ReplicaId{0x0304});
  const std::vector<std::pair<std::string, std::string>> expected = {
      {current_key(ShardId{0x0102}), "6300000102"},
      {tombstone_key(ShardId{0x0102}, ReplicaId{0x0304}), "74000001020000000000000304"},
      {node_key("x"), "6e78"},
      {keys.hard_state(), "7200000102000000000000030468"},
      {keys.log_start(), "7200000102000000000000030473"},
      {keys.applied(), "7200000102000000000000030461"},
      {keys.log_entry(5),
       "6c000001020000000000000304"
       "0000000000000005"},
      {keys.owner("T"),
       "64000001020000000000000304"
       "6554"},
      {keys.row_version(),
       "64000001020000000000000304"
       "76"},
      {keys.watermark(),
       "64000001020000000000000304"
       "77"},
      {keys.value("T", std::string("i\0", 2), "n"),
       "64000001020000000000000304"
       "73"
       "540001"
       "6900ff0001"
       "6e"},
      {keys.expiry(at(1), "T", "i", "n"),
       "64000001020000000000000304"
       "78"
       "80000000000f4240"
       "540001"
       "690001"
       "6e"},
      {keys.reminder("T", "i", "n"),
       "64000001020000000000000304"
       "72"
       "540001"
       "690001"
       "6e"},
      {keys.due(at(-1), "T", "i", "n"),
       "64000001020000000000000304"
       "64"
       "7ffffffffff0bdc0"
       "540001"
       "690001"
       "6e"},
      {keys.call({.origin = {1, 2}, .generation = {3}, .sequence = 4}),
       "64000001020000000000000304"
       "63"
       "0000000000000001"
       "0000000000000002"
       "0000000000000003"
       "0000000000000004"},
      {keys.done({.origin = {1, 2}, .generation = {3}, .sequence = 4}),
       "64000001020000000000000304"
       "6b"
       "0000000000000001"
       "0000000000000002"
       "0000000000000003"},
      {keys.outbox_state(ShardId{6}),
       "64000001020000000000000304"
       "6d"
       "00000006"},
      {keys.outbox(ShardId{6}, 7),
       "64000001020000000000000304"
       "6f"
       "00000006"
       "0000000000000007"},
      {keys.inbox_low_water(ShardId{6}),
       "64000001020000000000000304"
       "6c"
       "00000006"},
      {keys.inbox(ShardId{6}, 7),
       "64000001020000000000000304"
       "69"
       "00000006"
       "0000000000000007"},
  };
  for (const auto& [key, bytes] : expected) EXPECT_EQ(to_hex(key), bytes);
  // Rows on the other side differ in the first byte; nothing else does.
  const ReplicaKeys other = keys.other_side();
  EXPECT_EQ(to_hex(other.outbox_state(ShardId{6})),
            "65000001020000000000000304"
            "6d"
            "00000006");
  EXPECT_EQ(other.log_entry(1), keys.log_entry(1));
  EXPECT_EQ(other.applied(), keys.applied());
  EXPECT_EQ(other.other_side().data_prefix(), keys.data_prefix());
}

TEST(Keys, OrderOfTextsAndTimesIsTheOrderOfBytes) {
  const std::vector<std::string> texts = {"",
                                          std::string(1, '\0'),
                                          std::string("\0a", 2),
                                          "\x01",
                                          "a",
                                          std::string("a\0", 2),
                                          std::string("a\0b", 3),
                                          "a\x01",
                                          "ab",
                                          "\xff"};
  std::vector<std::string> keys;
  for (const std::string& text : texts) {
    std::string key;
    append_ordered(key, text);
    std::string_view rest = key;
    EXPECT_EQ(take_ordered(rest), text);
    EXPECT_TRUE(rest.empty());
    keys.push_back(key + "z");
  }
  EXPECT_TRUE(std::ranges::is_sorted(keys));

  std::vector<std::string> times;
  for (const WallTime when : {WallTime::min(), at(-1), at(0), at(1), WallTime::max()}) {
    times.emplace_back();
    append_ordered(times.back(), when);
    std::string_view rest = times.back();
    EXPECT_EQ(take_time(rest), when);
  }
  EXPECT_TRUE(std::ranges::is_sorted(times));
}

TEST(Keys, DamagedTextIsNoticed) {
  for (const std::string& bytes :
       {std::string("abc"), std::string("a\0", 2), std::string("a\0b", 3)}) {
    std::string_view rest = bytes;
    EXPECT_EQ(take_ordered(rest), std::nullopt);
  }
}

TEST(Keys, ReplicasDoNotShareRanges) {
  const ReplicaKeys one(ShardId{1}, ReplicaId{255});
  const ReplicaKeys next(ShardId{1}, ReplicaId{256});
  for (const KeyRange& range : one.all()) {
    for (const std::string& key :
         {next.value("T", "i", "n"), next.other_side().value("T", "i", "n"), next.log_entry(1),
          next.applied()}) {
      EXPECT_FALSE(range.from <= key && key < range.to);
    }
  }
  EXPECT_EQ(after_prefix("a\xff\xff"), "b");
}

}  // namespace
}  // namespace troupe::storage

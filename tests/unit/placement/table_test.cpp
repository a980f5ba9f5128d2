#include "placement/table/table.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "placement/table/table_sync.h"
#include "runtime/base/executor.h"

namespace troupe::placement {
namespace {

NodeId node(std::uint64_t n) { return {.high = 7, .low = n}; }

Row row(std::uint32_t shard, std::uint64_t term, std::uint64_t index) {
  Row row;
  row.version = {.term = term, .index = index};
  row.shard = ShardId{shard};
  row.leader = node(1);
  row.replicas = {{node(1), ReplicaId{11}}, {node(2), ReplicaId{12}}};
  row.owners = {{"Cart", node(1), Generation{3}, Epoch{index}},
                {"Wallet", node(2), Generation{4}, Epoch{1}}};
  return row;
}

std::string bytes(const Row& row) {
  Writer out;
  encode(out, row);
  return out.take();
}

TEST(Shards, HashesNeverChangeBetweenVersions) {
  EXPECT_EQ(shard_of("Cart", "alice", 256).value, 117U);
  EXPECT_EQ(shard_of("shop||Cart", "alice", 256).value, 58U);
  EXPECT_EQ(shard_of("", "", 4096).value, 3291U);
  EXPECT_EQ(shard_of("Cart", std::string(1000, 'x'), 4096).value, 2936U);
}

TEST(Shards, TypeAndIdAreSetApart) {
  EXPECT_NE(shard_of("Cart", "alice", 1U << 16), shard_of("Carta", "lice", 1U << 16));
}

TEST(Table, OlderRowIsIgnored) {
  Table table(4);
  EXPECT_FALSE(table.lookup(ShardId{2}));
  EXPECT_TRUE(table.apply(row(2, 2, 5)));
  EXPECT_FALSE(table.apply(row(2, 2, 5)));
  EXPECT_FALSE(table.apply(row(2, 2, 4)));
  EXPECT_FALSE(table.apply(row(2, 1, 9)));
  EXPECT_TRUE(table.apply(row(2, 3, 1)));
  EXPECT_EQ(*table.lookup(ShardId{2}), row(2, 3, 1));
  EXPECT_FALSE(table.apply(row(4, 9, 9)));  // no such shard
}

TEST(Table, AHeldRowOutlivesItsReplacement) {
  Table table(4);
  table.apply(row(1, 1, 1));
  {
    const Table::RowRef held = table.lookup(ShardId{1});
    for (std::uint64_t i = 2; i < 100; ++i) table.apply(row(1, 1, i));
    EXPECT_EQ(held->version.index, 1U);
    EXPECT_GT(table.retired(), 0U);
  }
  table.reclaim();
  table.reclaim();
  EXPECT_EQ(table.retired(), 0U);
}

TEST(Table, ReadersSeeWholeRowsWhileTheWriterReplacesThem) {
  Table table(2);
  table.apply(row(0, 1, 1));
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> reads = 0;
  {
    ThreadPool readers(2, 2, "readers");
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(readers.post([&] {
        std::uint64_t last = 0;
        while (!stop) {
          const Table::RowRef held = table.lookup(ShardId{0});
          const Owner* owner = held->owner("Cart");
          ASSERT_NE(owner, nullptr);
          ASSERT_EQ(owner->epoch.value, held->version.index);
          ASSERT_GE(held->version.index, last);
          last = held->version.index;
          ++reads;
        }
      }));
    }
    std::uint64_t index = 1;
    while (reads < 20'000) table.apply(row(0, 1, ++index));
    stop = true;
    readers.stop();
  }
  table.reclaim();
  table.reclaim();
  EXPECT_EQ(table.retired(), 0U);
}

TEST(Table, RangesCoverEveryShardOnce) {
  for (const std::uint32_t shards : {1U, 3U, 64U, 100U, 4096U}) {
    Table table(shards);
    for (std::uint32_t range = 0; range < table.range_count(); ++range) {
      ASSERT_LT(table.range_begin(range), table.range_begin(range + 1));
      for (std::uint32_t s = table.range_begin(range); s < table.range_begin(range + 1); ++s) {
        ASSERT_EQ(table.range_of(ShardId{s}), range);
      }
    }
    EXPECT_EQ(table.range_begin(table.range_count()), shards);
  }
}

TEST(Table, DigestsAreEqualForEqualVersionsInAnyOrder) {
  Table a(256);
  Table b(256);
  for (std::uint32_t s = 0; s < 256; ++s) a.apply(row(s, 1, s + 1));
  for (std::uint32_t s = 256; s-- > 0;) {
    b.apply(row(s, 1, 1));
    b.apply(row(s, 1, s + 1));
  }
  for (std::uint32_t r = 0; r < a.range_count(); ++r)
    EXPECT_EQ(a.range_digest(r), b.range_digest(r));
  b.apply(row(17, 2, 1));
  EXPECT_NE(a.range_digest(a.range_of(ShardId{17})), b.range_digest(b.range_of(ShardId{17})));
}

TEST(Row, BytesNeverChangeBetweenVersions) {
  const std::string golden(
      "\x02\x05\x02\x02"
      "\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x01"
      "\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x02"
      "\x1b\0\x02\0\x0b\x01\x01\x0c\x01\x02\x04"
      "Cart\0\x03\x05\x06"
      "Wallet\x01\x04\x01",
      4 + 32 + 11 + 8 + 9 + 1);
  EXPECT_EQ(bytes(row(2, 2, 5)), golden.substr(0, bytes(row(2, 2, 5)).size()));
  Reader in(golden);
  EXPECT_EQ(decode_row(in), row(2, 2, 5));
}

TEST(Row, UnsortedOwnersAreRefused) {
  Row bad = row(1, 1, 1);
  std::swap(bad.owners[0], bad.owners[1]);
  const std::string encoded = bytes(bad);
  Reader in(encoded);
  decode_row(in);
  EXPECT_FALSE(in.ok());
}

struct Pair {
  Table table_a{512};
  Table table_b{512};
  Random random{1};
  TableSync a{table_a, {}, random};
  TableSync b{table_b, {}, random};

  // Messages of a comparison, until nobody answers. The number of bytes of the largest.
  std::size_t compare() {
    std::size_t largest = 0;
    std::vector<std::string> to_b = {a.digest()};
    while (!to_b.empty()) {
      std::vector<std::string> to_a;
      for (const std::string& message : to_b) {
        largest = std::max(largest, message.size());
        EXPECT_TRUE(b.receive(message, 1300, to_a));
      }
      to_b.clear();
      for (const std::string& message : to_a) {
        largest = std::max(largest, message.size());
        EXPECT_TRUE(a.receive(message, 1300, to_b));
      }
    }
    return largest;
  }
};

TEST(TableSync, ComparingMendsBothSides) {
  Pair pair;
  for (std::uint32_t s = 0; s < 512; ++s) {
    pair.table_a.apply(row(s, 1, s % 3 + 1));
    pair.table_b.apply(row(s, 1, s % 2 + 1));
  }
  for (int i = 0; i < 20; ++i) EXPECT_LE(pair.compare(), 1300U);
  for (std::uint32_t s = 0; s < 512; ++s) {
    const std::uint64_t newer = std::max(s % 3, s % 2) + 1;
    EXPECT_EQ(pair.table_a.version(ShardId{s}).index, newer);
    EXPECT_EQ(pair.table_b.version(ShardId{s}).index, newer);
  }
}

TEST(TableSync, OneReceiverHearsEachRowOnce) {
  Pair pair;
  for (std::uint32_t s = 0; s < 10; ++s) pair.a.apply(row(s, 1, 1));
  EXPECT_EQ(pair.a.take_news(5, 1300).size(), 1U);
}

TEST(TableSync, ARowIsToldALimitedNumberOfTimes) {
  Pair pair;
  pair.a.apply(row(1, 1, 1));
  int told = 0;
  while (pair.a.has_news()) told += static_cast<int>(pair.a.take_news(1, 1300).size());
  EXPECT_EQ(told, static_cast<int>(TableSyncConfig().transmissions));
}

TEST(TableSync, DamagedMessagesChangeNothing) {
  Pair pair;
  pair.a.apply(row(1, 1, 1));
  const std::string news = pair.a.take_news(1, 1300).front();
  std::vector<std::string> replies;
  for (std::size_t cut = 0; cut < news.size(); ++cut) {
    if (cut == 1) continue;  // no rows at all
    EXPECT_FALSE(pair.b.receive(news.substr(0, cut), 1300, replies)) << cut;
  }
  EXPECT_EQ(pair.table_b.changes(), 0U);
  EXPECT_TRUE(pair.b.receive(news, 1300, replies));
  EXPECT_EQ(pair.table_b.changes(), 1U);
}

}  // namespace
}  // namespace troupe::placement

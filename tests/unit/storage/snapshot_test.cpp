#include "storage/shard/snapshot.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

void fill(ShardBench& shard) {
  shard.own();
  for (int i = 0; i < 100; ++i) {
    TurnCommand turn = shard.turn("Cart", "actor" + std::to_string(i));
    turn.state = {put("", std::string(static_cast<std::size_t>(i), 'x'))};
    turn.reminders = {remind("r", at(1000 + i))};
    turn.outbox = {{ShardId{1}, "m"}};
    turn.cause = call(static_cast<std::uint64_t>(i));
    shard.apply(turn);
  }
  shard.writer.flush();
  shard.disk.complete_all();
}

std::vector<std::string> chunks(ShardBench& shard, std::size_t bytes) {
  std::vector<std::string> all;
  SnapshotReader reader(shard.disk.view(), shard.keys, bytes);
  for (auto chunk = reader.next(); chunk && !chunk->empty(); chunk = reader.next()) {
    all.push_back(*chunk);
  }
  return all;
}

TEST(Snapshot, InstalledReplicaIsEqualAndWorksOn) {
  ShardBench from({7});
  fill(from);
  const auto parts = chunks(from, 1000);
  EXPECT_GT(parts.size(), 5U);
  ShardBench to({8});
  RowsHash hash;
  for (const std::string& part : parts) {
    ASSERT_TRUE(install_chunk(to.writer.pending(), to.keys, part, hash));
    EXPECT_LT(part.size(), 2000U);
  }
  EXPECT_EQ(to.hash(), from.hash());
  EXPECT_EQ(hash.value(), from.hash());
  to.reload();
  to.index = from.index;
  EXPECT_EQ(to.machine->owners(), from.machine->owners());
  TurnCommand retry = to.turn();
  retry.cause = call(5);
  EXPECT_EQ(to.apply(retry).kind, Outcome::Kind::kConsumed);
  EXPECT_EQ(to.apply(to.turn()).kind, Outcome::Kind::kApplied);
}

TEST(Snapshot, ShowsOneMomentWhateverIsWrittenMeanwhile) {
  ShardBench from({7});
  fill(from);
  const ReplicaHash before = from.hash();
  SnapshotReader reader(from.disk.view(), from.keys, 1000);
  ShardBench to({8});
  RowsHash hash;
  for (auto chunk = reader.next(); chunk && !chunk->empty(); chunk = reader.next()) {
    ASSERT_TRUE(install_chunk(to.writer.pending(), to.keys, *chunk, hash));
    TurnCommand turn = from.turn("Cart", "zzz");
    turn.state = {put("", "later")};
    from.apply(turn);
    from.writer.flush();
    from.disk.complete_all();
  }
  EXPECT_EQ(to.hash(), before);
  EXPECT_EQ(reader.hash(), before);
}

TEST(Snapshot, DamagedChunkAddsNothing) {
  ShardBench from({7});
  fill(from);
  const std::string chunk = chunks(from, 500).front();
  for (std::size_t i = 0; i < chunk.size(); i += 7) {
    std::string flipped = chunk;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    Batch batch;
    RowsHash hash;
    EXPECT_EQ(install_chunk(batch, from.keys, flipped, hash).error().code, Code::kDataLoss);
    EXPECT_EQ(install_chunk(batch, from.keys, chunk.substr(0, i), hash).error().code,
              Code::kDataLoss);
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(hash.value(), RowsHash().value());
  }
}

TEST(Snapshot, HashSeesEveryRow) {
  ShardBench shard;
  fill(shard);
  const ReplicaHash before = shard.hash();
  shard.writer.pending().put(shard.keys.value("Cart", "actor5", ""), "other");
  EXPECT_NE(shard.hash(), before);
}

}  // namespace
}  // namespace troupe::storage

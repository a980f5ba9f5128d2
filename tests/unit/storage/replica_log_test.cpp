#include "storage/replica_log.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/hex.h"
#include "tests/support/manual_disk.h"

namespace troupe::storage {
namespace {

const ReplicaKeys kKeys(ShardId{2}, ReplicaId{9});

Result<ReplicaLog> load_after(MemoryEngine& engine, const Batch& batch) {
  EXPECT_TRUE(engine.write(batch, true));
  return load_replica_log(*engine.view(), kKeys);
}

Batch three_entries() {
  Batch batch;
  put_hard_state(batch, kKeys, {.term = 4, .vote_node = {.high = 1, .low = 2}, .vote = {8}});
  for (const std::uint64_t index : {1U, 2U, 3U}) {
    put_log_entry(batch, kKeys, {.index = index, .term = 4, .kind = 1, .data = "e"});
  }
  put_applied(batch, kKeys, 2);
  return batch;
}

TEST(ReplicaLog, LoadsWhatWasPut) {
  MemoryEngine engine;
  EXPECT_EQ(*load_after(engine, {}), ReplicaLog{});
  const ReplicaLog log = *load_after(engine, three_entries());
  EXPECT_EQ(log.hard_state,
            (HardState{.term = 4, .vote_node = {.high = 1, .low = 2}, .vote = {8}}));
  ASSERT_EQ(log.entries.size(), 3U);
  EXPECT_EQ(log.entries[2], (LogEntry{.index = 3, .term = 4, .kind = 1, .data = "e"}));
  EXPECT_EQ(log.applied, 2U);
}

// A failure here means that this version cannot read the stores of those before.
TEST(ReplicaLog, BytesNeverChangeBetweenVersions) {
  Batch batch = three_entries();
  put_log_start(batch, kKeys, {.index = 300, .term = 4, .configuration = "abc"});
  put_current(batch, kKeys);
  put_current(batch, kKeys.other_side());
  const auto& operations = batch.operations();
  EXPECT_EQ(to_hex(operations[0].value), "040000000000000001000000000000000208");
  EXPECT_EQ(to_hex(operations[1].value), "040165");
  EXPECT_EQ(to_hex(operations[4].value), "02");
  EXPECT_EQ(to_hex(operations[5].value), "ac020403616263");
  EXPECT_EQ(to_hex(operations[6].value), "09");
  EXPECT_EQ(to_hex(operations[7].value), "0901");
}

TEST(ReplicaLog, CurrentReplicaNamesTheSideOfItsRows) {
  MemoryEngine engine;
  for (const ReplicaKeys& keys : {kKeys, kKeys.other_side(), kKeys}) {
    Batch batch;
    put_current(batch, keys);
    ASSERT_TRUE(engine.write(batch, true));
    EXPECT_EQ(current_replica(*engine.view(), ShardId{2})->value().side(), keys.side());
    EXPECT_EQ(current_replicas(*engine.view())->front().side(), keys.side());
  }
  for (const char* damaged : {"\x09\x02", "\x09\x01\x01", ""}) {
    Batch batch;
    batch.put(current_key(ShardId{2}), damaged);
    ASSERT_TRUE(engine.write(batch, true));
    EXPECT_EQ(current_replicas(*engine.view()).error().code, Code::kDataLoss);
  }
}

TEST(ReplicaLog, RowsAreDroppedOnOneSide) {
  MemoryEngine engine;
  Batch batch = three_entries();
  batch.put(kKeys.value("T", "i", ""), "v");
  batch.put(kKeys.other_side().value("T", "i", ""), "v");
  drop_rows(batch, kKeys);
  const ReplicaLog log = *load_after(engine, batch);
  EXPECT_EQ(log.entries.size(), 3U);
  EXPECT_FALSE(*has_rows(*engine.view(), kKeys));
  EXPECT_TRUE(*has_rows(*engine.view(), kKeys.other_side()));
}

TEST(ReplicaLog, TruncatedAndCompactedEntriesAreGone) {
  MemoryEngine engine;
  Batch batch = three_entries();
  truncate_log_after(batch, kKeys, 3, 3);
  compact_log(batch, kKeys, 1, {.index = 1, .term = 4, .configuration = "c"});
  const ReplicaLog log = *load_after(engine, batch);
  ASSERT_EQ(log.entries.size(), 1U);
  EXPECT_EQ(log.entries[0].index, 2U);
  EXPECT_EQ(log.start, (LogStart{.index = 1, .term = 4, .configuration = "c"}));
}

TEST(ReplicaLog, MissingEntryIsDataLoss) {
  for (const std::uint64_t missing : {1U, 2U, 3U}) {
    MemoryEngine engine;
    Batch batch = three_entries();
    put_applied(batch, kKeys, 3);
    batch.erase(kKeys.log_entry(missing));
    EXPECT_EQ(load_after(engine, batch).error().code, Code::kDataLoss) << missing;
  }
}

TEST(ReplicaLog, DamagedRecordIsDataLoss) {
  for (const std::string& key :
       {kKeys.hard_state(), kKeys.log_start(), kKeys.applied(), kKeys.log_entry(2)}) {
    MemoryEngine engine;
    Batch batch = three_entries();
    batch.put(key, "\xff");
    EXPECT_EQ(load_after(engine, batch).error().code, Code::kDataLoss);
  }
}

TEST(ReplicaLog, EntriesAreLoadedUpToALimitButAtLeastOne) {
  MemoryEngine engine;
  ASSERT_TRUE(engine.write(three_entries(), true));
  EXPECT_EQ(load_entries(*engine.view(), kKeys, 1, 4, 1000)->size(), 3U);
  EXPECT_EQ(load_entries(*engine.view(), kKeys, 1, 3, 1000)->size(), 2U);
  EXPECT_EQ(load_entries(*engine.view(), kKeys, 2, 4, 1)->size(), 1U);
}

TEST(ReplicaLog, DroppedReplicaLeavesOnlyItsTombstone) {
  MemoryEngine engine;
  Batch batch = three_entries();
  put_current(batch, kKeys);
  batch.put(kKeys.value("T", "i", ""), "v");
  batch.put(kKeys.other_side().value("T", "i", ""), "v");
  ASSERT_TRUE(engine.write(batch, true));
  EXPECT_EQ(current_replica(*engine.view(), ShardId{2})->value().replica(), ReplicaId{9});
  EXPECT_EQ(current_replicas(*engine.view())->size(), 1U);
  Batch drop;
  drop_replica(drop, kKeys);
  put_tombstone(drop, kKeys);
  erase_current(drop, ShardId{2});
  EXPECT_EQ(*load_after(engine, drop), ReplicaLog{});
  EXPECT_TRUE(*has_tombstone(*engine.view(), kKeys));
  EXPECT_FALSE(*has_tombstone(*engine.view(), ReplicaKeys(ShardId{2}, ReplicaId{10})));
  EXPECT_FALSE(engine.view()->scan("d", "e")->valid());
  EXPECT_FALSE(engine.view()->scan("e", "f")->valid());
  EXPECT_TRUE(current_replicas(*engine.view())->empty());
}

TEST(ReplicaLog, NodeKeepsSmallRecords) {
  MemoryEngine engine;
  Batch batch;
  put_node_record(batch, "promise", "x");
  ASSERT_TRUE(engine.write(batch, true));
  EXPECT_EQ(node_record(*engine.view(), "promise")->value(), "x");
  EXPECT_EQ(*node_record(*engine.view(), "other"), std::nullopt);
}

}  // namespace
}  // namespace troupe::storage

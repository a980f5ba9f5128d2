#include "runtime/cluster/snapshot_receiver.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/replica_log.h"
#include "tests/support/manual_disk.h"

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;
using Taken = SnapshotReceiver::Taken;

constexpr NodeId kLeader{1, 1};
constexpr NodeId kNextLeader{2, 2};
constexpr ShardId kShard{3};

class Silence final : public LogSink {
 public:
  bool wants(LogLevel, std::string_view) const override { return false; }
  void write(LogLevel, std::string_view, std::string_view,
             std::initializer_list<LogField>) override {}
};

/// A replica with old rows on its first side, behind a leader with other rows.
class SnapshotReceiverTest : public ::testing::Test {
 protected:
  SnapshotReceiverTest() {
    storage::Batch rows;
    for (int i = 0; i < 200; ++i) {
      rows.put(source.value("Cart", std::to_string(i), ""), std::string(100, 'x'));
    }
    EXPECT_TRUE(leaders.write(rows, true));
    writer.pending().put(target.keys.value("Cart", "old", ""), "old");
    writer.pending().put(target.keys.other_side().value("Cart", "left over", ""), "x");
    write();
    old = storage::replica_hash(writer, target.keys).value();
  }

  // All parts of a snapshot, of about so many bytes each.
  std::vector<SnapshotChunk> parts(std::uint64_t attempt, raft::Index index = 50,
                                   std::size_t bytes = 2000) {
    storage::SnapshotReader reader(leaders.view(), source, bytes);
    std::vector<SnapshotChunk> all;
    do {
      all.push_back({.shard = kShard,
                     .replica = target.keys.replica(),
                     .term = target.term,
                     .attempt = attempt,
                     .number = all.size(),
                     .start = {.index = index, .term = 1, .configuration = {}},
                     .rows = *reader.next(),
                     .hash = {}});
    } while (!all.back().last());
    all.back().hash = reader.hash();
    return all;
  }

  Result<Taken> take(const SnapshotChunk& part, NodeId from = kLeader) {
    const Result<Taken> taken = receiver.receive(now, from, part, target);
    write();
    return taken;
  }
  Code refusal(const SnapshotChunk& part, NodeId from = kLeader) {
    const Result<Taken> taken = take(part, from);
    return taken ? Code::kInternal : taken.error().code;
  }
  void take_all(const std::vector<SnapshotChunk>& all, std::size_t first = 0) {
    for (std::size_t i = first; i < all.size(); ++i) {
      EXPECT_EQ(take(all[i]).value(), all[i].last() ? Taken::kWhole : Taken::kPart) << i;
    }
  }
  void write() {
    writer.flush();
    disk.complete_all();
  }
  storage::ReplicaHash gathered() {
    return storage::replica_hash(writer, target.keys.other_side()).value();
  }
  storage::ReplicaHash sent() { return storage::replica_hash(*leaders.view(), source).value(); }
  void expect_nothing_gathered() {
    EXPECT_EQ(receiver.count(), 0U);
    EXPECT_FALSE(storage::has_rows(writer, target.keys.other_side()).value());
  }
  void expect_old_rows() { EXPECT_EQ(storage::replica_hash(writer, target.keys).value(), old); }

  const storage::ReplicaKeys source{kShard, ReplicaId{7}};
  storage::MemoryEngine leaders;
  Time now{1h};
  SnapshotReceiver::Target target{
      .keys = {kShard, ReplicaId{9}}, .term = 4, .committed = 10, .installing = false};
  storage::ReplicaHash old;
  storage::ManualDisk disk;
  storage::GroupWriter writer{disk, {}, {.progress = [](auto) {}, .failed = [](const Error&) {}}};
  SnapshotMetrics metrics;
  Silence silence;
  SnapshotReceiver receiver{{.at_once_max = 2}, writer, metrics, Log(silence, "test")};
};

TEST_F(SnapshotReceiverTest, GathersTheRowsBesideThoseInUse) {
  const auto all = parts(1);
  ASSERT_GT(all.size(), 8U);
  for (const SnapshotChunk& part : all) {
    expect_old_rows();
    EXPECT_EQ(take(part).value(), part.last() ? Taken::kWhole : Taken::kPart);
  }
  expect_old_rows();
  EXPECT_EQ(gathered(), sent());
  EXPECT_EQ(receiver.count(), 0U);
  EXPECT_EQ(metrics.received, 1U);
  EXPECT_EQ(metrics.receives_failed, 0U);
  EXPECT_GT(metrics.bytes_received, 200U * 100U);
}

// Its memory is what waits for the disk.
TEST_F(SnapshotReceiverTest, HoldsNoMoreThanOnePartHoweverLargeTheSnapshot) {
  for (int i = 0; i < 5000; ++i) {
    storage::Batch more;
    more.put(source.value("Cart", "more" + std::to_string(i), ""), std::string(1000, 'x'));
    ASSERT_TRUE(leaders.write(more, true));
  }
  constexpr std::size_t kPartBytes = 20'000;
  const auto all = parts(1, 50, kPartBytes);
  ASSERT_GT(all.size(), 200U);
  std::size_t most = 0;
  for (const SnapshotChunk& part : all) {
    ASSERT_TRUE(receiver.receive(now, kLeader, part, target));
    most = std::max(most, writer.pending().size_bytes());
    write();
  }
  EXPECT_GT(most, kPartBytes / 2);
  EXPECT_LT(most, 2 * kPartBytes);
  EXPECT_EQ(gathered(), sent());
}

TEST_F(SnapshotReceiverTest, TakesAPartThatComesTwiceOnce) {
  const auto all = parts(1);
  for (const SnapshotChunk& part : all) {
    ASSERT_TRUE(take(part));
    if (part.last()) break;
    EXPECT_EQ(take(part).value(), Taken::kKnown);
  }
  EXPECT_EQ(gathered(), sent());
  // The answer to the last was lost, and the replica has gone on.
  target.committed = 50;
  EXPECT_EQ(take(all.back()).value(), Taken::kKnown);
  EXPECT_EQ(metrics.received, 1U);
}

TEST_F(SnapshotReceiverTest, RefusesAPartThatIsOutOfOrderAndGoesOn) {
  const auto all = parts(1);
  EXPECT_EQ(refusal(all[1]), Code::kPrecondition) << "nothing has begun";
  ASSERT_TRUE(take(all[0]));
  ASSERT_TRUE(take(all[1]));
  EXPECT_EQ(refusal(all[3]), Code::kPrecondition) << "one was lost";
  EXPECT_EQ(refusal(all[0]), Code::kPrecondition) << "one is late";
  take_all(all, 2);
  EXPECT_EQ(gathered(), sent());
}

TEST_F(SnapshotReceiverTest, ANewerSnapshotTakesThePlaceOfAnOlderOne) {
  const auto older = parts(1);
  ASSERT_TRUE(take(older[0]));
  ASSERT_TRUE(take(older[1]));
  storage::Batch change;
  change.erase_range(source.value("Cart", "0", ""), source.value("Cart", "15", ""));
  ASSERT_TRUE(leaders.write(change, true));
  const auto newer = parts(2, 60);
  ASSERT_TRUE(take(newer[0]));
  EXPECT_EQ(refusal(older[2]), Code::kPrecondition);
  EXPECT_EQ(refusal(older[0]), Code::kPrecondition) << "an older one takes no newer one's place";
  take_all(newer, 1);
  EXPECT_EQ(gathered(), sent());
  EXPECT_EQ(metrics.receives_failed, 1U);
}

TEST_F(SnapshotReceiverTest, ASenderThatBeginsAnewIsHeard) {
  const auto first = parts(1);
  ASSERT_TRUE(take(first[0]));
  ASSERT_TRUE(take(first[1]));
  take_all(parts(2));
  EXPECT_EQ(gathered(), sent());
}

TEST_F(SnapshotReceiverTest, ALeaderThatWasReplacedIsNotHeard) {
  const auto before = parts(1);
  ASSERT_TRUE(take(before[0]));
  target.term = 5;
  EXPECT_EQ(refusal(before[1]), Code::kPrecondition);
  const auto next = parts(1);
  ASSERT_TRUE(take(next[0], kNextLeader));
  EXPECT_EQ(refusal(before[0]), Code::kPrecondition);
  EXPECT_EQ(take(next[1], kNextLeader).value(), Taken::kPart);
}

TEST_F(SnapshotReceiverTest, DropsASnapshotWhoseRowsAreNotThoseThatWereSent) {
  auto all = parts(1);
  auto other = all;
  // Sound by itself, but not of this snapshot.
  std::swap(other[1].rows, other[2].rows);
  for (std::size_t i = 0; i + 1 < other.size(); ++i) ASSERT_TRUE(take(other[i]));
  EXPECT_EQ(refusal(other.back()), Code::kDataLoss);
  expect_nothing_gathered();
  expect_old_rows();
  EXPECT_EQ(metrics.receives_failed, 1U);
  EXPECT_EQ(metrics.received, 0U);
}

TEST_F(SnapshotReceiverTest, DropsASnapshotWithADamagedPart) {
  auto all = parts(1);
  ASSERT_TRUE(take(all[0]));
  all[1].rows.back() ^= 1;
  EXPECT_EQ(refusal(all[1]), Code::kDataLoss);
  expect_nothing_gathered();
}

TEST_F(SnapshotReceiverTest, GivesUpASnapshotAfterALongSilence) {
  const auto all = parts(1);
  ASSERT_TRUE(take(all[0]));
  now += 29s;
  receiver.look_after(now);
  ASSERT_TRUE(take(all[1]));
  now += 29s;
  receiver.look_after(now);
  EXPECT_EQ(receiver.count(), 1U);
  now += 2s;
  receiver.look_after(now);
  expect_nothing_gathered();
  EXPECT_EQ(refusal(all[2]), Code::kPrecondition);
  take_all(parts(2));
}

TEST_F(SnapshotReceiverTest, GivesUpWhatTheLogHasBrought) {
  const auto all = parts(1);
  ASSERT_TRUE(take(all[0]));
  target.committed = 50;
  EXPECT_EQ(refusal(all[1]), Code::kPrecondition);
  expect_nothing_gathered();
}

// Or the rows that are about to be in use would be dropped.
TEST_F(SnapshotReceiverTest, TakesNothingWhileOneIsInstalled) {
  take_all(parts(1));
  target.installing = true;
  EXPECT_EQ(refusal(parts(2, 60)[0]), Code::kUnavailable);
  EXPECT_EQ(gathered(), sent());
}

TEST_F(SnapshotReceiverTest, TakesFewAtATime) {
  auto all = parts(1);
  for (const std::uint32_t shard : {1U, 2U}) {
    all[0].shard = ShardId{shard};
    ASSERT_TRUE(take(all[0]));
  }
  all[0].shard = kShard;
  EXPECT_EQ(refusal(all[0]), Code::kExhausted);
  receiver.dropped(ShardId{1});
  EXPECT_TRUE(take(all[0]));
}

TEST_F(SnapshotReceiverTest, AnEmptySnapshotIsWholeAtOnce) {
  auto all = parts(1);
  all.back().number = 0;
  all.back().hash = storage::RowsHash().value();
  EXPECT_EQ(take(all.back()).value(), Taken::kWhole);
  expect_nothing_gathered();
}

TEST(SnapshotChunk, SurvivesTheWireAndDamageIsNoticed) {
  SnapshotChunk part{.shard = kShard,
                     .replica = {9},
                     .term = 4,
                     .attempt = 0xfedcba9876543210,
                     .number = 2,
                     .start = {.index = 50, .term = 3, .configuration = {}},
                     .rows = "rows",
                     .hash = {}};
  part.start.configuration.members.push_back(
      {.address = {.node = kLeader, .replica = {7}}, .voter = true});
  SnapshotChunk last = part;
  last.rows.clear();
  last.hash = {.high = 1, .low = 2};
  for (const SnapshotChunk& each : {part, last}) {
    const std::string bytes = encode(each);
    const auto decoded = decode_snapshot_chunk(bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(encode(*decoded), bytes);
    EXPECT_EQ(decoded->number, 2U);
    EXPECT_EQ(decoded->start, each.start);
    EXPECT_EQ(decoded->hash, each.hash);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      EXPECT_FALSE(decode_snapshot_chunk(bytes.substr(0, i))) << i;
    }
    EXPECT_FALSE(decode_snapshot_chunk(bytes + "x"));
  }
}

}  // namespace
}  // namespace troupe::cluster

// A large shard gets new replicas, and what may happen on the way. Parts are small, so that there
// are many.
#include <algorithm>

#include <gtest/gtest.h>

#include "storage/replica_log.h"
#include "tests/simulation/cluster/world.h"

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

constexpr ShardId kShard{0};
constexpr std::size_t kPartBytes = 300;

/// A node with a shard of many parts, and two that join it and get replicas of it.
class Snapshots : public testing::Test {
 protected:
  void SetUp() override {
    world.start(0);
    ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(0); }));
    fill(0, 1);
    world.start(1);
    world.start(2);
  }
  void TearDown() override {
    for (const std::string& each : world.violations()) ADD_FAILURE() << each;
  }

  void fill(std::size_t machine, int number) {
    for (int i = 0; i < 300; ++i) {
      const auto added =
          world.call(machine, "ledger", "customer " + std::to_string(i), "add", number, 10s);
      world.run_until(10s, [&] { return added->outcome.has_value(); });
      EXPECT_TRUE(added->ok()) << added->problem();
    }
  }
  /// Each part takes it so long to write.
  void slow_down(std::size_t machine, Duration part) {
    if (world.node(machine) == nullptr) return;
    world.node(machine)->store().latency_min = 10 * part;
    world.node(machine)->store().latency_max = 10 * part;
  }
  cluster::Replicas& replicas(std::size_t machine) {
    return world.node(machine)->cluster().replicas();
  }
  const cluster::SnapshotMetrics& metrics(std::size_t machine) {
    return replicas(machine).snapshots();
  }
  bool arriving(std::size_t machine) {
    if (world.node(machine) == nullptr) return false;
    const cluster::Replica* replica = replicas(machine).find(kShard);
    if (replica == nullptr || replica->raft().committed() > 0) return false;
    return rows_beside(machine) > 20;
  }
  /// On the side that is not in use.
  int rows_beside(std::size_t machine) {
    const auto rows =
        storage::prefix_range(replicas(machine).find(kShard)->keys().other_side().data_prefix());
    int count = 0;
    for (auto row = replicas(machine).writer().scan(rows.from, rows.to); row->valid();
         row->next()) {
      ++count;
    }
    return count;
  }
  /// Until a part of the snapshot has come to one of those that joined.
  std::size_t receiver() {
    std::size_t found = 0;
    EXPECT_TRUE(world.run_until(30s, [&] {
      for (const std::size_t machine : {1U, 2U}) {
        if (arriving(machine)) found = machine;
      }
      return found != 0;
    }));
    return found;
  }
  void expect_replicas_everywhere() {
    const auto holds = [&](std::size_t machine) {
      const cluster::Replica* replica = replicas(machine).find(kShard);
      return replica != nullptr && replica->raft().committed() > 0;
    };
    ASSERT_TRUE(world.run_until(60s, [&] {
      return world.all_ready() && holds(0) && holds(1) && holds(2) &&
             world.compare_replicas().empty();
    })) << world.compare_replicas();
    for (std::size_t machine = 0; machine < 3; ++machine) {
      EXPECT_EQ(rows_beside(machine), 0) << machine;
    }
    const auto read = world.call(1, "ledger", "customer 7", "entries", 10s);
    ASSERT_TRUE(world.run_until(10s, [&] { return read->outcome.has_value(); }));
    ASSERT_TRUE(read->ok()) << read->problem();
    EXPECT_EQ(read->value<std::vector<int>>(), (std::vector<int>{1}));
  }

  explicit Snapshots(std::uint64_t rate = 100'000'000)
      : world(5, {.expect = 1, .shards = 1, .snapshot_part = kPartBytes, .snapshot_rate = rate}) {}

  World world;
};

TEST_F(Snapshots, BringUpReplicasOfAShardOfManyParts) {
  expect_replicas_everywhere();
  EXPECT_GT(metrics(0).bytes_sent, 50 * kPartBytes);
  EXPECT_GE(metrics(0).sent, 2U);
  EXPECT_EQ(metrics(0).sends_failed, 0U);
  EXPECT_EQ(metrics(1).receives_failed, 0U);
}

struct RatedSnapshots : Snapshots {
  static constexpr std::uint64_t kRate = 5000;
  RatedSnapshots() : Snapshots(kRate) {}
};

TEST_F(RatedSnapshots, AreSentNoFasterThanAllowed) {
  receiver();
  const std::uint64_t before = metrics(0).bytes_sent;
  world.run(2s);
  const std::uint64_t sent = metrics(0).bytes_sent - before;
  const std::uint64_t allowed = 2 * kRate;
  EXPECT_GT(sent, allowed / 2);
  // Parts of two nodes and two groups may have been on their way, of two rows more than asked for.
  EXPECT_LE(sent, allowed + 8 * kPartBytes);
  expect_replicas_everywhere();
}

// However slow the receiver's disk.
TEST_F(Snapshots, NeedNoMoreMemoryThanAFewParts) {
  for (const std::size_t machine : {1U, 2U}) slow_down(machine, 20ms);
  std::size_t at_sender = 0;
  std::size_t at_receiver = 0;
  const auto holds = [&](std::size_t machine) {
    return world.ready(machine) && replicas(machine).find(kShard) != nullptr &&
           replicas(machine).find(kShard)->raft().committed() > 0;
  };
  ASSERT_TRUE(world.run_until(60s, [&] {
    if (world.node(0) != nullptr) {
      at_sender = std::max(at_sender, replicas(0).snapshot_bytes_held());
    }
    for (const std::size_t machine : {1U, 2U}) {
      if (!arriving(machine)) continue;
      at_receiver = std::max(at_receiver, replicas(machine).writer().unwritten_bytes());
    }
    return holds(1) && holds(2);
  }));
  // At most one snapshot of each shard goes out at a time, part by part.
  EXPECT_GT(at_sender, kPartBytes);
  EXPECT_LT(at_sender, 4 * kPartBytes);
  EXPECT_GT(at_receiver, kPartBytes);
  EXPECT_LT(at_receiver, 4 * kPartBytes);
  EXPECT_GT(metrics(0).bytes_sent, 80 * kPartBytes);
}

TEST_F(Snapshots, BeginAnewAfterTheReceiverCrashed) {
  for (const bool power_loss : {false, true}) {
    const std::size_t machine = receiver();
    world.crash(machine, power_loss);
    world.run(50ms);
    world.start(machine);
    // What had come is gone before anything comes again.
    ASSERT_TRUE(world.run_until(1s, [&] { return replicas(machine).find(kShard) != nullptr; }));
    EXPECT_EQ(rows_beside(machine), 0);
  }
  expect_replicas_everywhere();
}

TEST_F(Snapshots, BeginAnewAfterTheSenderCrashed) {
  static_cast<void>(receiver());
  world.crash(0);
  world.run(3s);
  world.start(0);
  expect_replicas_everywhere();
}

TEST_F(Snapshots, OfADeadSenderAreDroppedAfterAWhile) {
  const std::size_t machine = receiver();
  world.crash(0);
  world.run(20s);
  EXPECT_GT(rows_beside(machine), 0);
  world.run(15s);
  EXPECT_EQ(rows_beside(machine), 0);
  EXPECT_EQ(metrics(machine).receives_failed, 1U);
  world.start(0);
  expect_replicas_everywhere();
}

TEST_F(Snapshots, GoOnAfterABrokenConnection) {
  const std::size_t machine = receiver();
  world.fabric().reset(world.id(0), world.id(machine));
  expect_replicas_everywhere();
  EXPECT_EQ(metrics(0).sends_failed, 0U);
  EXPECT_EQ(metrics(machine).receives_failed, 0U);
}

TEST_F(Snapshots, BeginAnewAfterALongPartition) {
  const std::size_t machine = receiver();
  world.fabric().block(world.id(0), world.id(machine));
  world.run(40s);
  EXPECT_GE(metrics(0).sends_failed, 1U);
  world.fabric().heal();
  expect_replicas_everywhere();
}

TEST_F(Snapshots, LetTheShardGoOnMeanwhile) {
  const std::size_t machine = receiver();
  const auto sent = metrics(machine).received.load();
  for (int i = 0; i < 50; ++i) {
    const auto added = world.call(0, "ledger", "another", "add", i, 10s);
    ASSERT_TRUE(world.run_until(1s, [&] { return added->outcome.has_value(); }));
    ASSERT_TRUE(added->ok()) << added->problem();
  }
  expect_replicas_everywhere();
  EXPECT_EQ(metrics(machine).received.load(), sent + 1);
}

// More than is kept of a log otherwise.
TEST_F(Snapshots, AreFollowedByAllThatWasAppliedMeanwhile) {
  const std::size_t machine = receiver();
  const auto received = metrics(machine).received.load();
  slow_down(machine, 500ms);
  for (int i = 0; i < 3000; ++i) {
    const auto added = world.call(0, "ledger", "another " + std::to_string(i), "add", 1, 10s);
    ASSERT_TRUE(world.run_until(1s, [&] { return added->outcome.has_value(); }));
  }
  ASSERT_TRUE(arriving(machine)) << "it was not slow enough";
  slow_down(machine, 100us);
  expect_replicas_everywhere();
  EXPECT_EQ(metrics(machine).received.load(), received + 1);
}

}  // namespace
}  // namespace troupe::sim

#include "runtime/cluster/replica.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"
#include "storage/replica_log.h"
#include "tests/support/manual_disk.h"

namespace troupe::cluster {
namespace {

using std::chrono::milliseconds;

constexpr raft::Address kSelf{.node = {1, 1}, .replica = {1}};
constexpr raft::Address kOther{.node = {2, 2}, .replica = {2}};
constexpr raft::Address kThird{.node = {3, 3}, .replica = {3}};
constexpr std::size_t kEntryBytes = 1000;

class Nobody final : public ReplicaEvents {
 public:
  void send(ShardId, const raft::Message&) override {}
  void wrote(ShardId, std::uint64_t written) override { ticket = written; }
  void standing_changed(ShardId) override {}
  void applied(ShardId, const storage::Entry*, const storage::Outcome&) override {}
  void reconfigured(ShardId) override {}
  void send_snapshot(ShardId, const raft::SendSnapshot&) override {}
  void broken(ShardId, const Error& error) override { ADD_FAILURE() << error.message; }

  std::uint64_t ticket = 0;
};

// Keeps whatever it is given, which is nothing.
class Ignoring final : public StateMachine {
 public:
  Result<void> load(storage::ReplicaKeys keys) override {
    loaded = keys.side();
    return {};
  }
  Result<storage::Outcome> apply(raft::Term, raft::Index index, std::string_view,
                                 std::shared_ptr<const storage::Entry>&, storage::Batch&) override {
    storage::Outcome outcome;
    outcome.index = index;
    return outcome;
  }
  void put_marks(storage::Batch&) override {}

  std::optional<storage::Side> loaded;
};

/// A replica of a group of these members, whose disk is done at once.
class ReplicaTest : public ::testing::Test {
 protected:
  ReplicaTest() : writer(disk, {}, {.progress = [](auto) {}, .failed = [](const Error&) {}}) {}

  void found(const std::vector<raft::Address>& members) {
    raft::Restored restored;
    for (const raft::Address& address : members) {
      restored.log_start.configuration.members.push_back({.address = address, .voter = true});
    }
    found_replica(writer.pending(), keys, restored.log_start.configuration);
    restored.log_start.index = restored.log_start.term = 1;
    restored.applied = restored.hard_state.term = 1;
    raft::RaftOptions options;
    options.self = kSelf;
    auto ignoring = std::make_unique<Ignoring>();
    machine = ignoring.get();
    replica = std::make_unique<Replica>(
        Replica::Parts{
            .keys = keys, .options = options, .restored = restored, .machine = std::move(ignoring)},
        writer, random, events, now);
  }

  void step() {
    do {
      replica->step(now);
      writer.flush();
      disk.complete_all();
      replica->durable(now, events.ticket);
    } while (!replica->idle());
  }

  // Entries in memory, which are those on the disk.
  std::uint64_t kept() {
    const raft::Log& log = replica->raft().log();
    const auto stored = storage::load_replica_log(writer, keys);
    EXPECT_TRUE(stored);
    EXPECT_EQ(stored->entries.size(), log.last_index() - log.start().index);
    EXPECT_EQ(stored->start.index, log.start().index);
    return stored->entries.size();
  }

  void follow(std::uint64_t entries) {
    for (std::uint64_t i = 0; i < entries; ++i) {
      const raft::Log& log = replica->raft().log();
      raft::AppendRequest request{.previous_index = log.last_index(),
                                  .previous_term = log.last_term(),
                                  .committed = log.last_index() + 1};
      request.entries.push_back({.term = 1,
                                 .index = log.last_index() + 1,
                                 .kind = raft::EntryKind::kData,
                                 .data = Payload(std::string(kEntryBytes, 'x'))});
      replica->raft().receive(now, {.from = kOther, .to = kSelf, .term = 1, .body = request});
      step();
    }
  }

  const storage::ReplicaKeys keys{ShardId{3}, kSelf.replica};
  const Time now{milliseconds(1)};
  Random random{1};
  Nobody events;
  storage::ManualDisk disk;
  storage::GroupWriter writer;
  std::unique_ptr<Replica> replica;
  Ignoring* machine = nullptr;  // the replica's
};

TEST_F(ReplicaTest, AloneKeepsNoMoreOfItsLogThan64KiB) {
  found({kSelf});
  replica->raft().campaign_now(now);
  step();
  ASSERT_TRUE(replica->alone());
  std::uint64_t most = 0;
  for (int i = 0; i < 500; ++i) {
    replica->propose(now, Payload(std::string(kEntryBytes, 'x')), [](const auto&) {});
    step();
    most = std::max(most, kept());
  }
  EXPECT_GE(most, 60U);
  EXPECT_LE(most, 66U);
  EXPECT_EQ(replica->applied(), 502U);
}

TEST_F(ReplicaTest, KeepsTheEndOfALongLogForFollowersALittleBehind) {
  found({kSelf, kOther});
  follow(250);
  EXPECT_EQ(kept(), 250U);
  follow(20);
  EXPECT_GE(kept(), 64U);
  EXPECT_LE(kept(), 75U);
  EXPECT_EQ(replica->applied(), 271U);
}

// To cut it costs a write.
TEST_F(ReplicaTest, ALogThatWasCutGrowsAgainBeforeItIsCutNext) {
  found({kSelf, kOther});
  follow(270);
  const std::uint64_t rest = kept();
  ASSERT_LE(rest, 75U);
  follow(150);
  EXPECT_EQ(kept(), rest + 150);
}

// Or it would need another one at once.
TEST_F(ReplicaTest, KeepsItsLogForOneThatIsSentASnapshot) {
  found({kSelf, kOther, kThird});
  replica->raft().campaign_now(now);
  step();
  const auto answer = [&](raft::Address from, raft::Body body) {
    replica->raft().receive(now, {.from = from, .to = kSelf, .term = 2, .body = std::move(body)});
    step();
  };
  answer(kThird, raft::VoteResponse{.pre = true, .granted = true});
  answer(kThird, raft::VoteResponse{.pre = false, .granted = true});
  ASSERT_EQ(replica->raft().role(), raft::Role::kLeader);
  // What it says it lacks is older than the log.
  answer(kOther, raft::AppendResponse{.rejected = true, .index = 1});
  for (int i = 0; i < 700; ++i) {
    answer(kThird, raft::AppendResponse{.index = replica->raft().log().last_index()});
    replica->propose(now, Payload(std::string(kEntryBytes, 'x')), [](const auto&) {});
    step();
  }
  EXPECT_GE(kept(), 700U);
}

// However large it is, and whatever is applied meanwhile.
TEST_F(ReplicaTest, KeepsMoreOfItsLogWhileItIsHeld) {
  found({kSelf, kOther});
  replica->hold_log(true);
  follow(2500);
  EXPECT_EQ(kept(), 2500U);
  replica->hold_log(false);
  follow(1);
  EXPECT_LE(kept(), 75U);
}

TEST_F(ReplicaTest, ASnapshotBecomesTheStateByOneWriteThatDropsTheOldRows) {
  found({kSelf, kOther});
  follow(5);
  const storage::ReplicaKeys other = keys.other_side();
  writer.pending().put(keys.value("Cart", "old", ""), "old");
  writer.pending().put(other.value("Cart", "new", ""), "new");
  writer.flush();
  disk.complete_all();
  raft::LogStart start{.index = 100, .term = 1, .configuration = replica->raft().configuration()};
  EXPECT_FALSE(replica->install(now, {.index = 3, .term = 1, .configuration = {}}));
  ASSERT_TRUE(replica->install(now, start));
  EXPECT_TRUE(replica->installing());
  EXPECT_EQ(replica->keys().side(), storage::Side::kFirst);
  start.index = 200;
  EXPECT_FALSE(replica->install(now, start)) << "one at a time";

  replica->step(now);
  EXPECT_FALSE(replica->installing());
  EXPECT_EQ(replica->keys().side(), storage::Side::kSecond);
  EXPECT_EQ(replica->applied(), 100U);
  EXPECT_EQ(machine->loaded, storage::Side::kSecond);
  EXPECT_EQ(storage::current_replica(*disk.view(), keys.shard())->value().side(),
            storage::Side::kFirst);
  EXPECT_TRUE(storage::has_rows(*disk.view(), keys).value());

  writer.flush();
  ASSERT_TRUE(disk.busy());
  EXPECT_TRUE(disk.sync());
  disk.complete();
  const auto after = disk.view();
  EXPECT_EQ(storage::current_replica(*after, keys.shard())->value().side(), storage::Side::kSecond);
  EXPECT_FALSE(storage::has_rows(*after, keys).value());
  EXPECT_TRUE(storage::has_rows(*after, other).value());
  EXPECT_EQ(storage::load_replica_log(*after, other)->start.index, 100U);
  EXPECT_EQ(storage::applied_index(*after, other).value(), 100U);
}

}  // namespace
}  // namespace troupe::cluster

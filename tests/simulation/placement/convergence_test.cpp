// How fast news reach everyone. TROUPE_CONVERGENCE=1000 makes the table of docs/convergence.md,
// TROUPE_LOSS=0.1 one row of it.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/check.h"
#include "tests/support/gossip_world.h"

namespace troupe::placement {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

double ms(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

// The time within which `share` of `delays` lie.
double percentile(std::vector<Duration>& delays, double share) {
  if (delays.empty()) return 0;
  std::ranges::sort(delays);
  const auto last = static_cast<double>(delays.size() - 1);
  return ms(delays[static_cast<std::size_t>(last * share)]);
}

struct Spread {
  std::vector<Duration> delays;      // of each piece of news to each member
  std::vector<Duration> to_members;  // until a member had all of it
  bool complete = false;
};

Row row_of(ShardId shard, std::size_t members, std::uint64_t index) {
  Row row;
  row.version = {.term = 1, .index = index};
  row.shard = shard;
  for (std::size_t i = 0; i < 3; ++i) {
    const NodeId node = GossipWorld::member((shard.value + i * 7) % members).id;
    row.replicas.push_back(
        {.node = node, .replica = ReplicaId{std::uint64_t{shard.value} * 3 + i + 1}});
  }
  row.leader = row.replicas[0].node;
  row.owners = {
      {.type = "Cart", .node = row.leader, .generation = Generation{1}, .epoch = Epoch{index}}};
  return row;
}

// All rows change at once, each at its leader.
Spread spread_rows(GossipWorld& world, std::uint32_t shards) {
  Spread spread;
  const Time start = world.now();
  std::vector<std::uint32_t> known(world.size());
  std::size_t complete = 0;
  world.after = [&](std::size_t i) {
    for ([[maybe_unused]] const ShardId shard : world[i].gossip.rows().take_changed()) {
      spread.delays.push_back(world.now() - start);
      if (++known[i] == shards) {
        spread.to_members.push_back(world.now() - start);
        ++complete;
      }
    }
  };
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    world[shard % world.size()].gossip.rows().apply(row_of(ShardId{shard}, world.size(), 1));
  }
  for (std::size_t i = 0; i < world.size(); ++i) world.flush(i);
  spread.complete = world.run_until([&] { return complete == world.size(); }, seconds(30));
  world.after = nullptr;
  return spread;
}

using Kind = MemberEvent::Kind;

// Until every member has heard `kind` of member `about`.
Spread spread_member(GossipWorld& world, std::size_t about, Kind kind,
                     const std::function<void()>& change, std::size_t hearers) {
  Spread spread;
  const NodeId id = GossipWorld::member(about).id;
  const Time start = world.now();
  std::vector<bool> heard(world.size());
  world.after = [&](std::size_t i) {
    for (const MemberEvent& event : world[i].gossip.membership().take_events()) {
      if (event.member->id != id || event.kind != kind || heard[i]) continue;
      heard[i] = true;
      spread.delays.push_back(world.now() - start);
    }
  };
  change();
  spread.complete = world.run_until([&] { return spread.delays.size() == hearers; }, seconds(60));
  world.after = nullptr;
  return spread;
}

Spread update(GossipWorld& world, std::size_t about) {
  return spread_member(
      world, about, Kind::kUpdated,
      [&] {
        Member changed = world[about].gossip.membership().self();
        changed.draining = !changed.draining;
        world[about].gossip.membership().update_self(world.now(), changed);
        world.flush(about);
      },
      world.size() - 1);
}

TEST(Convergence, NewsOfAMemberReachAllWithinTwoSecondsAtTenPercentLoss) {
  GossipWorld world(200, 16, {.loss = 0.1}, 1);
  world.acquaint();
  world.run_for(seconds(1));
  for (std::size_t about = 0; about < 10; ++about) {
    Spread spread = update(world, about);
    ASSERT_TRUE(spread.complete);
    EXPECT_LT(percentile(spread.delays, 0.99), 2000);
  }
}

TEST(Convergence, RowsReachAllWithinTwoSecondsAtTenPercentLoss) {
  constexpr std::uint32_t kShards = 1024;
  GossipWorld world(100, kShards, {.loss = 0.1}, 2);
  world.acquaint();
  world.run_for(seconds(1));
  Spread spread = spread_rows(world, kShards);
  ASSERT_TRUE(spread.complete);
  EXPECT_LT(percentile(spread.delays, 0.99), 2000);
  EXPECT_LT(percentile(spread.to_members, 0.99), 2000);
}

TEST(Convergence, ADeathIsKnownToAllWithinTenSeconds) {
  GossipWorld world(100, 16, {.loss = 0.1}, 3);
  world.acquaint();
  world.run_for(seconds(1));
  Spread spread = spread_member(world, 7, Kind::kDied, [&] { world[7].running = false; }, 99);
  ASSERT_TRUE(spread.complete);
  EXPECT_LT(percentile(spread.delays, 1), 10'000);
}

std::size_t deaths_within(GossipWorld& world, Duration duration) {
  std::size_t deaths = 0;
  world.after = [&](std::size_t i) {
    for (const MemberEvent& event : world[i].gossip.membership().take_events()) {
      if (event.kind == Kind::kDied) ++deaths;
    }
  };
  world.run_for(duration);
  world.after = nullptr;
  return deaths;
}

TEST(Convergence, NobodyIsDeclaredDeadByTenPercentLoss) {
  GossipWorld world(200, 16, {.loss = 0.1}, 4);
  world.acquaint();
  EXPECT_EQ(deaths_within(world, seconds(30)), 0U);
}

// Of ten members.
std::size_t deaths_in_an_hour(const NetworkFaults& faults) {
  GossipWorld world(10, 16, faults, 5);
  world.acquaint();
  return deaths_within(world, seconds(3600));
}

TEST(Convergence, AnHourOfTenPercentLossKillsNobodyOfTen) {
  EXPECT_EQ(deaths_in_an_hour({.loss = 0.1, .latency_max = std::chrono::milliseconds(40)}), 0U);
}

// Each of the other nine may tell of it.
TEST(Convergence, AnHourOfThirtyPercentLossKillsAtMostOneOfTen) {
  EXPECT_LE(deaths_in_an_hour({.loss = 0.3}), 9U);
}

// The way there and back takes longer than a probe waits.
TEST(Convergence, AnHourOfLongWaysKillsNobodyOfTen) {
  EXPECT_EQ(deaths_in_an_hour({.latency_min = std::chrono::milliseconds(50),
                               .latency_max = std::chrono::milliseconds(150)}),
            0U);
}

// The table of docs/convergence.md, as Markdown on stdout.
TEST(Convergence, TableOfDocs) {
  const char* wanted = std::getenv("TROUPE_CONVERGENCE");
  if (wanted == nullptr) GTEST_SKIP() << "set TROUPE_CONVERGENCE to the number of members";
  const auto members = static_cast<std::size_t>(std::strtoul(wanted, nullptr, 10));
  constexpr std::uint32_t kShards = 4096;
  std::printf(
      "| loss | update p50 | p99 | all | 4,096 rows p50 | p99 | 99 %% of members complete | all | "
      "death known p50 | all | false deaths in 20 s | datagrams a second and member, idle | while "
      "rows "
      "spread |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  std::vector<double> losses = {0.0, 0.01, 0.1, 0.3};
  const char* only = std::getenv("TROUPE_LOSS");
  if (only != nullptr) losses = {std::strtod(only, nullptr)};
  for (const double loss : losses) {
    GossipWorld world(members, kShards, {.loss = loss}, 7);
    world.acquaint();
    world.run_for(seconds(1));
    Spread updates;
    for (std::size_t about = 0; about < 20; ++about) {
      const Spread one = update(world, about);
      EXPECT_TRUE(one.complete);
      updates.delays.insert(updates.delays.end(), one.delays.begin(), one.delays.end());
    }
    const auto count = static_cast<double>(members);
    std::uint64_t sent = world.sent;
    const std::size_t deaths = deaths_within(world, seconds(20));
    const double idle = static_cast<double>(world.sent - sent) / count / 20;
    sent = world.sent;
    const Time start = world.now();
    Spread rows = spread_rows(world, kShards);
    const double busy = static_cast<double>(world.sent - sent) / count /
                        std::max(1e-3, ms(world.now() - start) / 1000);
    Spread death =
        spread_member(world, 7, Kind::kDied, [&] { world[7].running = false; }, members - 1);
    std::printf(
        "| %.0f %% | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %zu | "
        "%.0f | %.0f |\n",
        loss * 100, percentile(updates.delays, 0.5), percentile(updates.delays, 0.99),
        percentile(updates.delays, 1), percentile(rows.delays, 0.5), percentile(rows.delays, 0.99),
        percentile(rows.to_members, 0.99), percentile(rows.to_members, 1),
        percentile(death.delays, 0.5), percentile(death.delays, 1), deaths, idle, busy);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace troupe::placement

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "tests/simulation/raft/world.h"

namespace troupe::raft {
namespace {

// How many rounds each test plays, from the environment: TROUPE_SEEDS=n, or TROUPE_SEED=n for that
// one alone.
struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 0;

  explicit Seeds(std::uint64_t share) {
    const char* one = std::getenv("TROUPE_SEED");
    const char* many = std::getenv("TROUPE_SEEDS");
    first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
    const std::uint64_t all = many != nullptr ? std::strtoull(many, nullptr, 10) : 300;
    count = one != nullptr ? 1 : std::max<std::uint64_t>(1, all * share / 100);
  }
};

// A broken invariant inside the core stops the process: the seed is told all the same.
std::uint64_t playing = 0;
void tell_seed(int) {
  std::fprintf(stderr, "stopped while playing TROUPE_SEED=%llu\n",
               static_cast<unsigned long long>(playing));
  std::_Exit(1);
}

Outcome play(const Profile& profile, std::uint64_t seed) {
  playing = seed;
  return World(profile, seed).run();
}

void play_all(const Profile& profile, std::uint64_t share) {
  std::signal(SIGABRT, tell_seed);
  const Seeds seeds(share);
  Outcome sum;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    const Outcome outcome = play(profile, seed);
    ASSERT_FALSE(outcome.violation.has_value())
        << *outcome.violation << "; repeat it with TROUPE_SEED=" << seed;
    sum.acknowledged += outcome.acknowledged;
    sum.reads += outcome.reads;
    sum.crashes += outcome.crashes;
    sum.snapshots += outcome.snapshots;
    sum.changes += outcome.changes;
  }
  std::printf(
      "%llu rounds: %llu acknowledged, %llu reads, %llu crashes, %llu snapshots, "
      "%llu changes of members\n",
      static_cast<unsigned long long>(seeds.count),
      static_cast<unsigned long long>(sum.acknowledged), static_cast<unsigned long long>(sum.reads),
      static_cast<unsigned long long>(sum.crashes), static_cast<unsigned long long>(sum.snapshots),
      static_cast<unsigned long long>(sum.changes));
}

TEST(RaftSimulation, ThreeVotersKeepTheirPromises) { play_all({}, 40); }

TEST(RaftSimulation, FiveVotersKeepTheirPromises) { play_all({.nodes = 5, .voters = 5}, 15); }

TEST(RaftSimulation, TinyLogsWithSnapshotsKeepTheirPromises) { play_all({.trailing = 4}, 20); }

TEST(RaftSimulation, ChangingMembersKeepTheirPromises) {
  play_all({.nodes = 5, .voters = 3, .members_change = true, .trailing = 16}, 25);
}

TEST(RaftSimulation, EqualSeedsPlayEqually) {
  const Profile profile{.nodes = 5, .voters = 3, .members_change = true, .trailing = 4};
  EXPECT_EQ(play(profile, 7).fingerprint, play(profile, 7).fingerprint);
  EXPECT_NE(play(profile, 7).fingerprint, play(profile, 8).fingerprint);
}

}  // namespace
}  // namespace troupe::raft

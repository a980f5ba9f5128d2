// Every schedule of small scopes: causes, numbers, epochs, outboxes and the watermark together make
// effects happen exactly once.

#include <cstdio>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/simulation/storage/effects_world.h"

namespace troupe::storage {
namespace {

struct Explored {
  std::string violation;
  std::size_t states = 0;
};

Explored explore(Without without, Scope scope) {
  std::unordered_set<std::size_t> seen;
  std::vector<EffectsWorld> open = {EffectsWorld(without, scope)};
  while (!open.empty()) {
    const EffectsWorld world = std::move(open.back());
    open.pop_back();
    for (EffectsWorld& next : world.steps()) {
      if (!seen.insert(std::hash<std::string>()(next.fingerprint())).second) continue;
      if (const std::string wrong = next.violation(); !wrong.empty()) return {wrong, seen.size()};
      open.push_back(std::move(next));
    }
  }
  return {"", seen.size()};
}

void expect_safe(Scope scope) {
  const Explored explored = explore(Without::kNothing, scope);
  EXPECT_EQ(explored.violation, "");
  std::printf("%zu states\n", explored.states);
  std::fflush(stdout);
}

TEST(EffectsModel, ACallThatIsRepeatedTakesEffectOnceInAnySchedule) {
  expect_safe({.calls = 2, .locals = 1, .retries = 1, .assigns = 2});
}

TEST(EffectsModel, AMessageArrivesOnceInAnySchedule) {
  expect_safe({.calls = 1, .locals = 1, .messages = 2, .retries = 1, .assigns = 1});
}

TEST(EffectsModel, ATickTakesEffectOnceInAnySchedule) {
  expect_safe({.calls = 1, .ticks = 2, .retries = 1, .assigns = 1, .marks = 1});
}

TEST(EffectsModel, WithoutEpochsAFormerOwnerOverwrites) {
  EXPECT_EQ(explore(Without::kEpoch, {.calls = 1, .locals = 1, .assigns = 1}).violation,
            "an update is lost");
}

TEST(EffectsModel, WithoutNumbersAnEntryThatComesTwiceIsAppliedTwice) {
  EXPECT_EQ(explore(Without::kSequence, {.locals = 1, .retries = 1}).violation,
            "local 1 took effect twice");
}

TEST(EffectsModel, WithoutCausesARepeatedCallIsAppliedTwice) {
  EXPECT_EQ(explore(Without::kCause, {.calls = 2}).violation, "call took effect twice");
}

TEST(EffectsModel, ReportedWhenSentAMessageIsLost) {
  EXPECT_EQ(explore(Without::kOutcome, {.locals = 1, .messages = 1, .assigns = 1}).violation,
            "message 1 is acknowledged and did not take effect");
}

TEST(EffectsModel, WithTheMarkTooHighAMessageIsTakenForConsumed) {
  EXPECT_EQ(explore(Without::kLowWater, {.locals = 1, .messages = 2}).violation,
            "message 1 is acknowledged and did not take effect");
}

}  // namespace
}  // namespace troupe::storage

// Many nodes that come and go at once, and calendars that jump.
#include <gtest/gtest.h>

#include "tests/simulation/cluster/actors.h"
#include "tests/simulation/cluster/three.h"

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

/// Three nodes that hold what there is, and 57 that only host actors.
struct SixtyNodes : Three {
  static constexpr std::size_t kNodes = 60;

  SixtyNodes() : Three({.shards = 16, .storing = 3}) {
    while (world.size() < kNodes) world.add_machine();
  }
  void SetUp() override {
    for (std::size_t i = 0; i < 3; ++i) world.start(i);
    ASSERT_TRUE(world.run_until(10s, [&] {
      return world.ready(0) && world.ready(1) && world.ready(2);
    })) << statuses();
    add_everywhere(0, 1);
  }

  // One after the other, within a second and a half.
  template <class Do>
  void storm(Do each) {
    for (std::size_t i = 3; i < kNodes; ++i) {
      world.run(Duration(1ms) * static_cast<Duration::rep>(world.random().below(50)));
      each(i);
    }
  }
  // All that run know these to run, and nobody else, and have the same newest rows.
  bool agree_on(std::size_t nodes) {
    for (std::size_t i = 0; i < kNodes; ++i) {
      if (world.node(i) == nullptr) continue;
      if (!world.ready(i) || world.node(i)->cluster().members()->reachable().size() != nodes) {
        return false;
      }
      for (ShardId shard{0}; shard.value < 16; ++shard.value) {
        const auto row = world.node(i)->cluster().table()->lookup(shard);
        const auto first = world.node(0)->cluster().table()->lookup(shard);
        if (!row || !first || row->version != first->version) return false;
      }
    }
    return true;
  }
  void expect_agreement_on(std::size_t nodes) {
    const Time last = world.now();
    EXPECT_TRUE(world.run_until(20s, [&] { return agree_on(nodes); }));
    EXPECT_LT(world.now() - last, 5s);
    RecordProperty("agreed_on_" + std::to_string(nodes) + "_ms",
                   std::to_string(milliseconds(world.now() - last)));
  }
};

TEST_F(SixtyNodes, ComeGoAndComeAgainAtOnce) {
  storm([&](std::size_t i) { world.start(i); });
  expect_agreement_on(60);
  add_everywhere(59, 2);
  storm([&](std::size_t i) { world.stop(i); });
  ASSERT_TRUE(world.run_until(15s, [&] {
    for (std::size_t i = 3; i < kNodes; ++i) {
      if (world.node(i) != nullptr) return false;
    }
    return true;
  }));
  expect_agreement_on(3);
  add_everywhere(1, 3);
  storm([&](std::size_t i) { world.start(i); });
  expect_agreement_on(60);
  expect_everywhere(30, {1, 2, 3});
}

TEST_F(SixtyNodes, AreKilledAtOnceAndComeAgain) {
  storm([&](std::size_t i) { world.start(i); });
  expect_agreement_on(60);
  add_everywhere(59, 2);
  for (std::size_t i = 3; i < kNodes; ++i) world.crash(i);
  const Time killed = world.now();
  ASSERT_TRUE(world.run_until(2min, [&] { return agree_on(3); }));
  RecordProperty("forgotten_ms", std::to_string(milliseconds(world.now() - killed)));
  add_everywhere(1, 3);
  storm([&](std::size_t i) { world.start(i); });
  expect_agreement_on(60);
  expect_everywhere(30, {1, 2, 3});
}

struct RingsOnce : Three {
  // Rings of each of 20 actors, each to come a minute after it was wished for.
  void wish() {
    for (int i = 0; i < 20; ++i) {
      ask(world, world.call(0, "alarm", std::to_string(i), "set",
                            Wish{.number = 1, .delay_ms = 60'000}, 10s));
    }
  }
  std::size_t rings(int actor) {
    const auto read = ask(world, world.call(1, "alarm", std::to_string(actor), "rings", 10s));
    return read->value<std::vector<Ring>>().size();
  }
  void step_all(Duration by) {
    for (std::size_t i = 0; i < world.size(); ++i) world.step_calendar(i, by);
  }
};

TEST_F(RingsOnce, WhenAllCalendarsJumpAnHourAhead) {
  wish();
  world.run(5s);
  step_all(1h);
  world.run(5s);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rings(i), 1U) << i;
  world.run(2min);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rings(i), 1U) << i;
}

TEST_F(RingsOnce, WhenAllCalendarsJumpAnHourBackAndAheadAgain) {
  wish();
  world.run(5s);
  step_all(-1h);
  world.run(70s);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rings(i), 0U) << i;
  step_all(1h);
  world.run(5s);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rings(i), 1U) << i;
  world.run(2min);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rings(i), 1U) << i;
}

TEST_F(RingsOnce, WhenOneCalendarJumpsToAndFro) {
  wish();
  for (int i = 0; i < 12; ++i) {
    world.step_calendar(static_cast<std::size_t>(i) % 3, i % 2 == 0 ? 1h : -1h);
    world.run(3s);
  }
  world.run(90s);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rings(i), 1U) << i;
}

}  // namespace
}  // namespace troupe::sim

// One node of three is slow: the actors of the others are not.
#include "tests/simulation/cluster/three.h"

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

struct BesideASlowNode : Three {
  static constexpr std::size_t kSlow = 2;

  /// Ledgers of shards that another node than the slow one leads.
  std::vector<std::string> ledgers_of_the_others() {
    std::vector<std::string> ledgers;
    for (int i = 0; ledgers.size() < 10; ++i) {
      const std::string ledger = std::to_string(i);
      const auto leader = world.leader(world.shard_of("ledger", ledger));
      if (leader && *leader != kSlow) ledgers.push_back(ledger);
    }
    return ledgers;
  }

  /// What a slow call to them takes, before and while `slow_down` runs again and again.
  template <class SlowDown>
  void expect_the_others_unharmed(SlowDown slow_down) {
    add_everywhere(0, 0);
    world.run(3s);
    Callers callers(world, 0, ledgers_of_the_others());
    callers.go_on(200ms);
    callers.measure_anew();
    callers.go_on(1s);
    const Duration before = callers.slow_call();
    callers.measure_anew();
    for (const Time end = world.now() + 2s; world.now() < end;) slow_down(callers);
    EXPECT_LE(milliseconds(callers.slow_call()), 1.2 * milliseconds(before));
    RecordProperty("before_ms", std::to_string(milliseconds(before)));
    RecordProperty("beside_ms", std::to_string(milliseconds(callers.slow_call())));
  }
};

TEST_F(BesideASlowNode, WhoseDiskTakesHalfASecondForEachWriteTheOthersAreAsFastAsBefore) {
  expect_the_others_unharmed([&](Callers& callers) {
    world.node(kSlow)->store().latency_min = 400ms;
    world.node(kSlow)->store().latency_max = 600ms;
    callers.go_on(500ms);
  });
}

TEST_F(BesideASlowNode, WhichRunsATwentiethOfTheTimeTheOthersAreAsFastAsBefore) {
  expect_the_others_unharmed([&](Callers& callers) {
    world.pause(kSlow);
    callers.go_on(95ms);
    world.resume(kSlow);
    callers.go_on(5ms);
  });
}

}  // namespace
}  // namespace troupe::sim

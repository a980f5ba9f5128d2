// What operators see of faults: in the metrics and the list of shards of a node that goes on.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "runtime/base/clock.h"
#include "tests/faults/cluster/faulty_network.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

class SeenFaults : public FaultyNetwork {
 protected:
  static constexpr std::size_t kWatcher = 0;
  static constexpr std::size_t kVictim = 2;

  // As node `from` says; -1: it does not.
  double metric(const std::string& series, std::size_t from = kWatcher) {
    const std::string text = cluster_->get(from, "/metrics").body;
    const std::size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }
  double dead() { return metric(R"(troupe_nodes{app_id="",status="dead"})"); }
  double under_replicated() { return metric(R"(troupe_shards_under_replicated{app_id=""})"); }
  double lag() {
    constexpr std::string_view kLag = R"(troupe_replica_lag_entries{app_id=""})";
    return std::max(metric(std::string(kLag), 0), metric(std::string(kLag), 1));
  }
  std::string shards() { return cluster_->get(kWatcher, "/troupe/v1/shards").body; }

  // Waits for it, and writes down for how long that was.
  template <class Seen>
  void expect_seen(const std::string& what, Seen seen) {
    const SystemClock clock;
    const Time began = clock.now();
    EXPECT_TRUE(eventually(seen)) << what;
    RecordProperty(what + "_ms", static_cast<int>((clock.now() - began) / 1ms));
  }
  void expect_all_well() {
    expect_seen("mended", [&] {
      return dead() == 0 && under_replicated() == 0 &&
             shards().find(R"("silent":1)") == std::string::npos;
    });
  }
  void expect_node_lost() {
    expect_seen("dead", [&] { return dead() == 1; });
    expect_seen("under_replicated", [&] { return under_replicated() > 0; });
    expect_seen("silent", [&] { return shards().find(R"("silent":1)") != std::string::npos; });
  }
};

TEST_F(SeenFaults, AKilledNodeIsMissedByItsShardsAndNewLeadersAreCounted) {
  const std::string elections = R"(troupe_elections_won_total{app_id=""})";
  const double before = metric(elections, 0) + metric(elections, 1);
  cluster_->process(kVictim).kill();
  expect_node_lost();
  EXPECT_GT(metric(elections, 0) + metric(elections, 1), before);
  cluster_->start(kVictim);
  expect_recovery();
  expect_all_well();
}

TEST_F(SeenFaults, ANodeThatStandsStillIsMissedByItsShards) {
  cluster_->process(kVictim).signal(SIGSTOP);
  expect_node_lost();
  cluster_->process(kVictim).signal(SIGCONT);
  expect_recovery();
  expect_all_well();
}

TEST_F(SeenFaults, ANodeThatIsCutOffIsMissedAndMissesTheOthers) {
  network_->set_around({host(kVictim)}, {.cut = true});
  expect_node_lost();
  expect_seen("others_dead",
              [&] { return metric(R"(troupe_nodes{app_id="",status="dead"})", kVictim) == 2; });
  expect_recovery();
  expect_all_well();
}

TEST_F(SeenFaults, ASlowWayShowsAsReplicasThatLag) {
  network_->set_around({host(kVictim)}, {.delay = 400ms});
  expect_seen("lag", [&] { return lag() > 0; });
  network_->heal();
  expect_recovery();
}

}  // namespace
}  // namespace troupe

// Five nodes, of which three hold each shard: what takes two of them at once.
#include <chrono>
#include <csignal>

#include <gtest/gtest.h>

#include "tests/faults/cluster/faulty_network.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

class FiveNodes : public FaultyNetwork {
 protected:
  FiveNodes() : FaultyNetwork(5) {}

  // Shards of which two replicas are away wait for them, and lose nothing.
  void expect_all_back() {
    for (const std::size_t node : {3U, 4U}) {
      if (cluster_->process(node).runs()) continue;
      cluster_->start(node);
      ASSERT_TRUE(cluster_->ready(node));
    }
    expect_recovery();
  }
};

TEST_F(FiveNodes, LoseNothingWhenTwoAreKilledAtOnce) {
  cluster_->process(3).kill();
  cluster_->process(4).kill();
  pause(3s);
  expect_all_back();
}

TEST_F(FiveNodes, LoseNothingWhenTwoAreCutOffTogether) {
  network_->set_around({host(3), host(4)}, {.cut = true});
  pause(3s);
  expect_all_back();
}

TEST_F(FiveNodes, GoOnWhenOneIsCutOff) {
  network_->set_around({host(4)}, {.cut = true});
  EXPECT_TRUE(load_->goes_on(100));
  expect_all_back();
}

TEST_F(FiveNodes, LoseNothingWhenAllAreKilledAtOnce) {
  for (std::size_t node = 0; node < cluster_->size(); ++node) cluster_->process(node).kill();
  for (std::size_t node = 0; node < cluster_->size(); ++node) cluster_->start(node);
  ASSERT_TRUE(cluster_->all_ready());
  expect_recovery();
}

}  // namespace
}  // namespace troupe

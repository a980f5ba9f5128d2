#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sdk/examples/counter/counter.h"
#include "tests/faults/cluster/recorded_load.h"
#include "tests/support/node_cluster.h"
#include "tests/support/virtual_network.h"

namespace troupe {

/// The host of a node; host 0 is the test.
constexpr std::size_t host(std::size_t node) { return node + 1; }

/// Nodes on hosts of their own, under a load that is checked for linearizability in the end.
class FaultyNetwork : public testing::Test {
 protected:
  /// The load prefers the nodes of `through`, and asks all.
  explicit FaultyNetwork(std::size_t nodes = 3, std::vector<std::size_t> through = {0, 1, 2})
      : nodes_(nodes), through_(std::move(through)) {}

  void SetUp() override {
    if (const std::string why = VirtualNetwork::impossible(); !why.empty()) GTEST_SKIP() << why;
    network_ = std::make_unique<VirtualNetwork>(nodes_, 1);
    cluster_ = std::make_unique<NodeCluster>(TROUPE_COUNTER, nodes_, network_.get());
    cluster_->start_all();
    ASSERT_TRUE(cluster_->all_ready()) << cluster_->log(0);
    load_ = std::make_unique<RecordedLoad>(*cluster_, 6, through_);
    ASSERT_TRUE(load_->goes_on());
  }
  void TearDown() override {
    if (load_ == nullptr) return;
    load_->stop();
    RecordProperty("acknowledged", load_->acknowledged());
    RecordProperty("silence_ms",
                   static_cast<int>(load_->longest_silence() / std::chrono::milliseconds(1)));
    EXPECT_EQ(load_->wrong(cluster_->directory()), "");
  }

  /// After what was done to it: every node answers, and all goes on.
  void expect_recovery() {
    network_->heal();
    for (std::size_t node = 0; node < cluster_->size(); ++node) {
      EXPECT_TRUE(eventually([&] { return answers(node) || !cluster_->process(node).runs(); }))
          << node;
      ASSERT_TRUE(cluster_->process(node).runs()) << "somebody else ended node " << node;
    }
    EXPECT_TRUE(load_->goes_on());
  }
  bool answers(std::size_t node) const {
    return bool{cluster_->client_of(node, std::chrono::seconds(1))
                    .actor<Counter>("shared0")
                    .call<&Counter::value>()
                    .result()};
  }

  const std::size_t nodes_;
  const std::vector<std::size_t> through_;
  std::unique_ptr<VirtualNetwork> network_;
  std::unique_ptr<NodeCluster> cluster_;
  std::unique_ptr<RecordedLoad> load_;
};

}  // namespace troupe

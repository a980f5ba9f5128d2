#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

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

  void SetUp() override;
  void TearDown() override;

  /// After what was done to it: every node answers, and all goes on.
  void expect_recovery();
  bool answers(std::size_t node) const;

  const std::size_t nodes_;
  const std::vector<std::size_t> through_;
  std::unique_ptr<VirtualNetwork> network_;
  std::unique_ptr<NodeCluster> cluster_;
  std::unique_ptr<RecordedLoad> load_;
};

}  // namespace troupe

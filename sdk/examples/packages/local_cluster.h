#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "sdk/examples/packages/node_process.h"
#include <troupe/client.h>
#include <troupe/result.h>

struct LocalClusterOptions {
  std::string program;        // the node: this program
  std::string directory;      // data and logs
  std::size_t founders = 3;   // nodes that found the cluster together
  std::size_t nodes_max = 4;  // with those added later
  std::size_t shards = 64;    // fewer than usual, for few nodes on one machine
};

/// Nodes of one cluster on the loopback of this machine, each a process. For one thread.
class LocalCluster {
 public:
  explicit LocalCluster(LocalClusterOptions options);

  /// Takes ports, and starts the nodes that found the cluster.
  troupe::Result<void> start();
  /// One node more. Requires that there are fewer than `nodes_max`.
  troupe::Result<void> add();
  /// Asks a node to hand over what it has and to stop, and waits for it.
  troupe::Result<void> stop(std::size_t node);
  /// Starts it again, with the data it had.
  troupe::Result<void> restart(std::size_t node);
  /// All that run, at once.
  troupe::Result<void> stop_all();

  /// Processes that run.
  std::size_t up();
  /// A client that prefers this node and knows all.
  troupe::Client client(std::size_t node) const;
  /// A client of this node only.
  troupe::Client client_of(std::size_t node) const;

 private:
  struct Node {
    std::string name;
    std::string peers;  // addresses
    std::string http;
    NodeProcess process;
  };

  troupe::Result<void> run(std::size_t node);

  LocalClusterOptions options_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::size_t started_ = 0;
};

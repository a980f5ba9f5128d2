#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <troupe/actor_type.h>
#include <troupe/client.h>
#include <troupe/result.h>

/// A node inside a program that has a `main` of its own. See run.h for the usual way.
namespace troupe {

struct NodeOptions {
  std::string data_directory = {};        // empty: in memory only, gone with the node
  std::vector<std::string> join = {};     // peers, `host:port`; none: a cluster of one
  std::string listen = "127.0.0.1:7400";  // for peers; port 0: any free one
  std::string http = {};                  // API, `host:port`; empty: none
  std::string grpc = {};                  // likewise
  std::uint32_t bootstrap_expect = 0;     // nodes that make a new cluster; 0: see `join`
};

/// A node of a cluster in this process. Its destructor stops it. Thread-safe but for its
/// construction and end.
class Node {
 public:
  Node(NodeOptions options, std::vector<ActorType> types);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  /// Returns when the node serves calls. Once.
  Result<void> start();
  /// Hands its actors over and stops. Does nothing when it does not run.
  void stop();

  /// Calls actors of the whole cluster, without a hop for those of this node.
  Client client();
  /// Where peers find it, `host:port`. Requires a node that runs.
  std::string address() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace troupe

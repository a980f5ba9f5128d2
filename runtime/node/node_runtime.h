#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/node/node_settings.h"
#include <troupe/actor_type.h>
#include <troupe/client.h>
#include <troupe/result.h>

namespace troupe::node {

/// A whole node: builds every part in the order of the layers, and takes them down in reverse.
class NodeRuntime {
 public:
  /// `ended` is called at most once, on any thread, when the node cannot go on (with the reason) or
  /// was asked over its API to stop (without): call stop(), elsewhere.
  NodeRuntime(NodeSettings settings, std::vector<ActorType> types, Log log,
              std::function<void(std::optional<Error>)> ended);
  ~NodeRuntime();
  NodeRuntime(const NodeRuntime&) = delete;
  NodeRuntime& operator=(const NodeRuntime&) = delete;

  /// Opens the data, listens, and begins to found or join a cluster. Errors say what to do.
  Result<void> start();
  /// Waits until the node serves calls, or `patience` is over.
  bool wait_ready(Duration patience);
  /// Whether GET /v1.0/healthz says so: it serves calls, and what the app hosts is settled.
  bool settled() const;
  /// Hands actors and shards over, as far as others can take them, and stops. Once.
  void stop();

  std::string peer_address() const;
  std::string http_address() const;
  /// Empty without a gRPC API.
  std::string grpc_address() const;
  std::string status() const;
  /// Calls from this process. Requires a node that runs; outlived by it.
  std::shared_ptr<ClientTransport> client_transport();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace troupe::node

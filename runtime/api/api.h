#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/api/service.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/net/http_server.h"

namespace troupe::actors {
class Actors;
}
namespace troupe::cluster {
class Cluster;
}
namespace troupe::blocks::state {
class Stores;
}

namespace troupe::api {

class Admin;
class ComponentList;

struct ApiOptions {
  std::string app_id;
  std::string version = "0.1.0";
  std::string api_token;  // empty: nobody is asked for one
  /// Beside this node: what it hosts is not known before offer().
  std::optional<AppConnection> app = {};
};

struct ApiDependencies {
  cluster::Cluster& cluster;
  Executor& loop;  // the node loop: all of the cluster's facts are read there
  Clock& clock;
  Log log;
  /// POST /v1.0/shutdown: stop in order, or at once with exit code 1. On any thread; must not
  /// block.
  std::function<void(bool force)> shutdown;
  const blocks::state::Stores* stores = nullptr;  // null: none
  const ComponentList* components = nullptr;      // null: none
};

/// The API of one node, put together: the service, what it asks of cluster and actors, and the HTTP
/// side.
///
///     Api api(...);            // requests are answered from now on: "not ready"
///     HttpServer server(..., api.http());
///     cluster.start([&](Generation) { ...; api.serve(actors, types); });
///     ...
///     server.stop(); cluster.stop(); api goes before the actors and the cluster
class Api {
 public:
  Api(const ApiDependencies& dependencies, const ApiOptions& options);
  /// Requires that the servers have stopped; calls under way are answered to nobody.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// This node is registered, and `actors` run on it. On the loop, once.
  void serve(actors::Actors& actors, std::vector<std::string> types);
  /// What this node hosts from now on; `outside`, sorted: of these, what the app beside it runs. On
  /// any thread, after serve().
  void offer(std::vector<std::string> types, std::vector<std::string> outside);

  net::HttpHandler& http();
  Service& service();
  Admin& admin();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace troupe::api

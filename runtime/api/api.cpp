#include "runtime/api/api.h"

#include <utility>

#include "runtime/api/cluster_admin.h"
#include "runtime/api/http/http_api.h"
#include "runtime/api/service.h"
#include "runtime/api/trace.h"

namespace troupe::api {

struct Api::Parts {
  Parts(const ApiDependencies& dependencies, const ApiOptions& options)
      : admin(dependencies.cluster, dependencies.loop, dependencies.clock),
        traces(random_seed()),
        service({.clock = dependencies.clock,
                 .backend = admin,
                 .admin = admin,
                 .traces = traces,
                 .stores = dependencies.stores,
                 .components = dependencies.components},
                {.app_id = options.app_id, .version = options.version, .app = options.app}),
        http({.service = service,
              .admin = admin,
              .traces = traces,
              .shutdown = dependencies.shutdown},
             {.api_token = options.api_token}) {}

  ClusterAdmin admin;
  Traces traces;
  Service service;
  HttpApi http;
};

Api::Api(const ApiDependencies& dependencies, const ApiOptions& options)
    : parts_(std::make_unique<Parts>(dependencies, options)) {
  if (options.app) parts_->admin.await_app();
  if (options.api_token.empty()) {
    dependencies.log.debug("the API asks nobody for a token");
  }
}

Api::~Api() = default;

void Api::serve(actors::Actors& actors, std::vector<std::string> types) {
  parts_->admin.serve(actors, std::move(types));
}

void Api::offer(std::vector<std::string> types, std::vector<std::string> outside) {
  parts_->admin.offer(std::move(types), std::move(outside));
}

net::HttpHandler& Api::http() { return parts_->http; }
Service& Api::service() { return parts_->service; }
Admin& Api::admin() { return parts_->admin; }

}  // namespace troupe::api

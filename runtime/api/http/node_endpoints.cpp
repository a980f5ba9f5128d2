// Dapr's endpoints of the node itself: health, metadata, shutdown.
#include <array>
#include <utility>

#include "runtime/api/http/bodies.h"
#include "runtime/api/http/exchange.h"

namespace troupe::api {
namespace {

constexpr Status kNotReady{500, GrpcCode::kInternal};

void healthz(Exchange exchange) {
  const Service& service = exchange.on.service;
  const net::Query query = exchange.request.query();
  if (const auto app = query.find("appid"); app && *app != service.app_id()) {
    return exchange.error({"ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match", kNotReady});
  }
  if (service.settled()) return exchange.nothing();
  exchange.error({"ERR_HEALTH_NOT_READY",
                  service.ready() ? "dapr is not ready: [app]" : "dapr is not ready: [cluster]",
                  kNotReady});
}

void healthz_outbound(Exchange exchange) {
  if (exchange.on.service.ready()) return exchange.nothing();
  exchange.error({"ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready", kNotReady});
}

void metadata(Exchange exchange) { exchange.json(metadata_json(exchange.on.service.metadata())); }

void put_metadata(Exchange exchange) {
  const Result<void> set = exchange.on.service.set_metadata(
      exchange.parameters[0], std::string(exchange.request.body.view()));
  if (!set) return exchange.error(Operation::kAdmin, set.error());
  exchange.nothing();
}

void shutdown(Exchange exchange) {
  const auto force = exchange.request.headers.find("dapr-force-shutdown");
  const std::function<void(bool)>& stop = exchange.on.shutdown;
  exchange.nothing();
  if (stop) stop(force && net::same_without_case(*force, "true"));
}

constexpr std::array<Route<Endpoint>, 5> kRoutes{{
    {"GET", "/v1.0/healthz", healthz},
    {"GET", "/v1.0/healthz/outbound", healthz_outbound},
    {"GET", "/v1.0/metadata", metadata},
    {"PUT", "/v1.0/metadata/{key}", put_metadata},
    {"POST", "/v1.0/shutdown", shutdown},
}};

}  // namespace

Routes node_routes() { return kRoutes; }

}  // namespace troupe::api

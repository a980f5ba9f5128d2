#include "runtime/node/side_listeners.h"

namespace troupe::node {
namespace {

bool is_metrics(std::string_view method, std::string_view path) {
  return method == "GET" && path == "/metrics";
}

bool is_public(std::string_view method, std::string_view path) {
  return method == "GET" &&
         (path == "/v1.0/healthz" || path == "/v1.0/healthz/outbound" || path == "/v1.0/metadata");
}

}  // namespace

Result<void> SideListeners::start(const NodeSettings& settings, net::IoThreads& threads, Log log,
                                  net::HttpHandler& next, Options options_of) {
  struct Wanted {
    std::string flag;
    const std::string& address;
    SomePaths::Wanted paths;
  };
  for (const Wanted& each : {Wanted{"--metrics", settings.metrics, is_metrics},
                             Wanted{"--public-http", settings.public_http, is_public}}) {
    if (each.address.empty()) continue;
    Result<net::HttpServerOptions> options = options_of(each.flag, each.address);
    if (!options) return fail(options.error());
    listeners_.push_back(std::make_unique<Listener>(each.paths, settings.api_token, next));
    Listener& side = *listeners_.back();
    side.server.emplace(threads, log, std::move(*options), side.paths);
    const Result<void> started = side.server->start();
    if (!started) return fail(started.error().code, each.flag + ": " + started.error().message);
  }
  return {};
}

void SideListeners::stop(Duration patience) {
  for (const auto& each : listeners_) {
    if (each->server) each->server->stop(patience);
  }
}

}  // namespace troupe::node

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/net/http_server.h"
#include "runtime/node/node_settings.h"

namespace troupe::node {

/// Lets through what `wanted` names, as if it had shown the API's token, and knows nothing else:
/// for listeners beside that of the API.
class SomePaths final : public net::HttpHandler {
 public:
  using Wanted = bool (*)(std::string_view method, std::string_view path);

  /// `next` outlives it.
  SomePaths(Wanted wanted, std::string token, net::HttpHandler& next)
      : wanted_(wanted), token_(std::move(token)), next_(next) {}

  void handle(net::HttpRequest request, net::HttpResponder respond) override {
    if (!wanted_(request.method, request.path())) return respond({.status = 404});
    if (!token_.empty()) request.headers.set("dapr-api-token", token_);
    next_.handle(std::move(request), std::move(respond));
  }

 private:
  Wanted wanted_;
  std::string token_;
  net::HttpHandler& next_;
};

/// The listeners beside that of the API: of metrics, and of health and metadata. For one owner.
class SideListeners {
 public:
  using Options = Result<net::HttpServerOptions> (*)(const std::string& flag,
                                                     const std::string& address);

  /// Opens those that are wanted; `next` outlives them. Errors name the flag.
  Result<void> start(const NodeSettings& settings, net::IoThreads& threads, Log log,
                     net::HttpHandler& next, Options options_of);
  /// As HttpServer::stop().
  void stop(Duration patience);
  void clear() { listeners_.clear(); }

 private:
  struct Listener {
    Listener(SomePaths::Wanted wanted, const std::string& token, net::HttpHandler& next)
        : paths(wanted, token, next) {}

    SomePaths paths;
    std::optional<net::HttpServer> server;
  };
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace troupe::node

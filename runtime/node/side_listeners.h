#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/net/http_server.h"

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

/// A listener for some paths only.
struct SideListener {
  SideListener(SomePaths::Wanted wanted, const std::string& token, net::HttpHandler& next)
      : paths(wanted, token, next) {}

  SomePaths paths;
  std::optional<net::HttpServer> server;
};

inline bool is_metrics(std::string_view method, std::string_view path) {
  return method == "GET" && path == "/metrics";
}

inline bool is_public(std::string_view method, std::string_view path) {
  return method == "GET" &&
         (path == "/v1.0/healthz" || path == "/v1.0/healthz/outbound" || path == "/v1.0/metadata");
}

}  // namespace troupe::node

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/api/admin.h"
#include "runtime/api/http/exchange.h"
#include "runtime/api/service.h"
#include "runtime/net/http_server.h"

namespace troupe::api {

struct HttpApiOptions {
  /// Callers must show it as `dapr-api-token`, except for health. Empty: nobody is asked.
  std::string api_token;
};

/// The API over HTTP: Dapr's actor endpoints and the native `/troupe/v1/`. Only translates: what an
/// operation does is Service's and Admin's. The table of endpoints is README.md's.
///
/// Thread-safe, as an HttpHandler is.
class HttpApi final : public net::HttpHandler {
 public:
  struct Dependencies {
    Service& service;
    Admin& admin;
    Traces& traces;
    /// Asked to stop this process: in order, or at once. Called on any thread; must not block.
    std::function<void(bool force)> shutdown;
  };

  /// All outlive it and the requests begun.
  HttpApi(Dependencies dependencies, HttpApiOptions options);

  void handle(net::HttpRequest request, net::HttpResponder respond) override;

  /// The body of what the server itself refuses (HttpServerOptions::error_body).
  static net::HttpResponse refused(int status, std::string_view message);

 private:
  bool admitted(const net::HttpRequest& request, const Segments& segments) const;

  Dependencies deps_;
  HttpApiOptions options_;
  EndpointContext context_;
};

}  // namespace troupe::api

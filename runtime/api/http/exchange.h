#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/api/http/route_table.h"
#include "runtime/api/service.h"
#include "runtime/net/http_server.h"

namespace troupe::api {

/// What endpoints work with. All outlive the requests.
struct EndpointContext {
  Service& service;
  Admin& admin;
  const std::function<void(bool force)>& shutdown;
};

/// One request at its endpoint, and the right to answer it.
struct Exchange {
  const EndpointContext& on;
  net::HttpRequest request;
  Parameters parameters;
  net::HttpResponder respond;
  std::string traceparent;  // of the answer; empty: none

  /// The actor that the first two parameters name.
  ActorKey key() const { return {parameters[0], parameters[1]}; }
  /// Headers for the service, without those that end at this hop.
  Context context() const;
  /// A parameter of the query, empty if there is none.
  std::string query(std::string_view name) const;

  // Each answers, once.
  void answer(net::HttpResponse response);
  void json(std::string body);
  void nothing();  // 204
  void error(const ApiError& error);
  void error(Operation operation, const Error& error) { this->error(api_error(operation, error)); }
};

using Endpoint = void (*)(Exchange);
using Routes = std::span<const Route<Endpoint>>;

/// Dapr's endpoints of actors; of the node itself; the native ones; and those of them for `troupe
/// backup` and `restore`.
Routes actor_routes();
Routes node_routes();
Routes admin_routes();
Routes backup_routes();
/// Dapr's of the building block of state.
Routes state_routes();

/// The JSON of an error: `{"errorCode":...,"message":...}`.
net::HttpResponse error_response(const ApiError& error);

}  // namespace troupe::api

#include "runtime/api/http/http_api.h"

#include <array>
#include <utility>

#include "runtime/api/secret.h"

namespace troupe::api {
namespace {

bool open_to_all(std::string_view method, const Segments& segments) {
  if (method != "GET" || segments.size() < 2) return false;
  if (segments[0] != "v1.0" || segments[1] != "healthz") return false;
  return segments.size() == 2 || (segments.size() == 3 && segments[2] == "outbound");
}

std::string not_found(const net::HttpRequest& request) {
  return "no endpoint " + request.method + " " + std::string(request.path());
}

// Dapr takes whatever it does not know for a call of another app.
ApiError unknown(const net::HttpRequest& request, const Segments& segments) {
  if (segments.size() > 0 && segments[0] == "troupe") {
    return api_error(Operation::kAdmin, {Code::kNotFound, not_found(request)});
  }
  const bool call = request.headers.contains("dapr-app-id") ||
                    (segments.size() > 2 && segments[0] == "v1.0" && segments[1] == "invoke");
  if (call) return {"ERR_DIRECT_INVOKE", "invoke API is not ready", {500, GrpcCode::kInternal}};
  return {"ERR_DIRECT_INVOKE",
          "failed getting app id either from the URL path or the header dapr-app-id",
          {404, GrpcCode::kNotFound}};
}

net::HttpResponse text(int status, std::string body) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(body)};
}

}  // namespace

HttpApi::HttpApi(Dependencies dependencies, HttpApiOptions options)
    : deps_(std::move(dependencies)),
      options_(std::move(options)),
      context_{.service = deps_.service, .admin = deps_.admin, .shutdown = deps_.shutdown} {}

bool HttpApi::admitted(const net::HttpRequest& request, const Segments& segments) const {
  if (options_.api_token.empty() || open_to_all(request.method, segments)) return true;
  const auto token = request.headers.find("dapr-api-token");
  return token && same_secret(options_.api_token, *token);
}

void HttpApi::handle(net::HttpRequest request, net::HttpResponder respond) {
  const Segments segments(request.path());
  if (!admitted(request, segments)) return respond(text(401, "invalid api token"));
  for (const Routes routes :
       {actor_routes(), state_routes(), node_routes(), admin_routes(), backup_routes()}) {
    auto match = find_route(routes, request.method, segments);
    if (!match) continue;
    if (!*match) return respond(text(400, match->error().message));
    std::string traceparent;
    if (!open_to_all(request.method, segments)) {
      traceparent =
          deps_.traces.continued(request.headers.find("traceparent").value_or(std::string_view()));
    }
    return (*match)->route->endpoint({.on = context_,
                                      .request = std::move(request),
                                      .parameters = std::move((*match)->parameters),
                                      .respond = std::move(respond),
                                      .traceparent = std::move(traceparent)});
  }
  respond(error_response(unknown(request, segments)));
}

net::HttpResponse HttpApi::refused(int status, std::string_view message) {
  const std::string_view code = status < 500 ? "ERR_BAD_REQUEST" : "ERROR";
  return error_response({std::string(code), std::string(message), {status, GrpcCode::kUnknown}});
}

}  // namespace troupe::api

#include "tools/troupe/node_api.h"

#include <future>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/net/http_client.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/net/url.h"
#include "tools/troupe/json_view.h"
#include "tools/troupe/table.h"

namespace troupe::tools {
namespace {

constexpr std::size_t kAnswerBytesMax = 16 << 20;

Code code_of(int status) {
  switch (status) {
    case 400:
      return Code::kInvalid;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kDenied;
    case 404:
      return Code::kNotFound;
    case 412:
      return Code::kPrecondition;
    case 429:
      return Code::kExhausted;
    case 503:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

// What the node said, from {"errorCode", "message"} or plain text; else its status.
Failure refusal(const net::HttpResponse& response) {
  std::string why = string_member(response.body.view(), "message");
  if (why.empty()) why = printable(response.body.view());
  if (why.empty()) why = net::reason_phrase(response.status);
  std::string message = printable(why) + " (HTTP " + std::to_string(response.status) + ")";
  if (response.status == 401) message += "; set DAPR_API_TOKEN to the token of the node's API";
  return fail(code_of(response.status), std::move(message));
}

}  // namespace

struct NodeApi::State {
  explicit State(Options given) : options(std::move(given)) {}

  Options options;
  SystemClock clock;
  net::IoThreads threads{clock, {.threads = 1}};
  net::Resolver resolver{1};
  net::HttpClient client{
      threads, resolver, {.connections_per_origin_max = 1, .body_size_max = kAnswerBytesMax}};
};

NodeApi::NodeApi(Options options) : state_(std::make_unique<State>(std::move(options))) {}
NodeApi::~NodeApi() = default;

Result<std::string> NodeApi::get(const std::string& target) {
  return ask({.method = "GET", .target = target});
}

Result<std::string> NodeApi::post(const std::string& target, std::string body,
                                  std::string_view content_type) {
  net::HttpRequest request{.method = "POST", .target = target, .body = std::move(body)};
  if (!request.body.empty()) request.headers.add("Content-Type", content_type);
  return ask(std::move(request));
}

Result<std::string> NodeApi::remove(const std::string& target) {
  return ask({.method = "DELETE", .target = target});
}

Result<std::string> NodeApi::send(const std::string& verb, const std::string& target,
                                  std::string body) {
  net::HttpRequest request{.method = verb, .target = target, .body = std::move(body)};
  if (!request.body.empty()) request.headers.add("Content-Type", "application/json");
  return ask(std::move(request));
}

Result<std::string> NodeApi::ask(net::HttpRequest request) {
  const Options& options = state_->options;
  if (!options.token.empty()) request.headers.add("dapr-api-token", options.token);
  const std::string target = request.target;
  std::promise<Result<net::HttpResponse>> promise;
  std::future<Result<net::HttpResponse>> answer = promise.get_future();
  state_->client.send(
      {.where = options.address}, std::move(request), state_->clock.now() + options.timeout,
      [&promise](Result<net::HttpResponse> result) { promise.set_value(std::move(result)); });
  const Result<net::HttpResponse> response = answer.get();
  if (!response) {
    if (response.error().code != Code::kUnavailable) return fail(response.error());
    return fail(Code::kUnavailable, "no node answers at " + net::to_string(options.address) +
                                        "; start one with `troupe dev`, or name another with "
                                        "--address host:port");
  }
  if (response->status == 404 && response->body.empty()) {
    return fail(Code::kNotFound, "what answers at " + net::to_string(options.address) +
                                     " does not know " + target +
                                     "; is it the API port of a node of this version?");
  }
  if (response->status < 200 || response->status > 299) return refusal(*response);
  return std::string(response->body.view());
}

std::string path_of(std::string_view root, const std::vector<std::string>& parts) {
  std::string path(root);
  for (const std::string& part : parts) path += "/" + net::encode_path_segment(part);
  return path;
}

}  // namespace troupe::tools

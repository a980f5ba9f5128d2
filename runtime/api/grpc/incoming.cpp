#include "runtime/api/grpc/incoming.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "runtime/api/grpc/grpc_status.h"
#include "runtime/api/secret.h"
#include "runtime/net/http_message.h"

namespace troupe::api {
namespace {

constexpr std::array<std::string_view, 13> kOfThisHop{"connection",
                                                      "content-length",
                                                      "content-type",
                                                      "dapr-api-token",
                                                      "dapr-caller-app-id",
                                                      "dapr-caller-namespace",
                                                      "dapr-force-shutdown",
                                                      "host",
                                                      "te",
                                                      "trailer",
                                                      "traceparent",
                                                      "transfer-encoding",
                                                      "user-agent"};
constexpr Duration kTimeoutMax = std::chrono::hours(24);

std::string_view view(const grpc::string_ref& text) { return {text.data(), text.size()}; }

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

bool stays_at_this_hop(std::string_view name) {
  const auto same = [&](std::string_view each) { return net::same_without_case(each, name); };
  return name.starts_with(':') || name.starts_with("grpc-") ||
         std::ranges::any_of(kOfThisHop, same);
}

std::string_view metadata_value(const grpc::CallbackServerContext& call, std::string_view name) {
  const auto& all = call.client_metadata();
  const auto found = all.find(grpc::string_ref(name.data(), name.size()));
  return found == all.end() ? std::string_view() : view(found->second);
}

Context context_of(const grpc::CallbackServerContext& call, std::string traceparent,
                   const Clock& clock) {
  Context context;
  for (const auto& [name, value] : call.client_metadata()) {
    if (stays_at_this_hop(view(name))) continue;
    if (context.call_key.take(view(name), view(value))) continue;
    context.metadata.push_back({std::string(view(name)), std::string(view(value))});
  }
  context.metadata.push_back({"traceparent", std::move(traceparent)});
  const auto deadline = call.deadline();
  if (deadline != std::chrono::system_clock::time_point::max()) {
    const auto left = std::chrono::floor<Duration>(deadline) - clock.wall();
    context.timeout = std::clamp<Duration>(left, Duration(0), kTimeoutMax);
  }
  return context;
}

std::optional<grpc::Status> refusal_of(const grpc::CallbackServerContext& call,
                                       std::string_view api_token) {
  if (api_token.empty()) return std::nullopt;
  const std::string_view shown = metadata_value(call, "dapr-api-token");
  if (same_secret(api_token, shown)) return std::nullopt;
  const std::string_view why = shown.empty() ? "missing api token in request metadata"
                                             : "authentication error: api token mismatch";
  return to_grpc(GrpcCode::kUnauthenticated, "Unauthorized",
                 {.reason = "Unauthorized",
                  .metadata = {{"http.code", "401"}, {"http.error_message", std::string(why)}}});
}

// Version 0, then field 0 (trace id), field 1 (span id) and field 2 (flags).
std::string binary_trace(std::string_view traceparent) {
  if (!valid_traceparent(traceparent)) return {};
  std::string binary(1, '\0');
  binary += '\0';
  binary += unhex(traceparent.substr(3, 32));
  binary += '\1';
  binary += unhex(traceparent.substr(36, 16));
  binary += '\2';
  binary += unhex(traceparent.substr(53, 2));
  return binary;
}

std::string trace_of(const grpc::CallbackServerContext& call, Traces& traces) {
  return traces.continued(metadata_value(call, "traceparent"));
}

}  // namespace troupe::api

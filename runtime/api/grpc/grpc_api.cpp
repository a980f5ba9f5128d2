#include "runtime/api/grpc/grpc_api.h"

#include <chrono>
#include <utility>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "runtime/api/grpc/dapr_service.h"
#include "runtime/api/grpc/health_service.h"
#include "runtime/api/trace.h"
#include "runtime/base/random.h"
#include "runtime/net/listening_place.h"

namespace troupe::api {
namespace {

// Dapr's: how often clients may ping, and when a silent connection is asked whether it still is.
constexpr int kClientPingMs = 8'000;
constexpr int kServerPingMs = 10'000;
constexpr int kServerPingTimeoutMs = 5'000;
constexpr int kIdleMs = 180'000;
constexpr int kMetadataBytesMax = 4 * 1024 * 1024;

void configure(grpc::ServerBuilder& builder, const GrpcApiOptions& options) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  builder.SetMaxSendMessageSize(static_cast<int>(options.message_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a taken port is an error
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(options.calls_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kClientPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kServerPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kServerPingTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
}

}  // namespace

struct GrpcApi::State {
  State(Dependencies the_dependencies, GrpcApiOptions the_options)
      : deps(std::move(the_dependencies)),
        options(std::move(the_options)),
        dapr({.service = deps.service,
              .traces = traces,
              .clock = deps.clock,
              .shutdown = deps.shutdown,
              .api_token = options.api_token}),
        health(deps.service) {}

  Dependencies deps;
  GrpcApiOptions options;
  Traces traces{random_seed()};
  DaprService dapr;
  HealthService health;
  std::unique_ptr<grpc::Server> server;
  std::uint16_t port = 0;
};

GrpcApi::GrpcApi(Dependencies dependencies, GrpcApiOptions options)
    : state_(std::make_unique<State>(std::move(dependencies), std::move(options))) {}

GrpcApi::~GrpcApi() { stop(Duration(0)); }

Result<void> GrpcApi::start() {
  State& state = *state_;
  const std::string& host = state.options.host;
  const Result<net::SocketAddress> at =
      net::listening_place(state.deps.threads, {host.empty() ? "::" : host, state.options.port});
  if (!at) return fail(at.error());
  int port = 0;
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // for builders from now on
  grpc::ServerBuilder builder;
  configure(builder, state.options);
  builder.AddListeningPort(to_string(*at), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&state.dapr);
  builder.RegisterService(&state.health);
  state.server = builder.BuildAndStart();
  if (!state.server || port == 0) {
    state.server.reset();
    return fail(Code::kUnavailable, "cannot listen on " + to_string(*at));
  }
  state.port = static_cast<std::uint16_t>(port);
  return {};
}

void GrpcApi::stop(Duration patience) {
  State& state = *state_;
  if (!state.server) return;
  // gRPC ends what is cancelled at once: see UnaryCall.
  state.server->Shutdown(std::chrono::system_clock::time_point(state.deps.clock.wall() + patience));
  state.server->Wait();
  state.server.reset();
}

std::uint16_t GrpcApi::port() const { return state_->port; }

}  // namespace troupe::api

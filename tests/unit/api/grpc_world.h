#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include <dapr/proto/runtime/v1/dapr.grpc.pb.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "runtime/api/grpc/grpc_api.h"
#include "tests/unit/api/api_world.h"

namespace troupe::testing {

/// The gRPC API of a node that is not there, and a client of it.
class GrpcWorld {
 public:
  using Stub = dapr::proto::runtime::v1::Dapr::Stub;

  explicit GrpcWorld(api::GrpcApiOptions options = {})
      : server({.service = world.service,
                .clock = clock,
                .threads = threads,
                .log = Log(silent_log(), "api"),
                .shutdown = [this](bool force) { stopped.set_value(force); }},
               std::move(options)) {
    const Result<void> started = server.start();
    EXPECT_TRUE(started) << started.error().message;
    channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server.port()),
                                  grpc::InsecureChannelCredentials());
    stub = dapr::proto::runtime::v1::Dapr::NewStub(channel);
  }

  /// `(stub.*method)(request)`: the status, with `response` filled.
  template <class Request, class Response>
  grpc::Status call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    return (stub.get()->*method)(&context, request, &response);
  }

  SystemClock clock;
  net::IoThreads threads{clock, {.threads = 1}};
  ApiWorld world;
  std::promise<bool> stopped;
  api::GrpcApi server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Stub> stub;
};

}  // namespace troupe::testing

// The gRPC server itself: tokens, health, metadata, limits, starting and stopping.
#include <google/rpc/status.pb.h>
#include <grpc/health/v1/health.grpc.pb.h>
#include <gtest/gtest.h>

#include "runtime/api/grpc/incoming.h"
#include "tests/support/hex.h"
#include "tests/unit/api/grpc_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
namespace pb = ::dapr::proto::runtime::v1;
using google::protobuf::Empty;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using Stub = GrpcWorld::Stub;

constexpr auto kLong = 30s;  // more than enough for what must come

pb::InvokeActorRequest call_of_cart() {
  pb::InvokeActorRequest request;
  request.set_actor_type("Cart");
  request.set_actor_id("c1");
  request.set_method("add");
  return request;
}

// The http.error_message of a refusal's ErrorInfo.
std::string reason_of(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::ErrorInfo info;
  if (!rich.ParseFromString(status.error_details()) || rich.details_size() != 1) return "none";
  if (!rich.details(0).UnpackTo(&info)) return "no ErrorInfo";
  return info.reason() + ": " + info.metadata().at("http.error_message");
}

TEST(GrpcServer, WithoutTheTokenOnlyHealthIsAnswered) {
  GrpcWorld api({.api_token = "secret"});
  pb::InvokeActorResponse response;
  const grpc::Status missing = api.call(&Stub::InvokeActor, call_of_cart(), response);
  EXPECT_EQ(missing.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(missing.error_message(), "Unauthorized");
  EXPECT_EQ(reason_of(missing), "Unauthorized: missing api token in request metadata");
  for (const char* wrong : {"wrong", "secre", "secrets"}) {
    grpc::ClientContext context;
    context.AddMetadata("dapr-api-token", wrong);
    EXPECT_EQ(reason_of(api.stub->InvokeActor(&context, call_of_cart(), &response)),
              "Unauthorized: authentication error: api token mismatch");
  }
  Empty empty;
  EXPECT_EQ(api.call(&Stub::Shutdown, pb::ShutdownRequest(), empty).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(api.world.backend.routed.calls.empty());

  grpc::ClientContext context;
  context.AddMetadata("dapr-api-token", "secret");
  EXPECT_TRUE(api.stub->InvokeActor(&context, call_of_cart(), &response).ok());
  grpc::ClientContext probe;
  HealthCheckResponse health;
  EXPECT_TRUE(grpc::health::v1::Health::NewStub(api.channel)->Check(&probe, {}, &health).ok());
}

TEST(GrpcServer, HealthIsServingOnceTheNodeIsAMember) {
  GrpcWorld api;
  const auto stub = grpc::health::v1::Health::NewStub(api.channel);
  const auto check = [&](const std::string& service) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    const grpc::Status status = stub->Check(&context, request, &response);
    return status.ok() ? HealthCheckResponse::ServingStatus_Name(response.status())
                       : std::to_string(status.error_code());
  };
  EXPECT_EQ(check(""), "SERVING");
  EXPECT_EQ(check("dapr.proto.runtime.v1.Dapr"), "SERVING");
  EXPECT_EQ(check("other"), "5");
  api.world.backend.is_ready = false;
  EXPECT_EQ(check(""), "NOT_SERVING");
}

TEST(GrpcServer, MetadataTellsTypesVersionAndWhatCallersAdded) {
  GrpcWorld api;
  pb::SetMetadataRequest set;
  set.set_key("team");
  set.set_value("blue");
  Empty empty;
  ASSERT_TRUE(api.call(&Stub::SetMetadata, set, empty).ok());
  pb::GetMetadataResponse response;
  ASSERT_TRUE(api.call(&Stub::GetMetadata, pb::GetMetadataRequest(), response).ok());
  EXPECT_EQ(response.id(), "shop");
  EXPECT_EQ(response.extended_metadata().at("team"), "blue");
  EXPECT_EQ(response.runtime_version(), response.extended_metadata().at("daprRuntimeVersion"));
  ASSERT_EQ(response.active_actors_count_size(), 2);
  EXPECT_EQ(response.active_actors_count(0).type(), "Cart");
  EXPECT_EQ(response.active_actors_count(0).count(), 2);
  EXPECT_EQ(response.actor_runtime().active_actors_size(), 2);
  EXPECT_EQ(response.actor_runtime().runtime_status(), pb::ActorRuntime::RUNNING);
  EXPECT_TRUE(response.actor_runtime().host_ready());
}

TEST(GrpcServer, ShutdownIsAnsweredAndPassedOn) {
  GrpcWorld api;
  grpc::ClientContext context;
  context.AddMetadata("dapr-force-shutdown", "true");
  Empty empty;
  EXPECT_TRUE(api.stub->Shutdown(&context, {}, &empty).ok());
  EXPECT_TRUE(api.stopped.get_future().get());
}

TEST(GrpcServer, WhatIsNotServedIsUnimplemented) {
  GrpcWorld api;
  grpc::ClientContext context;
  auto stream = api.stub->SubscribeActorEventsAlpha1(&context);
  stream->WritesDone();
  pb::SubscribeActorEventsResponseAlpha1 message;
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(GrpcServer, MessagesBeyondTheLimitAreRefused) {
  GrpcWorld api({.message_bytes_max = 1'000});
  pb::InvokeActorRequest request = call_of_cart();
  request.set_data(std::string(2'000, 'x'));
  pb::InvokeActorResponse response;
  EXPECT_EQ(api.call(&Stub::InvokeActor, request, response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  api.world.reply(std::string(2'000, 'x'));
  EXPECT_EQ(api.call(&Stub::InvokeActor, call_of_cart(), response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST(GrpcServer, ATakenPortIsSaidByAddressAndPort) {
  GrpcWorld first;
  ApiWorld world;
  SystemClock clock;
  api::GrpcApi second({.service = world.service,
                       .clock = clock,
                       .threads = first.threads,
                       .log = Log(silent_log(), "api"),
                       .shutdown = {}},
                      {.port = first.server.port()});
  const Result<void> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kUnavailable);
  EXPECT_NE(started.error().message.find("127.0.0.1:" + std::to_string(first.server.port())),
            std::string::npos);
}

/// Takes calls and keeps them.
class SilentRouter final : public actors::Router {
 public:
  void route(actors::Call call) override { kept.set_value(std::move(call)); }
  void returned(actors::Call) override {}

  std::promise<actors::Call> kept;
};

class SilentBackend final : public api::Backend {
 public:
  bool ready() const override { return true; }
  actors::Router& router() override { return silent; }
  actors::CallIds& ids() override { return issued; }
  std::vector<api::TypeCount> hosted() const override { return {}; }

  SilentRouter silent;
  actors::CallIds issued{NodeId{1, 1}, Generation{4}};
};

/// An API whose actors do not answer until the test does.
class WaitingCall : public ::testing::Test {
 protected:
  WaitingCall() {
    EXPECT_TRUE(api.start());
    stub = pb::Dapr::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(api.port()),
                                                 grpc::InsecureChannelCredentials()));
    stub->async()->InvokeActor(&context, &request, &response,
                               [this](const grpc::Status& status) { ended.set_value(status); });
    call = backend.silent.kept.get_future().get();
  }

  grpc::Status status() {
    auto future = ended.get_future();
    return future.wait_for(kLong) == std::future_status::ready
               ? future.get()
               : grpc::Status(grpc::StatusCode::UNKNOWN, "it did not end");
  }

  SystemClock clock;
  net::IoThreads threads{clock, {.threads = 1}};
  SilentBackend backend;
  FakeAdmin admin;
  api::Traces traces{7};
  api::Service service{{.clock = clock, .backend = backend, .admin = admin, .traces = traces}, {}};
  api::GrpcApi api{{.service = service,
                    .clock = clock,
                    .threads = threads,
                    .log = Log(silent_log(), "api"),
                    .shutdown = {}},
                   {}};
  std::unique_ptr<pb::Dapr::Stub> stub;
  grpc::ClientContext context;
  const pb::InvokeActorRequest request = call_of_cart();
  pb::InvokeActorResponse response;
  std::promise<grpc::Status> ended;
  actors::Call call;
};

TEST_F(WaitingCall, MayBeAnsweredLaterFromAnotherThread) {
  call.done(actors::Reply{.body = std::string("late"), .content_type = {}, .metadata = {}});
  EXPECT_TRUE(status().ok());
  EXPECT_EQ(response.data(), "late");
}

TEST_F(WaitingCall, ThatNobodyAnswersIsUnavailable) {
  call.done = nullptr;
  EXPECT_EQ(status().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(WaitingCall, GivenUpByItsCallerMayStillBeAnsweredIntoTheVoid) {
  context.TryCancel();
  EXPECT_EQ(status().error_code(), grpc::StatusCode::CANCELLED);
  api.stop(kLong);  // waits until the server has noticed
  call.done(actors::Reply{});
}

TEST_F(WaitingCall, IsEndedWhenTheServerStopsWithoutPatience) {
  api.stop(Duration(0));
  EXPECT_FALSE(status().ok());
  call.done(actors::Reply{});
}

TEST(GrpcTrace, HasGrpcsBinaryForm) {
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(to_hex(api::binary_trace(parent)),
            "00000af7651916cd43dd8448eb211c80319c01b7ad6b71692033310201");
  EXPECT_EQ(api::binary_trace("nonsense"), "");
}

}  // namespace
}  // namespace troupe::testing

// Dapr's calls of actors over gRPC, with a router that is not there.
#include <google/protobuf/wrappers.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include "actors/state/timer_operations.h"
#include "runtime/api/trace.h"
#include "tests/unit/api/grpc_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
namespace pb = ::dapr::proto::runtime::v1;
using actors::CallKind;
using google::protobuf::Empty;
using Stub = GrpcWorld::Stub;

template <class Request>
Request about(const std::string& type, const std::string& id) {
  Request request;
  request.set_actor_type(type);
  request.set_actor_id(id);
  return request;
}

// What gRPC says about `status` as a whole: its code, and what failed.
std::string said(const grpc::Status& status) {
  return std::to_string(status.error_code()) + " " + status.error_message();
}

std::string json_in(const google::protobuf::Any& any) {
  google::protobuf::BytesValue bytes;
  return any.UnpackTo(&bytes) ? bytes.value() : "no BytesValue";
}

std::optional<std::string> metadata_of(const actors::Call& call, std::string_view name) {
  for (const actors::Metadata& each : call.metadata) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

api::ReminderView stored(const std::string& id, const std::string& name, const std::string& data) {
  api::ReminderView view;
  view.type = "Cart";
  view.id = id;
  view.name = name;
  view.data.data = data;
  return view;
}

class GrpcActors : public ::testing::Test {
 protected:
  grpc::Status invoke(const pb::InvokeActorRequest& request) {
    pb::InvokeActorResponse response;
    const grpc::Status status = api.call(&Stub::InvokeActor, request, response);
    data = response.data();
    return status;
  }
  grpc::Status invoke() {
    auto request = about<pb::InvokeActorRequest>("Cart", "c1");
    request.set_method("add");
    return invoke(request);
  }
  ReminderChange reminder_change() const {
    return actors::decode_reminder_operation(api.world.call().message.view())->change;
  }

  GrpcWorld api;
  ApiWorld& world = api.world;
  std::string data;
};

TEST_F(GrpcActors, ACallReachesTheMethodAndItsReplyTheCaller) {
  world.reply(R"({"n":1})");
  auto request = about<pb::InvokeActorRequest>("Cart", "c1");
  request.set_method("a/./b");
  request.set_data(R"({"sku":"a"})");
  (*request.mutable_metadata())["Content-Type"] = "application/json";
  EXPECT_TRUE(invoke(request).ok());
  EXPECT_EQ(data, R"({"n":1})");
  EXPECT_EQ(world.call().key, (ActorKey{"Cart", "c1"}));
  EXPECT_EQ(world.call().kind, CallKind::kMethod);
  EXPECT_EQ(world.call().method, "a/b");
  EXPECT_EQ(world.call().message.view(), R"({"sku":"a"})");
  EXPECT_EQ(world.call().content_type, "application/json");
}

TEST_F(GrpcActors, MetadataOfRequestAndCallTravelButNotSecretsOrIdentity) {
  auto request = about<pb::InvokeActorRequest>("Cart", "c1");
  request.set_method("add");
  auto& map = *request.mutable_metadata();
  map["Dapr-Reentrancy-Id"] = "r1";
  map["Dapr-Caller-App-Id"] = "somebody";
  grpc::ClientContext context;
  context.AddMetadata("tenant", "t1");
  context.AddMetadata("dapr-api-token", "secret");
  pb::InvokeActorResponse response;
  ASSERT_TRUE(api.stub->InvokeActor(&context, request, &response).ok());
  EXPECT_EQ(world.call().chain.id, "r1");
  EXPECT_EQ(metadata_of(world.call(), "tenant"), "t1");
  for (const actors::Metadata& each : world.call().metadata) {
    EXPECT_NE(each.value, "secret");
    EXPECT_NE(each.value, "somebody");
    EXPECT_NE(each.name, "user-agent");
  }
}

TEST_F(GrpcActors, ACallMayBringAnIdOfItsCallers) {
  const std::string caller = "00000000000000ab00000000000000cd";
  auto request = about<pb::InvokeActorRequest>("Cart", "c1");
  request.set_method("add");
  grpc::ClientContext context;
  context.AddMetadata("troupe-call-key", caller + "-17");
  context.AddMetadata("troupe-call-attempt", "2");
  context.AddMetadata("troupe-calls-done-below", "12");
  pb::InvokeActorResponse response;
  ASSERT_TRUE(api.stub->InvokeActor(&context, request, &response).ok());
  EXPECT_EQ(world.call().id,
            (storage::CallId{.origin = {0xab, 0xcd}, .generation = {}, .sequence = 17}));
  EXPECT_TRUE(world.call().repeated());
  EXPECT_EQ(world.call().done_below, 12U);
  EXPECT_EQ(metadata_of(world.call(), "troupe-call-key"), std::nullopt);
  (*request.mutable_metadata())["Troupe-Call-Key"] = caller + "-18";
  ASSERT_TRUE(invoke(request).ok());
  EXPECT_EQ(world.call().id.sequence, 18U);
  (*request.mutable_metadata())["Troupe-Call-Key"] = caller;
  EXPECT_EQ(invoke(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcActors, TheCallersDeadlineIsTheCalls) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::time_point(api.clock.wall() + 20s));
  auto request = about<pb::InvokeActorRequest>("Cart", "c1");
  request.set_method("add");
  pb::InvokeActorResponse response;
  ASSERT_TRUE(api.stub->InvokeActor(&context, request, &response).ok());
  // gRPC rounds the time left up as it sends it, by less than a second.
  EXPECT_LT(world.call().deadline, world.clock.now() + 21s);
  ASSERT_TRUE(invoke().ok());
  EXPECT_EQ(world.call().deadline, world.clock.now() + 60s);
}

TEST_F(GrpcActors, TheTraceGoesOn) {
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  grpc::ClientContext context;
  context.AddMetadata("traceparent", parent);
  auto request = about<pb::InvokeActorRequest>("Cart", "c1");
  request.set_method("add");
  pb::InvokeActorResponse response;
  ASSERT_TRUE(api.stub->InvokeActor(&context, request, &response).ok());
  EXPECT_EQ(world.call().traceparent, parent);
  EXPECT_EQ(metadata_of(world.call(), "traceparent"), parent);
  ASSERT_TRUE(invoke().ok());
  EXPECT_TRUE(api::valid_traceparent(world.call().traceparent));
  EXPECT_NE(world.call().traceparent, parent);
}

TEST_F(GrpcActors, FailuresHaveDaprsStatusAndTextAndNoDetails) {
  world.refuse(Code::kApplication, "not enough");
  const grpc::Status thrown = invoke();
  EXPECT_EQ(said(thrown),
            "13 error invoke actor method: error from actor service: (500) not enough");
  EXPECT_TRUE(thrown.error_details().empty());
  world.refuse(Code::kUnimplemented, "no method 'add'");
  EXPECT_EQ(said(invoke()),
            "13 error invoke actor method: actor method not found: actors/Cart/c1/method/add: no "
            "method 'add'");
  world.refuse(Code::kExhausted, "full");
  EXPECT_EQ(said(invoke()), "8 error invoke actor method: full");
  world.refuse(Code::kUnavailable, "no leader");
  EXPECT_EQ(invoke().error_code(), grpc::StatusCode::UNAVAILABLE);
  world.refuse(Code::kTimeout, "late");
  EXPECT_EQ(invoke().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(GrpcActors, NamesAreChecked) {
  auto request = about<pb::InvokeActorRequest>("Ca/rt", "c1");
  request.set_method("add");
  EXPECT_EQ(said(invoke(request)),
            "3 invalid request: invalid actorType: contains the character '/'");
  auto reminder = about<pb::RegisterActorReminderRequest>("Cart", "c1");
  reminder.set_due_time("1s");
  Empty empty;
  EXPECT_EQ(said(api.call(&Stub::RegisterActorReminder, reminder, empty)),
            "3 invalid request: reminder name cannot be empty");
  auto state = about<pb::GetActorStateRequest>("dapr.internal.x", "c1");
  state.set_key("k");
  pb::GetActorStateResponse value;
  EXPECT_EQ(api.call(&Stub::GetActorState, state, value).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(GrpcActors, LongMessagesOfErrorsArriveShortened) {
  std::string text;
  for (int i = 0; i < 3'000; ++i) text += "\u00e9";
  world.refuse(Code::kApplication, text);
  const grpc::Status status = invoke();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_TRUE(status.error_message().ends_with("\u00e9..."));
}

TEST_F(GrpcActors, ATransactionBecomesOneStateCall) {
  auto request = about<pb::ExecuteActorStateTransactionRequest>("Cart", "c1");
  auto* write = request.add_operations();
  write->set_operationtype("upsert");
  write->set_key("items");
  write->mutable_value()->set_value("\x01raw");
  (*write->mutable_metadata())["ttlInSeconds"] = "60";
  auto* erase = request.add_operations();
  erase->set_operationtype("delete");
  erase->set_key("old");
  Empty empty;
  EXPECT_TRUE(api.call(&Stub::ExecuteActorStateTransaction, request, empty).ok());
  EXPECT_EQ(world.call().kind, CallKind::kState);
  const auto operations = actors::decode_state_operations(world.call().message.view());
  ASSERT_TRUE(operations);
  ASSERT_EQ(operations->changes.size(), 2U);
  EXPECT_EQ(operations->changes[0].name, "items");
  EXPECT_EQ(operations->changes[0].value, "\x01raw");
  EXPECT_EQ(operations->changes[0].ttl, Duration(60s));
  EXPECT_EQ(operations->changes[1].name, "old");
  EXPECT_FALSE(operations->changes[1].value);
}

TEST_F(GrpcActors, AnUnknownOperationIsUnimplementedAndSaysSoInDetail) {
  auto request = about<pb::ExecuteActorStateTransactionRequest>("Cart", "c1");
  request.add_operations()->set_operationtype("patch");
  Empty empty;
  const grpc::Status status = api.call(&Stub::ExecuteActorStateTransaction, request, empty);
  EXPECT_EQ(said(status), "12 operation type patch not supported");
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(status.error_details()));
  EXPECT_EQ(rich.code(), 12);
  google::rpc::ErrorInfo info;
  ASSERT_EQ(rich.details_size(), 1);
  ASSERT_TRUE(rich.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "ERR_NOT_SUPPORTED_STATE_OPERATION");
  EXPECT_EQ(info.domain(), "dapr.io");
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(GrpcActors, AValueComesWithItsExpiryAndAnAbsentOneIsEmpty) {
  const WallTime expires{std::chrono::seconds(1'700'000'000)};
  world.reply(encode(actors::StoredValues{{"k", {.value = "7", .etag = 3, .expires = expires}}}));
  auto request = about<pb::GetActorStateRequest>("Cart", "c1");
  request.set_key("k");
  pb::GetActorStateResponse response;
  ASSERT_TRUE(api.call(&Stub::GetActorState, request, response).ok());
  EXPECT_EQ(response.data(), "7");
  EXPECT_EQ(response.metadata().at("ttlExpireTime"), "2023-11-14T22:13:20Z");
  world.reply(encode(actors::StoredValues{}));
  pb::GetActorStateResponse absent;
  ASSERT_TRUE(api.call(&Stub::GetActorState, request, absent).ok());
  EXPECT_EQ(absent.data(), "");
  EXPECT_TRUE(absent.metadata().empty());
}

TEST_F(GrpcActors, AReminderCarriesItsBytesAsJsonAndItsPolicy) {
  auto request = about<pb::RegisterActorReminderRequest>("Cart", "c1");
  request.set_name("nudge");
  request.set_due_time("10s");
  request.set_period("R5/PT30S");
  request.set_data("hello");
  auto& policy = *request.mutable_failure_policy()->mutable_constant();
  policy.mutable_interval()->set_seconds(5);
  Empty empty;
  EXPECT_TRUE(api.call(&Stub::RegisterActorReminder, request, empty).ok());
  EXPECT_EQ(world.call().kind, CallKind::kReminders);
  const ReminderChange change = reminder_change();
  EXPECT_EQ(change.name, "nudge");
  EXPECT_EQ(change.message.view(), R"("aGVsbG8=")");
  EXPECT_TRUE(change.overwrite);
  EXPECT_EQ(change.failure.interval, Duration(5s));
  EXPECT_FALSE(change.failure.retries_max);

  request.set_overwrite(false);
  request.mutable_failure_policy()->mutable_drop();
  EXPECT_TRUE(api.call(&Stub::RegisterActorReminder, request, empty).ok());
  EXPECT_FALSE(reminder_change().overwrite);
  EXPECT_TRUE(reminder_change().failure.drop);
  request.clear_failure_policy();
  EXPECT_TRUE(api.call(&Stub::RegisterActorReminder, request, empty).ok());
  EXPECT_EQ(reminder_change().failure.retries_max, 3U);
}

TEST_F(GrpcActors, AReminderThatExistsIsSaidInDaprsWords) {
  world.refuse(Code::kConflict, "exists");
  auto request = about<pb::RegisterActorReminderRequest>("Cart", "c1");
  request.set_name("nudge");
  request.set_due_time("10s");
  request.set_overwrite(false);
  Empty empty;
  EXPECT_EQ(said(api.call(&Stub::RegisterActorReminder, request, empty)),
            "6 actor reminder already exists: nudge");
}

TEST_F(GrpcActors, AReminderIsShownWithItsJsonInside) {
  actors::ReminderFacts facts;
  facts.name = "nudge";
  facts.data = R"({"a":1})";
  facts.due_text = "10s";
  facts.period = "@every 30s";
  world.reply(encode(std::vector{facts}));
  auto request = about<pb::GetActorReminderRequest>("Cart", "c1");
  request.set_name("nudge");
  pb::GetActorReminderResponse response;
  ASSERT_TRUE(api.call(&Stub::GetActorReminder, request, response).ok());
  EXPECT_EQ(response.actor_type(), "Cart");
  EXPECT_EQ(response.due_time(), "10s");
  EXPECT_EQ(response.period(), "@every 30s");
  EXPECT_FALSE(response.has_ttl());
  EXPECT_EQ(json_in(response.data()), R"({"a":1})");
  world.reply(encode(std::vector<actors::ReminderFacts>{}));
  EXPECT_EQ(said(api.call(&Stub::GetActorReminder, request, response)),
            "5 actor reminder not found: nudge");
}

TEST_F(GrpcActors, RemindersAreListedAndDeletedByTypeOrActor) {
  world.admin.stored = {stored("c1", "a", "1"), stored("c2", "b", "\xff")};
  pb::ListActorRemindersRequest all;
  all.set_actor_type("Cart");
  pb::ListActorRemindersResponse listed;
  ASSERT_TRUE(api.call(&Stub::ListActorReminders, all, listed).ok());
  ASSERT_EQ(listed.reminders_size(), 2);
  EXPECT_EQ(listed.reminders(0).name(), "a");
  EXPECT_EQ(listed.reminders(1).reminder().actor_id(), "c2");
  EXPECT_EQ(json_in(listed.reminders(1).reminder().data()), R"("/w==")");

  pb::UnregisterActorRemindersByTypeRequest gone;
  gone.set_actor_type("Cart");
  pb::UnregisterActorRemindersByTypeResponse response;
  ASSERT_TRUE(api.call(&Stub::UnregisterActorRemindersByType, gone, response).ok());
  EXPECT_EQ(world.backend.routed.calls.size(), 2U);
  EXPECT_TRUE(reminder_change().cancel);
}

TEST_F(GrpcActors, AReminderIsDeletedByName) {
  auto request = about<pb::UnregisterActorReminderRequest>("Cart", "c1");
  request.set_name("nudge");
  Empty empty;
  EXPECT_TRUE(api.call(&Stub::UnregisterActorReminder, request, empty).ok());
  EXPECT_EQ(reminder_change().name, "nudge");
  EXPECT_TRUE(reminder_change().cancel);
}

TEST_F(GrpcActors, TimersAreRegisteredAndDeleted) {
  auto request = about<pb::RegisterActorTimerRequest>("Cart", "c1");
  request.set_name("tick");
  request.set_due_time("1s");
  request.set_period("2s");
  request.set_callback("reprice");
  request.set_data("x");
  Empty empty;
  EXPECT_TRUE(api.call(&Stub::RegisterActorTimer, request, empty).ok());
  const auto operation = actors::decode_timer_operation(world.call().message.view());
  ASSERT_TRUE(operation);
  EXPECT_EQ(operation->name, "tick");
  ASSERT_TRUE(operation->timer);
  EXPECT_EQ(operation->timer->method, "reprice");
  EXPECT_EQ(operation->timer->schedule.period, Period(Duration(2s)));
  EXPECT_EQ(operation->timer->data.view(), R"("eA==")");

  auto gone = about<pb::UnregisterActorTimerRequest>("Cart", "c1");
  gone.set_name("tick");
  EXPECT_TRUE(api.call(&Stub::UnregisterActorTimer, gone, empty).ok());
  EXPECT_FALSE(actors::decode_timer_operation(world.call().message.view())->timer);
}

}  // namespace
}  // namespace troupe::testing

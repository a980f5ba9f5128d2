#include "runtime/api/grpc/dapr_service.h"

#include <utility>

#include "runtime/api/grpc/dapr_calls.h"
#include "runtime/api/grpc/incoming.h"
#include "runtime/api/grpc/unary_call.h"
#include "runtime/net/http_message.h"

namespace troupe::api {
namespace {

namespace pb = ::dapr::proto::runtime::v1;
using Reactor = DaprService::Reactor;
using ServerContext = DaprService::ServerContext;
using Empty = DaprService::Empty;

// gRPC keeps the request at least until this returns, and the response until the call is finished.
// `work` is one of dapr_calls.
template <class Request, class Response, class Work>
Reactor* serve(const DaprService::Dependencies& on, ServerContext& call, const Request& request,
               Response& response, Work work) {
  auto* reactor = new UnaryCall;  // deletes itself
  Responder<Response> respond(reactor->ending(), &response);
  if (const std::optional<grpc::Status> refused = refusal_of(call, on.api_token)) {
    respond.finish(*refused);
    return reactor;
  }
  std::string trace = trace_of(call, on.traces);
  call.AddInitialMetadata("grpc-trace-bin", binary_trace(trace));
  work(on.service, request, context_of(call, std::move(trace), on.clock), std::move(respond));
  return reactor;
}

}  // namespace

DaprService::DaprService(Dependencies dependencies) : deps_(std::move(dependencies)) {}

Reactor* DaprService::InvokeActor(ServerContext* context, const pb::InvokeActorRequest* request,
                                  pb::InvokeActorResponse* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::invoke);
}

Reactor* DaprService::GetActorState(ServerContext* context, const pb::GetActorStateRequest* request,
                                    pb::GetActorStateResponse* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::state);
}

Reactor* DaprService::ExecuteActorStateTransaction(
    ServerContext* context, const pb::ExecuteActorStateTransactionRequest* request,
    Empty* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::change_state);
}

Reactor* DaprService::RegisterActorTimer(ServerContext* context,
                                         const pb::RegisterActorTimerRequest* request,
                                         Empty* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::register_timer);
}

Reactor* DaprService::UnregisterActorTimer(ServerContext* context,
                                           const pb::UnregisterActorTimerRequest* request,
                                           Empty* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::delete_timer);
}

Reactor* DaprService::RegisterActorReminder(ServerContext* context,
                                            const pb::RegisterActorReminderRequest* request,
                                            Empty* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::register_reminder);
}

Reactor* DaprService::UnregisterActorReminder(ServerContext* context,
                                              const pb::UnregisterActorReminderRequest* request,
                                              Empty* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::delete_reminder);
}

Reactor* DaprService::UnregisterActorRemindersByType(
    ServerContext* context, const pb::UnregisterActorRemindersByTypeRequest* request,
    pb::UnregisterActorRemindersByTypeResponse* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::delete_reminders);
}

Reactor* DaprService::GetActorReminder(ServerContext* context,
                                       const pb::GetActorReminderRequest* request,
                                       pb::GetActorReminderResponse* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::reminder);
}

Reactor* DaprService::ListActorReminders(ServerContext* context,
                                         const pb::ListActorRemindersRequest* request,
                                         pb::ListActorRemindersResponse* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::reminders);
}

Reactor* DaprService::GetMetadata(ServerContext* context, const pb::GetMetadataRequest* request,
                                  pb::GetMetadataResponse* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::metadata);
}

Reactor* DaprService::SetMetadata(ServerContext* context, const pb::SetMetadataRequest* request,
                                  Empty* response) {
  return serve(deps_, *context, *request, *response, dapr_calls::set_metadata);
}

Reactor* DaprService::Shutdown(ServerContext* context, const pb::ShutdownRequest* /*request*/,
                               Empty* response) {
  auto* reactor = new UnaryCall;  // deletes itself
  Responder<Empty> respond(reactor->ending(), response);
  if (const std::optional<grpc::Status> refused = refusal_of(*context, deps_.api_token)) {
    respond.finish(*refused);
    return reactor;
  }
  const bool force =
      net::same_without_case(metadata_value(*context, "dapr-force-shutdown"), "true");
  respond.nothing();
  if (deps_.shutdown) deps_.shutdown(force);
  return reactor;
}

}  // namespace troupe::api

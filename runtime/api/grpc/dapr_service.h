#pragma once

#include <functional>
#include <string>

#include <dapr/proto/runtime/v1/dapr.grpc.pb.h>

#include "runtime/api/service.h"
#include "runtime/base/clock.h"

namespace troupe::api {

/// Dapr's service, call by call. What it does not override gRPC answers with UNIMPLEMENTED.
/// Thread-safe.
class DaprService final : public dapr::proto::runtime::v1::Dapr::CallbackService {
 public:
  struct Dependencies {
    api::Service& service;
    Traces& traces;
    Clock& clock;
    std::function<void(bool force)> shutdown;
    std::string api_token;
  };

  /// All outlive it.
  explicit DaprService(Dependencies dependencies);

  using Reactor = grpc::ServerUnaryReactor;
  using ServerContext = grpc::CallbackServerContext;
  using Empty = google::protobuf::Empty;

  Reactor* InvokeActor(ServerContext* context,
                       const dapr::proto::runtime::v1::InvokeActorRequest* request,
                       dapr::proto::runtime::v1::InvokeActorResponse* response) override;
  Reactor* GetActorState(ServerContext* context,
                         const dapr::proto::runtime::v1::GetActorStateRequest* request,
                         dapr::proto::runtime::v1::GetActorStateResponse* response) override;
  Reactor* ExecuteActorStateTransaction(
      ServerContext* context,
      const dapr::proto::runtime::v1::ExecuteActorStateTransactionRequest* request,
      Empty* response) override;
  Reactor* RegisterActorTimer(ServerContext* context,
                              const dapr::proto::runtime::v1::RegisterActorTimerRequest* request,
                              Empty* response) override;
  Reactor* UnregisterActorTimer(
      ServerContext* context, const dapr::proto::runtime::v1::UnregisterActorTimerRequest* request,
      Empty* response) override;
  Reactor* RegisterActorReminder(
      ServerContext* context, const dapr::proto::runtime::v1::RegisterActorReminderRequest* request,
      Empty* response) override;
  Reactor* UnregisterActorReminder(
      ServerContext* context,
      const dapr::proto::runtime::v1::UnregisterActorReminderRequest* request,
      Empty* response) override;
  Reactor* UnregisterActorRemindersByType(
      ServerContext* context,
      const dapr::proto::runtime::v1::UnregisterActorRemindersByTypeRequest* request,
      dapr::proto::runtime::v1::UnregisterActorRemindersByTypeResponse* response) override;
  Reactor* GetActorReminder(ServerContext* context,
                            const dapr::proto::runtime::v1::GetActorReminderRequest* request,
                            dapr::proto::runtime::v1::GetActorReminderResponse* response) override;
  Reactor* ListActorReminders(
      ServerContext* context, const dapr::proto::runtime::v1::ListActorRemindersRequest* request,
      dapr::proto::runtime::v1::ListActorRemindersResponse* response) override;
  Reactor* GetMetadata(ServerContext* context,
                       const dapr::proto::runtime::v1::GetMetadataRequest* request,
                       dapr::proto::runtime::v1::GetMetadataResponse* response) override;
  Reactor* SetMetadata(ServerContext* context,
                       const dapr::proto::runtime::v1::SetMetadataRequest* request,
                       Empty* response) override;
  Reactor* Shutdown(ServerContext* context,
                    const dapr::proto::runtime::v1::ShutdownRequest* request,
                    Empty* response) override;

 private:
  Dependencies deps_;
};

}  // namespace troupe::api

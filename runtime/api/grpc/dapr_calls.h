#pragma once

#include <functional>

#include <dapr/proto/runtime/v1/dapr.pb.h>
#include <google/protobuf/empty.pb.h>

#include "runtime/api/grpc/unary_call.h"
#include "runtime/api/service.h"

/// What each call of Dapr's service asks of ours: from its request, and into its response.
namespace troupe::api::dapr_calls {

namespace pb = ::dapr::proto::runtime::v1;
using google::protobuf::Empty;

void invoke(Service& service, const pb::InvokeActorRequest& request, Context context,
            Responder<pb::InvokeActorResponse> respond);

void state(Service& service, const pb::GetActorStateRequest& request, Context context,
           Responder<pb::GetActorStateResponse> respond);
void change_state(Service& service, const pb::ExecuteActorStateTransactionRequest& request,
                  Context context, Responder<Empty> respond);

void register_timer(Service& service, const pb::RegisterActorTimerRequest& request, Context context,
                    Responder<Empty> respond);
void delete_timer(Service& service, const pb::UnregisterActorTimerRequest& request, Context context,
                  Responder<Empty> respond);

void register_reminder(Service& service, const pb::RegisterActorReminderRequest& request,
                       Context context, Responder<Empty> respond);
void reminder(Service& service, const pb::GetActorReminderRequest& request, Context context,
              Responder<pb::GetActorReminderResponse> respond);
void reminders(Service& service, const pb::ListActorRemindersRequest& request, Context context,
               Responder<pb::ListActorRemindersResponse> respond);
void delete_reminder(Service& service, const pb::UnregisterActorReminderRequest& request,
                     Context context, Responder<Empty> respond);
void delete_reminders(Service& service, const pb::UnregisterActorRemindersByTypeRequest& request,
                      Context context,
                      Responder<pb::UnregisterActorRemindersByTypeResponse> respond);

void metadata(Service& service, const pb::GetMetadataRequest& request, const Context& context,
              Responder<pb::GetMetadataResponse> respond);
void set_metadata(Service& service, const pb::SetMetadataRequest& request, const Context& context,
                  Responder<Empty> respond);

}  // namespace troupe::api::dapr_calls

#include "runtime/api/grpc/dapr_calls.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <google/protobuf/wrappers.pb.h>

#include "actors/schedule/calendar.h"
#include "runtime/api/grpc/incoming.h"
#include "runtime/net/http_message.h"
#include <troupe/json.h>

namespace troupe::api::dapr_calls {
namespace {

template <class Request>
ActorKey key_of(const Request& request) {
  return {request.actor_type(), request.actor_id()};
}

// Answers with `fill(response, value)`, or the error.
template <class T, class Response, class Fill>
Answer<T> answer_with(Responder<Response> respond, Fill fill) {
  return [respond = std::move(respond), fill = std::move(fill)](Outcome<T> outcome) mutable {
    if (const ApiError* error = std::get_if<ApiError>(&outcome)) return respond.error(*error);
    respond.answer([&](Response& response) { fill(response, std::get<T>(std::move(outcome))); });
  };
}

template <class Response>
Answer<Nothing> nothing_or_error(Responder<Response> respond) {
  return answer_with<Nothing>(std::move(respond), [](const Response&, Nothing) {});
}

// The bytes of timers and reminders are JSON inside: here, a string of them in base64.
Payload data_of(const std::string& bytes) {
  if (bytes.empty()) return {};
  return Payload(std::string(Json::of(Bytes{bytes}).text()));
}

void pack_data(const std::string& data, google::protobuf::Any& any) {
  Result<Json> json = Json::parse(data);
  google::protobuf::BytesValue bytes;
  bytes.set_value(json ? json->text() : Json::of(Bytes{data}).text());
  any.PackFrom(bytes);
}

// Within what a Duration can hold; a protobuf one spans 10,000 years at most.
Duration duration_of(const google::protobuf::Duration& duration) {
  constexpr std::int64_t kSecondsMax = 315'576'000'000;
  const auto seconds = std::clamp<std::int64_t>(duration.seconds(), 0, kSecondsMax);
  return std::max(Duration(0), std::chrono::seconds(seconds) + Duration(duration.nanos() / 1'000));
}

std::optional<FailurePolicy> policy_of(const pb::RegisterActorReminderRequest& request) {
  const auto& wanted = request.failure_policy();
  if (wanted.has_drop()) return FailurePolicy{.drop = true, .interval = {}, .retries_max = 0};
  if (!wanted.has_constant()) return std::nullopt;
  FailurePolicy policy;
  policy.interval = duration_of(wanted.constant().interval());
  if (wanted.constant().has_max_retries()) policy.retries_max = wanted.constant().max_retries();
  return policy;
}

// The responses spell it three times over.
template <class Reminder>
void fill_reminder(Reminder& out, const NamedReminder& reminder) {
  out.set_actor_type(reminder.key.type);
  out.set_actor_id(reminder.key.id);
  const actors::ReminderFacts& facts = reminder.facts;
  if (!facts.due_text.empty()) out.set_due_time(facts.due_text);
  if (!facts.period.empty()) out.set_period(facts.period);
  if (!facts.ttl.empty()) out.set_ttl(facts.ttl);
  if (!facts.data.empty()) pack_data(facts.data, *out.mutable_data());
}

std::int32_t bounded(std::uint64_t count) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::min(count, kMost));
}

// Dapr's text for a name that is missing, which its HTTP API cannot be asked.
template <class Response>
bool refuse_without_name(const std::string& name, Responder<Response>& respond) {
  if (!name.empty()) return false;
  respond.finish(
      {grpc::StatusCode::INVALID_ARGUMENT, "invalid request: reminder name cannot be empty"});
  return true;
}

}  // namespace

void invoke(Service& service, const pb::InvokeActorRequest& request, Context context,
            Responder<pb::InvokeActorResponse> respond) {
  Invocation invocation{.key = key_of(request),
                        .method = request.method(),
                        .body = Payload(request.data()),
                        .content_type = {}};
  // The map comes first: of two with one name, that of the call itself counts.
  std::vector<actors::Metadata> metadata;
  CallKey call_key;
  for (const auto& [name, value] : request.metadata()) {
    if (call_key.take(name, value)) continue;
    if (net::same_without_case(name, "content-type")) invocation.content_type = value;
    if (!stays_at_this_hop(name)) metadata.push_back({name, value});
  }
  // A protobuf map has no order of its own.
  std::ranges::sort(metadata, {}, &actors::Metadata::name);
  for (actors::Metadata& each : context.metadata) metadata.push_back(std::move(each));
  context.metadata = std::move(metadata);
  if (!context.call_key.given()) context.call_key = std::move(call_key);
  service.invoke(
      std::move(invocation), std::move(context),
      answer_with<actors::Reply>(std::move(respond),
                                 [](pb::InvokeActorResponse& response, const actors::Reply& reply) {
                                   response.set_data(std::string(reply.body.view()));
                                 }));
}

void state(Service& service, const pb::GetActorStateRequest& request, Context context,
           Responder<pb::GetActorStateResponse> respond) {
  using Found = std::optional<actors::StoredValue>;
  service.state(
      key_of(request), request.key(), std::move(context),
      answer_with<Found>(std::move(respond), [](pb::GetActorStateResponse& response, Found found) {
        if (!found) return;
        response.set_data(std::move(found->value));
        if (!found->expires) return;
        (*response.mutable_metadata())["ttlExpireTime"] = format_rfc3339(*found->expires);
      }));
}

void change_state(Service& service, const pb::ExecuteActorStateTransactionRequest& request,
                  Context context, Responder<Empty> respond) {
  std::vector<StateChange> changes;
  for (const pb::TransactionalActorStateOperation& each : request.operations()) {
    if (each.operationtype() != "upsert" && each.operationtype() != "delete") {
      return respond.finish(to_grpc(
          GrpcCode::kUnimplemented, "operation type " + each.operationtype() + " not supported",
          {.reason = "ERR_NOT_SUPPORTED_STATE_OPERATION", .metadata = {}}));
    }
    StateChange& change = changes.emplace_back();
    change.name = each.key();
    change.metadata = {each.metadata().begin(), each.metadata().end()};
    if (each.operationtype() == "upsert") change.value = each.value().value();
  }
  service.change_state(key_of(request), std::move(changes), std::move(context),
                       nothing_or_error(std::move(respond)));
}

void register_timer(Service& service, const pb::RegisterActorTimerRequest& request, Context context,
                    Responder<Empty> respond) {
  service.register_timer({.key = key_of(request),
                          .name = request.name(),
                          .due_time = request.due_time(),
                          .period = request.period(),
                          .ttl = request.ttl(),
                          .callback = request.callback(),
                          .data = data_of(request.data())},
                         std::move(context), nothing_or_error(std::move(respond)));
}

void delete_timer(Service& service, const pb::UnregisterActorTimerRequest& request, Context context,
                  Responder<Empty> respond) {
  service.delete_timer(key_of(request), request.name(), std::move(context),
                       nothing_or_error(std::move(respond)));
}

void register_reminder(Service& service, const pb::RegisterActorReminderRequest& request,
                       Context context, Responder<Empty> respond) {
  if (refuse_without_name(request.name(), respond)) return;
  service.register_reminder({.key = key_of(request),
                             .name = request.name(),
                             .due_time = request.due_time(),
                             .period = request.period(),
                             .ttl = request.ttl(),
                             .data = data_of(request.data()),
                             .overwrite = !request.has_overwrite() || request.overwrite(),
                             .failure = policy_of(request)},
                            std::move(context), nothing_or_error(std::move(respond)));
}

void reminder(Service& service, const pb::GetActorReminderRequest& request, Context context,
              Responder<pb::GetActorReminderResponse> respond) {
  if (refuse_without_name(request.name(), respond)) return;
  service.reminder(
      key_of(request), request.name(), std::move(context),
      answer_with<NamedReminder>(
          std::move(respond), [](pb::GetActorReminderResponse& response,
                                 const NamedReminder& found) { fill_reminder(response, found); }));
}

void reminders(Service& service, const pb::ListActorRemindersRequest& request, Context context,
               Responder<pb::ListActorRemindersResponse> respond) {
  service.reminders(key_of(request), std::move(context),
                    answer_with<std::vector<NamedReminder>>(
                        std::move(respond), [](pb::ListActorRemindersResponse& response,
                                               const std::vector<NamedReminder>& found) {
                          for (const NamedReminder& each : found) {
                            pb::NamedActorReminder& out = *response.add_reminders();
                            out.set_name(each.facts.name);
                            fill_reminder(*out.mutable_reminder(), each);
                          }
                        }));
}

void delete_reminder(Service& service, const pb::UnregisterActorReminderRequest& request,
                     Context context, Responder<Empty> respond) {
  if (refuse_without_name(request.name(), respond)) return;
  service.delete_reminder(key_of(request), request.name(), std::move(context),
                          nothing_or_error(std::move(respond)));
}

void delete_reminders(Service& service, const pb::UnregisterActorRemindersByTypeRequest& request,
                      Context context,
                      Responder<pb::UnregisterActorRemindersByTypeResponse> respond) {
  service.delete_reminders(key_of(request), std::move(context),
                           nothing_or_error(std::move(respond)));
}

void metadata(Service& service, const pb::GetMetadataRequest& /*request*/,
              const Context& /*context*/, Responder<pb::GetMetadataResponse> respond) {
  const Metadata facts = service.metadata();
  respond.answer([&](pb::GetMetadataResponse& response) {
    response.set_id(facts.id);
    response.set_runtime_version(facts.version);
    pb::ActorRuntime& runtime = *response.mutable_actor_runtime();
    for (const TypeCount& each : facts.actors) {
      pb::ActiveActorsCount count;
      count.set_type(each.type);
      count.set_count(bounded(each.count));
      *response.add_active_actors_count() = count;
      *runtime.add_active_actors() = std::move(count);
    }
    for (const auto& [name, value] : facts.extended) {
      (*response.mutable_extended_metadata())[name] = value;
    }
    runtime.set_runtime_status(facts.ready ? pb::ActorRuntime::RUNNING
                                           : pb::ActorRuntime::INITIALIZING);
    runtime.set_host_ready(facts.ready);
    if (facts.ready) runtime.set_placement("placement: connected");
  });
}

void set_metadata(Service& service, const pb::SetMetadataRequest& request,
                  const Context& /*context*/, Responder<Empty> respond) {
  const Result<void> set = service.set_metadata(request.key(), request.value());
  if (!set) return respond.error(api_error(Operation::kAdmin, set.error()));
  respond.nothing();
}

}  // namespace troupe::api::dapr_calls

// Dapr's endpoints of actors, and the native one for a call.
#include <array>
#include <utility>

#include "actors/schedule/calendar.h"
#include "runtime/api/http/bodies.h"
#include "runtime/api/http/exchange.h"

namespace troupe::api {
namespace {

// Answers 204, or the error.
Answer<Nothing> nothing_or_error(Exchange exchange) {
  return [exchange = std::move(exchange)](const Outcome<Nothing>& outcome) mutable {
    if (const ApiError* error = std::get_if<ApiError>(&outcome)) return exchange.error(*error);
    exchange.nothing();
  };
}

void invoke(Exchange exchange) {
  Service& service = exchange.on.service;
  Context context = exchange.context();
  if (const std::string_view query = exchange.request.query_text(); !query.empty()) {
    context.metadata.push_back({std::string(actors::kQueryMetadata), std::string(query)});
  }
  Invocation invocation{
      .key = {.type = std::move(exchange.parameters[0]), .id = std::move(exchange.parameters[1])},
      .method = std::move(exchange.parameters[2]),
      .body = std::move(exchange.request.body),
      .content_type = std::string(exchange.request.headers.find("content-type").value_or(""))};
  service.invoke(std::move(invocation), std::move(context),
                 [exchange = std::move(exchange)](Outcome<actors::Reply> outcome) mutable {
                   if (const ApiError* error = std::get_if<ApiError>(&outcome)) {
                     return exchange.error(*error);
                   }
                   auto& reply = std::get<actors::Reply>(outcome);
                   net::HttpResponse response{.body = std::move(reply.body)};
                   for (const actors::Metadata& each : reply.metadata) {
                     response.headers.add(each.name, each.value);
                   }
                   response.content_type = std::move(reply.content_type);
                   if (response.content_type.empty() && !response.body.empty()) {
                     response.content_type = "application/json";
                   }
                   exchange.answer(std::move(response));
                 });
}

void change_state(Exchange exchange) {
  Result<std::vector<StateChange>> changes = read_state_changes(exchange.request.body.view());
  if (!changes) return exchange.error(Operation::kBody, changes.error());
  Service& service = exchange.on.service;
  ActorKey key = exchange.key();
  Context context = exchange.context();
  service.change_state(std::move(key), *std::move(changes), std::move(context),
                       nothing_or_error(std::move(exchange)));
}

void answer_value(Exchange& exchange, actors::StoredValue value) {
  net::HttpResponse response{.content_type = "application/json"};
  if (value.expires) {
    response.headers.add("metadata.ttlExpireTime", format_rfc3339(*value.expires));
  }
  response.headers.add("ETag", std::to_string(value.etag));
  response.body = Payload(std::move(value.value));
  exchange.answer(std::move(response));
}

void state(Exchange exchange) {
  Service& service = exchange.on.service;
  ActorKey key = exchange.key();
  std::string name = exchange.parameters[2];
  Context context = exchange.context();
  service.state(std::move(key), std::move(name), std::move(context),
                [exchange = std::move(exchange)](
                    Outcome<std::optional<actors::StoredValue>> outcome) mutable {
                  if (const ApiError* error = std::get_if<ApiError>(&outcome))
                    return exchange.error(*error);
                  auto& value = std::get<std::optional<actors::StoredValue>>(outcome);
                  if (!value || value->value.empty()) return exchange.nothing();
                  answer_value(exchange, *std::move(value));
                });
}

void register_reminder(Exchange exchange) {
  Result<ReminderRequest> request = read_reminder(exchange.request.body.view());
  if (!request) return exchange.error(Operation::kBody, request.error());
  request->key = exchange.key();
  request->name = exchange.parameters[2];
  Service& service = exchange.on.service;
  Context context = exchange.context();
  service.register_reminder(*std::move(request), std::move(context),
                            nothing_or_error(std::move(exchange)));
}

void reminder(Exchange exchange) {
  Service& service = exchange.on.service;
  ActorKey key = exchange.key();
  std::string name = exchange.parameters[2];
  Context context = exchange.context();
  service.reminder(std::move(key), std::move(name), std::move(context),
                   [exchange = std::move(exchange)](const Outcome<NamedReminder>& outcome) mutable {
                     if (const ApiError* error = std::get_if<ApiError>(&outcome)) {
                       return exchange.error(*error);
                     }
                     exchange.json(reminder_json(std::get<NamedReminder>(outcome)));
                   });
}

void delete_reminder(Exchange exchange) {
  Service& service = exchange.on.service;
  ActorKey key = exchange.key();
  std::string name = exchange.parameters[2];
  Context context = exchange.context();
  service.delete_reminder(std::move(key), std::move(name), std::move(context),
                          nothing_or_error(std::move(exchange)));
}

void register_timer(Exchange exchange) {
  Result<TimerRequest> request = read_timer(exchange.request.body.view());
  if (!request) return exchange.error(Operation::kBody, request.error());
  request->key = exchange.key();
  request->name = exchange.parameters[2];
  Service& service = exchange.on.service;
  Context context = exchange.context();
  service.register_timer(*std::move(request), std::move(context),
                         nothing_or_error(std::move(exchange)));
}

void delete_timer(Exchange exchange) {
  Service& service = exchange.on.service;
  ActorKey key = exchange.key();
  std::string name = exchange.parameters[2];
  Context context = exchange.context();
  service.delete_timer(std::move(key), std::move(name), std::move(context),
                       nothing_or_error(std::move(exchange)));
}

constexpr std::array<Route<Endpoint>, 9> kRoutes{{
    {"GET POST PUT DELETE", "/v1.0/actors/{actorType}/{actorId}/method/{method}", invoke},
    {"POST", "/troupe/v1/call/{type}/{id}/{method}", invoke},
    {"POST PUT", "/v1.0/actors/{actorType}/{actorId}/state", change_state},
    {"GET", "/v1.0/actors/{actorType}/{actorId}/state/{key}", state},
    {"POST PUT", "/v1.0/actors/{actorType}/{actorId}/reminders/{name}", register_reminder},
    {"GET", "/v1.0/actors/{actorType}/{actorId}/reminders/{name}", reminder},
    {"DELETE", "/v1.0/actors/{actorType}/{actorId}/reminders/{name}", delete_reminder},
    {"POST PUT", "/v1.0/actors/{actorType}/{actorId}/timers/{name}", register_timer},
    {"DELETE", "/v1.0/actors/{actorType}/{actorId}/timers/{name}", delete_timer},
}};

}  // namespace

Routes actor_routes() { return kRoutes; }

}  // namespace troupe::api

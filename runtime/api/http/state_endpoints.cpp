// Dapr's endpoints of the building block of state.
#include <array>
#include <utility>

#include "actors/schedule/calendar.h"
#include "runtime/api/http/exchange.h"
#include "runtime/api/http/state_bodies.h"

namespace troupe::api {
namespace {

using blocks::state::Metadata;
using Value = blocks::state::Value;

constexpr std::string_view kMetadataPrefix = "metadata.";

// Of repeated ones the first counts.
void take_query_metadata(const net::HttpRequest& request, Metadata& metadata) {
  const net::Query query = request.query();
  Metadata given;
  for (const auto& [name, value] : query.all()) {
    if (!name.starts_with(kMetadataPrefix)) continue;
    given.try_emplace(name.substr(kMetadataPrefix.size()), value);
  }
  for (auto& [name, value] : given) metadata[name] = std::move(value);
}

Answer<Nothing> nothing_or_error(Exchange exchange) {
  return [exchange = std::move(exchange)](const Outcome<Nothing>& outcome) mutable {
    if (const ApiError* error = std::get_if<ApiError>(&outcome)) return exchange.error(*error);
    exchange.nothing();
  };
}

void malformed(Exchange& exchange, const Error& error, std::string_view before) {
  exchange.error(ApiError{.error_code = "ERR_MALFORMED_REQUEST",
                          .message = std::string(before) + error.message,
                          .status = {400, GrpcCode::kInvalidArgument}});
}

void answer_value(Exchange& exchange, Value value) {
  net::HttpResponse response{.content_type = "application/json"};
  if (value.expires) {
    response.headers.add("metadata.ttlExpireTime", format_rfc3339(*value.expires));
  }
  if (!value.etag.empty()) response.headers.add("ETag", value.etag);
  response.body = std::move(value.data);
  exchange.answer(std::move(response));
}

void get(Exchange exchange) {
  StateItem item;
  item.key = exchange.parameters[1];
  item.consistency = exchange.query("consistency");
  take_query_metadata(exchange.request, item.metadata);
  StateService& stores = exchange.on.service.stores();
  std::string store = exchange.parameters[0];
  const std::optional<Duration> timeout = exchange.context().timeout;
  stores.get(std::move(store), std::move(item), timeout,
             [exchange = std::move(exchange)](Outcome<std::optional<Value>> outcome) mutable {
               if (const ApiError* error = std::get_if<ApiError>(&outcome)) {
                 return exchange.error(*error);
               }
               auto& value = std::get<std::optional<Value>>(outcome);
               if (!value || value->data.empty()) return exchange.nothing();
               answer_value(exchange, *std::move(value));
             });
}

void save(Exchange exchange) {
  Result<std::vector<StateItem>> items = read_state_items(exchange.request.body.view());
  if (!items) return malformed(exchange, items.error(), "");
  for (StateItem& each : *items) take_query_metadata(exchange.request, each.metadata);
  StateService& stores = exchange.on.service.stores();
  std::string store = exchange.parameters[0];
  const std::optional<Duration> timeout = exchange.context().timeout;
  stores.save(std::move(store), *std::move(items), timeout, nothing_or_error(std::move(exchange)));
}

void remove(Exchange exchange) {
  StateItem item;
  item.key = exchange.parameters[1];
  item.concurrency = exchange.query("concurrency");
  item.consistency = exchange.query("consistency");
  if (const auto etag = exchange.request.headers.find("if-match")) item.etag = std::string(*etag);
  take_query_metadata(exchange.request, item.metadata);
  StateService& stores = exchange.on.service.stores();
  std::string store = exchange.parameters[0];
  const std::optional<Duration> timeout = exchange.context().timeout;
  stores.remove(std::move(store), std::move(item), timeout, nothing_or_error(std::move(exchange)));
}

void get_bulk(Exchange exchange) {
  Result<BulkRequest> request = read_bulk_request(exchange.request.body.view());
  if (!request) {
    return malformed(exchange, request.error(), "failed deserializing HTTP body: ");
  }
  take_query_metadata(exchange.request, request->metadata);
  StateService& stores = exchange.on.service.stores();
  std::string store = exchange.parameters[0];
  const std::optional<Duration> timeout = exchange.context().timeout;
  stores.get_bulk(
      std::move(store), std::move(request->keys), std::move(request->metadata), timeout,
      [exchange = std::move(exchange)](const Outcome<std::vector<BulkItem>>& outcome) mutable {
        if (const ApiError* error = std::get_if<ApiError>(&outcome)) return exchange.error(*error);
        exchange.json(bulk_json(std::get<std::vector<BulkItem>>(outcome)));
      });
}

void transact(Exchange exchange) {
  Result<std::vector<StateOperation>> operations = read_transaction(exchange.request.body.view());
  if (!operations) {
    return malformed(exchange, operations.error(), "failed deserializing HTTP body: ");
  }
  for (StateOperation& each : *operations) {
    take_query_metadata(exchange.request, each.item.metadata);
  }
  StateService& stores = exchange.on.service.stores();
  std::string store = exchange.parameters[0];
  const std::optional<Duration> timeout = exchange.context().timeout;
  stores.transact(std::move(store), *std::move(operations), timeout,
                  nothing_or_error(std::move(exchange)));
}

void query(Exchange exchange) {
  StateService& stores = exchange.on.service.stores();
  std::string store = exchange.parameters[0];
  std::string body(exchange.request.body.view());
  const std::optional<Duration> timeout = exchange.context().timeout;
  stores.query(
      std::move(store), std::move(body), timeout,
      [exchange = std::move(exchange)](const Outcome<blocks::state::QueryResult>& outcome) mutable {
        if (const ApiError* error = std::get_if<ApiError>(&outcome)) return exchange.error(*error);
        const auto& result = std::get<blocks::state::QueryResult>(outcome);
        if (result.items.empty()) return exchange.nothing();
        exchange.json(query_json(result));
      });
}

constexpr std::array<Route<Endpoint>, 6> kRoutes{{
    {"GET", "/v1.0/state/{storeName}/{key}", get},
    {"POST PUT", "/v1.0/state/{storeName}", save},
    {"DELETE", "/v1.0/state/{storeName}/{key}", remove},
    {"POST PUT", "/v1.0/state/{storeName}/bulk", get_bulk},
    {"POST PUT", "/v1.0/state/{storeName}/transaction", transact},
    {"POST PUT", "/v1.0-alpha1/state/{storeName}/query", query},
}};

}  // namespace

Routes state_routes() { return kRoutes; }

}  // namespace troupe::api

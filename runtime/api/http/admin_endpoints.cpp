// The native endpoints: `/troupe/v1/`.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "runtime/api/http/admin_answers.h"

namespace troupe::api {
namespace {

constexpr std::uint64_t kLimit = 100;
constexpr std::uint64_t kLimitMax = 10'000;

Answer<Nothing> nothing_or_error(Exchange exchange) {
  return [exchange = std::move(exchange)](const Outcome<Nothing>& outcome) mutable {
    if (const ApiError* error = std::get_if<ApiError>(&outcome)) return exchange.error(*error);
    exchange.nothing();
  };
}

Result<std::uint64_t> limit_of(const Exchange& exchange, std::uint64_t most) {
  const std::string text = exchange.query("limit");
  if (text.empty()) return std::min(kLimit, most);
  std::uint64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size() || limit == 0 || limit > most) {
    return fail(Code::kInvalid, "limit must be a number from 1 to " + std::to_string(most) +
                                    ", not '" + text + "'");
  }
  return limit;
}

bool truthy(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kWords{"y", "yes", "true", "t", "on", "1"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return net::same_without_case(word, text); });
}

void status(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  admin.status(json_or_error<StatusFacts>(std::move(exchange)));
}

void nodes(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  admin.nodes(json_or_error<std::vector<NodeFacts>>(std::move(exchange)));
}

void shards(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  admin.shards(json_or_error<std::vector<ShardFacts>>(std::move(exchange)));
}

void replicas(Exchange exchange) {
  const auto shard = number_of<std::uint32_t>(exchange.parameters[0], "a shard");
  if (!shard) return exchange.error(Operation::kAdmin, shard.error());
  Admin& admin = exchange.on.admin;
  admin.replicas(*shard, json_or_error<std::vector<ReplicaView>>(std::move(exchange)));
}

void activations(Exchange exchange) {
  const Result<std::uint64_t> limit = limit_of(exchange, kLimitMax);
  if (!limit) return exchange.error(Operation::kAdmin, limit.error());
  ActivationsQuery query{
      .type = exchange.query("type"), .limit = *limit, .all = truthy(exchange.query("all"))};
  Admin& admin = exchange.on.admin;
  admin.activations(std::move(query), json_or_error<ActivationsView>(std::move(exchange)));
}

void ids(Exchange exchange) {
  const Result<std::uint64_t> limit = limit_of(exchange, Admin::kIdsMax);
  if (!limit) return exchange.error(Operation::kAdmin, limit.error());
  std::string type = exchange.parameters[0];
  std::optional<std::string> after;
  if (exchange.request.query().contains("after")) after = exchange.query("after");
  Admin& admin = exchange.on.admin;
  admin.ids(std::move(type), std::move(after), *limit, json_or_error<IdsView>(std::move(exchange)));
}

void state(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  ActorKey key = exchange.key();
  admin.state(std::move(key), json_or_error<std::vector<ValueView>>(std::move(exchange)));
}

void reminders_of(Exchange exchange, ActorKey key) {
  const Result<std::uint64_t> limit = limit_of(exchange, kLimitMax);
  if (!limit) return exchange.error(Operation::kAdmin, limit.error());
  Admin& admin = exchange.on.admin;
  admin.reminders(std::move(key), *limit,
                  json_or_error<std::vector<ReminderView>>(std::move(exchange)));
}

void reminders(Exchange exchange) {
  ActorKey key = exchange.key();
  reminders_of(std::move(exchange), std::move(key));
}

void reminders_of_type(Exchange exchange) {
  ActorKey key{exchange.parameters[0], {}};
  reminders_of(std::move(exchange), std::move(key));
}

void delete_reminders(Exchange exchange) {
  Service& service = exchange.on.service;
  ActorKey key{exchange.parameters[0],
               exchange.parameters.size() > 1 ? exchange.parameters[1] : std::string()};
  Context context = exchange.context();
  service.delete_reminders(std::move(key), std::move(context),
                           nothing_or_error(std::move(exchange)));
}

void drain(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  std::string node = exchange.parameters[0];
  const bool draining = exchange.request.method != "DELETE";
  admin.drain(std::move(node), draining, done_or_error(std::move(exchange)));
}

constexpr std::array<Route<Endpoint>, 12> kRoutes{{
    {"GET", "/troupe/v1/status", status},
    {"GET", "/troupe/v1/nodes", nodes},
    {"GET", "/troupe/v1/shards", shards},
    {"GET", "/troupe/v1/shards/{shard}", replicas},
    {"GET", "/troupe/v1/actors", activations},
    {"GET", "/troupe/v1/actors/{type}/ids", ids},
    {"GET", "/troupe/v1/state/{type}/{id}", state},
    {"GET", "/troupe/v1/reminders/{type}", reminders_of_type},
    {"GET", "/troupe/v1/reminders/{type}/{id}", reminders},
    {"DELETE", "/troupe/v1/reminders/{type}", delete_reminders},
    {"DELETE", "/troupe/v1/reminders/{type}/{id}", delete_reminders},
    {"POST DELETE", "/troupe/v1/drain/{node}", drain},
}};

}  // namespace

Routes admin_routes() { return kRoutes; }

}  // namespace troupe::api

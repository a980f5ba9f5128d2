// Service's part for the named values of actors.
#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/api/names.h"
#include "runtime/api/service.h"

namespace troupe::api {
namespace {

constexpr std::string_view kTtl = "ttlInSeconds";
constexpr std::int64_t kTtlSecondsMax = std::int64_t{100} * 366 * 24 * 3600;

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::optional<Duration>> ttl_of(const StateChange& change) {
  const auto found = change.metadata.find(std::string(kTtl));
  if (found == change.metadata.end() || !change.value) return std::optional<Duration>();
  const std::optional<std::int64_t> seconds = number_of<std::int64_t>(found->second);
  if (!seconds || *seconds < -1 || *seconds > kTtlSecondsMax) {
    return fail(Code::kInvalid, "incorrect value for metadata 'ttlInSeconds' of key '" +
                                    change.name + "': " + found->second);
  }
  if (*seconds <= 0) return std::optional<Duration>();  // no expiry
  return std::optional<Duration>(std::chrono::seconds(*seconds));
}

Result<actors::StateOperation> operation_of(StateChange change) {
  if (change.name.empty()) return fail(Code::kInvalid, "missing key");
  Result<std::optional<Duration>> ttl = ttl_of(change);
  if (!ttl) return fail(ttl.error());
  actors::StateOperation operation{.name = std::move(change.name),
                                   .value = std::move(change.value),
                                   .etag = std::nullopt,
                                   .ttl = *ttl};
  if (!change.etag.empty()) {
    operation.etag = number_of<std::uint64_t>(change.etag);
    if (!operation.etag) return fail(Code::kInvalid, "invalid etag value: " + change.etag);
  }
  return operation;
}

Result<std::string> message_of(std::vector<StateChange> changes) {
  if (changes.size() > actors::kStateOperationsMax) {
    return fail(Code::kInvalid, "more than " + std::to_string(actors::kStateOperationsMax) +
                                    " operations in one transaction");
  }
  actors::StateOperations operations;
  for (StateChange& each : changes) {
    Result<actors::StateOperation> operation = operation_of(std::move(each));
    if (!operation) return fail(operation.error());
    operations.changes.push_back(*std::move(operation));
  }
  return encode(operations);
}

Outcome<std::optional<actors::StoredValue>> value_in(const actors::Reply& reply,
                                                     std::string_view name) {
  Result<actors::StoredValues> values = actors::decode_stored_values(reply.body.view());
  if (!values) return api_error(Operation::kStateGet, values.error());
  for (auto& [each, stored] : *values) {
    if (each == name) return std::optional(std::move(stored));
  }
  return std::optional<actors::StoredValue>();
}

}  // namespace

void Service::state(ActorKey key, std::string name, Context context,
                    Answer<std::optional<actors::StoredValue>> answer) {
  if (std::optional<ApiError> refused = refusal(key, {}, {})) return answer(*std::move(refused));
  if (name.empty()) {
    return answer(api_error(Operation::kStateGet, {Code::kInvalid, "missing key"}));
  }
  Result<actors::Call> call = begin(std::move(key), actors::CallKind::kState, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  call->message =
      encode(actors::StateOperations{.changes = {}, .reads = {name}, .read_all = false});
  send(*std::move(call), Operation::kStateGet,
       [name = std::move(name), answer = std::move(answer)](Outcome<actors::Reply> reply) mutable {
         if (const ApiError* error = std::get_if<ApiError>(&reply)) return answer(*error);
         answer(value_in(std::get<actors::Reply>(reply), name));
       });
}

void Service::change_state(ActorKey key, std::vector<StateChange> changes, Context context,
                           Answer<Nothing> answer) {
  if (std::optional<ApiError> refused = refusal(key, {}, {})) return answer(*std::move(refused));
  if (changes.empty()) return answer(Nothing{});
  Result<std::string> message = message_of(std::move(changes));
  if (!message) return answer(api_error(Operation::kStateTransaction, message.error()));
  Result<actors::Call> call = begin(std::move(key), actors::CallKind::kState, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  call->message = *std::move(message);
  call->done = [answer = std::move(answer)](const Result<actors::Reply>& reply) mutable {
    if (reply) return answer(Nothing{});
    if (reply.error().code != Code::kPrecondition) {
      return answer(api_error(Operation::kStateTransaction, reply.error()));
    }
    answer(ApiError{.error_code = "ERR_ACTOR_INSTANCE_MISSING",
                    .message = "actor instance is missing",
                    .status = {400, GrpcCode::kInternal},
                    .code = name_of(Code::kPrecondition)});
  };
  route(*std::move(call));
}

}  // namespace troupe::api

#include "runtime/api/service.h"

#include <algorithm>
#include <utility>

#include "runtime/api/names.h"
#include "runtime/base/guarded.h"
#include "runtime/net/http_message.h"

namespace troupe::api {

struct Service::Extended {
  Guarded<std::map<std::string, std::string>> values;
};

Service::Service(Dependencies dependencies, ServiceOptions options)
    : deps_(dependencies),
      options_(std::move(options)),
      extended_(std::make_unique<Extended>()),
      stores_(deps_.clock, deps_.stores, {.app_id = options_.app_id, .timeout = options_.timeout}) {
}

Service::~Service() = default;

bool Service::ready() const { return deps_.backend.ready(); }

Metadata Service::metadata() const {
  Metadata metadata{.id = options_.app_id,
                    .version = options_.version,
                    .actors = deps_.backend.hosted(),
                    .components = {},
                    .extended = extended_->values.with([](const auto& values) { return values; }),
                    .ready = settled(),
                    .app = options_.app};
  if (deps_.components != nullptr) metadata.components = deps_.components->loaded();
  metadata.extended.emplace("daprRuntimeVersion", options_.version);
  return metadata;
}

Result<void> Service::set_metadata(std::string key, std::string value) {
  const bool kept = extended_->values.with([&](auto& values) {
    if (values.size() >= options_.extended_max && !values.contains(key)) return false;
    values.insert_or_assign(std::move(key), std::move(value));
    return true;
  });
  if (kept) return {};
  return fail(Code::kExhausted, "there are " + std::to_string(options_.extended_max) +
                                    " entries in the metadata already");
}

std::optional<ApiError> Service::refusal(const ActorKey& key, std::string_view name_kind,
                                         std::string_view name) const {
  const Result<void> reserved = check_not_reserved(key.type);
  if (!reserved) return api_error(Operation::kRequest, reserved.error());
  if (const Result<void> named = check_key(key); !named) {
    return api_error(Operation::kRequest, named.error());
  }
  if (name_kind.empty()) return std::nullopt;
  const Result<void> named = check_name(name_kind, name);
  if (!named) return api_error(Operation::kRequest, named.error());
  return std::nullopt;
}

Result<actors::Call> Service::begin(ActorKey key, actors::CallKind kind, Context context) {
  if (!deps_.backend.ready()) {
    return fail(Code::kUnavailable, "this node is not a member of its cluster yet");
  }
  actors::Call call;
  call.key = std::move(key);
  call.kind = kind;
  call.deadline = deps_.clock.now() + context.timeout.value_or(options_.timeout);
  const bool keyed = kind == actors::CallKind::kMethod || kind == actors::CallKind::kState;
  if (keyed && context.call_key.given()) {
    if (const Result<void> taken = take_key(context.call_key, call); !taken) {
      return fail(taken.error());
    }
  } else {
    call.id = deps_.backend.ids().next();
  }
  std::string_view traceparent;
  for (const actors::Metadata& each : context.metadata) {
    if (net::same_without_case(each.name, "traceparent")) traceparent = each.value;
    if (!call.chain.id.empty()) continue;
    if (net::same_without_case(each.name, "Dapr-Reentrancy-Id")) call.chain.id = each.value;
  }
  call.traceparent = deps_.traces.continued(traceparent);
  call.metadata = std::move(context.metadata);
  return call;
}

// Its caller has named it, and may send it again: here, or to any other node.
Result<void> Service::take_key(const CallKey& key, actors::Call& call) const {
  const Result<storage::CallId> id = call_id_of(key.key);
  if (!id) return fail(id.error());
  const Result<bool> repeat = is_repeat(key.attempt);
  if (!repeat) return fail(repeat.error());
  const Result<std::uint64_t> done_below = done_below_of(key.done_below, *id);
  if (!done_below) return fail(done_below.error());
  if (call.deadline - deps_.clock.now() > kKeyedTimeoutMax) {
    return fail(Code::kInvalid, "a call with a " + std::string(kCallKeyHeader) +
                                    " is remembered for its time-out, which may be 600 s at most");
  }
  call.id = *id;
  call.may_repeat = true;
  call.done_below = *done_below;
  call.redirects = *repeat ? 1 : 0;  // by its caller
  call.asked_before = *repeat;
  return {};
}

void Service::send(actors::Call call, Operation operation, Answer<actors::Reply> answer) {
  call.done = [operation, answer = std::move(answer)](Result<actors::Reply> reply) mutable {
    if (!reply) return answer(api_error(operation, reply.error()));
    answer(*std::move(reply));
  };
  route(std::move(call));
}

// What an app asks for the actors it runs is taken to the activation here, from whose turn it may
// come, even if that is about to end; and what it writes goes nowhere else.
void Service::route(actors::Call call) {
  Backend& backend = deps_.backend;
  if (!backend.settled()) {
    const Time deadline = call.deadline;
    return backend.when_settled(
        deadline, [this, held = std::make_shared<actors::Call>(std::move(call))](bool settled) {
          if (settled) return route(std::move(*held));
          held->done(fail(Code::kTimeout, "the app beside this node has not said what it hosts"));
        });
  }
  const bool of_turn = call.kind != actors::CallKind::kMethod || !call.chain.id.empty();
  if (of_turn && backend.runs_outside(call.key.type)) {
    call.here_only =
        call.kind == actors::CallKind::kState && actors::changes_values(call.message.view());
    if (backend.deliver_here(call)) return;
    if (call.here_only) {
      return call.done(fail(Code::kPrecondition, to_string(call.key) + " is not active here"));
    }
  }
  backend.router().route(std::move(call));
}

namespace {

constexpr std::string_view kNoMethod = "actor method not found: ";

// An app's own failure begins with its status; of a native method it is always the same.
bool tells_status(std::string_view message) {
  return message.size() > 5 && message[0] == '(' && message[4] == ')' && message[5] == ' ' &&
         message.find_first_not_of("0123456789", 1) == 4;
}

// Dapr's own words, which its SDKs look for, before ours.
Error invoke_error(const ActorKey& key, const std::string& method, const Error& error) {
  switch (error.code) {
    case Code::kNotFound:
      return {error.code,
              "api error: code = FailedPrecondition desc = did not find address for "
              "actor '" +
                  to_string(key) + "': " + error.message};
    case Code::kApplication:
      if (tells_status(error.message)) return error;
      return {error.code, "(500) " + error.message};
    case Code::kUnimplemented:
      if (error.message.starts_with(kNoMethod)) {
        return {error.code, error.message.substr(kNoMethod.size())};
      }
      return {error.code,
              "actors/" + key.type + "/" + key.id + "/method/" + method + ": " + error.message};
    default:
      return error;
  }
}

}  // namespace

void Service::invoke(Invocation invocation, Context context, Answer<actors::Reply> answer) {
  if (const Result<void> named = check_key(invocation.key); !named) {
    return answer(api_error(Operation::kRequest, named.error()));
  }
  Result<std::string> method = clean_method(invocation.method);
  if (!method) return answer(api_error(Operation::kRequest, method.error()));
  Result<actors::Call> call =
      begin(std::move(invocation.key), actors::CallKind::kMethod, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  call->method = *std::move(method);
  call->message = std::move(invocation.body);
  call->content_type = std::move(invocation.content_type);
  call->done = [answer = std::move(answer), key = call->key,
                name = call->method](Result<actors::Reply> reply) mutable {
    if (reply) return answer(*std::move(reply));
    if (reply.error().code == Code::kExhausted && reply.error().message == actors::kTooDeep) {
      return answer(ApiError{.error_code = "ERR_ACTOR_STACK_DEPTH",
                             .message = std::string(actors::kTooDeep),
                             .status = {500, GrpcCode::kResourceExhausted},
                             .code = name_of(Code::kExhausted)});
    }
    answer(api_error(Operation::kInvoke, invoke_error(key, name, reply.error())));
  };
  route(*std::move(call));
}

}  // namespace troupe::api

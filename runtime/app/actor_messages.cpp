#include "runtime/app/actor_messages.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "actors/directory/call.h"
#include "runtime/net/url.h"
#include <troupe/json_writer.h>

namespace troupe::app {
namespace {

constexpr std::string_view kCancelHeader = "X-Daprremindercancel";
constexpr std::string_view kReentrancyHeader = "Dapr-Reentrancy-Id";
constexpr std::string_view kTraceHeader = "traceparent";
constexpr std::string_view kJson = "application/json";
// Of an error's text; a program that fails may answer with whole pages.
constexpr std::size_t kErrorBytesMax = 64 * 1024;

constexpr std::array<std::string_view, 9> kOfThisHop{
    "connection", "content-length", "content-type",      "date",   "keep-alive",
    "te",         "trailer",        "transfer-encoding", "upgrade"};

bool any_of(std::string_view name, const auto& names) {
  return std::ranges::any_of(
      names, [&](std::string_view each) { return net::same_without_case(each, name); });
}

bool truthy(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTrue{"y", "yes", "true", "t", "on", "1"};
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return false;
  return any_of(text.substr(begin, text.find_last_not_of(' ') - begin + 1), kTrue);
}

std::string path_of(const ActorKey& key) {
  return "actors/" + net::encode_path_segment(key.type) + "/" + net::encode_path_segment(key.id);
}

// A method may be a path.
std::string method_path(std::string_view method) {
  std::string path;
  for (std::size_t begin = 0; begin <= method.size();) {
    const std::size_t end = std::min(method.find('/', begin), method.size());
    path += "/" + net::encode_path_segment(method.substr(begin, end - begin));
    begin = end + 1;
  }
  return path;
}

void text_field(std::string& json, std::string_view name, std::string_view text) {
  JsonWriter out;
  out.string(text);
  const Result<std::string> written = out.finish();
  json += json.size() > 1 ? "," : "";
  json.append("\"").append(name).append("\":").append(written ? *written : "\"\"");
}

// In the order of Dapr's own; the data is JSON already.
std::string tick_body(const TickFacts& tick, std::string_view data) {
  std::string json = "{";
  if (!data.empty()) json.append("\"data\":").append(data);
  if (tick.timer) text_field(json, "callback", tick.callback);
  text_field(json, "dueTime", tick.due_time);
  text_field(json, "period", tick.period);
  return json + "}";
}

void forward_headers(const TurnContext& context, net::HttpRequest& request) {
  for (const Metadata& each : context.metadata()) {
    if (each.name == actors::kQueryMetadata) {
      request.target += "?" + each.value;
    } else if (!net::same_without_case(each.name, kTraceHeader) &&
               !net::same_without_case(each.name, kReentrancyHeader) &&
               !any_of(each.name, kOfThisHop)) {
      request.headers.add(each.name, each.value);
    }
  }
  // Calls of actors in the cluster bring none.
  if (!context.metadata().empty()) request.headers.set("Dapr-API-Call", "true");
}

Error refusal_of(const TurnMessage& message, const ActorKey& key,
                 const net::HttpResponse& response) {
  if (response.status == 404 && message.tick == nullptr) {
    return {Code::kUnimplemented, "actor method not found: actors/" + key.type + "/" + key.id +
                                      "/method/" + message.method};
  }
  return {Code::kApplication, "(" + std::to_string(response.status) + ") " +
                                  std::string(response.body.view().substr(0, kErrorBytesMax))};
}

void cancel_tick(const TickFacts& tick, TurnResult& result) {
  if (tick.timer) {
    TimerChange& change = result.timers.emplace_back();
    change.name = tick.name;
    change.cancel = true;
  } else {
    ReminderChange& change = result.reminders.emplace_back();
    change.name = tick.name;
    change.cancel = true;
  }
}

}  // namespace

net::HttpRequest request_of(const TurnMessage& message, const TurnContext& context) {
  net::HttpRequest request{.method = "PUT", .target = "/" + path_of(context.self()) + "/method"};
  if (message.tick != nullptr) {
    request.target += message.tick->timer ? "/timer/" : "/remind/";
    request.target += net::encode_path_segment(message.tick->name);
    request.body = Payload(tick_body(*message.tick, message.body.view()));
    request.headers.add("content-type", kJson);
  } else {
    request.target += method_path(message.method);
    request.body = message.body;
    if (!message.content_type.empty()) request.headers.add("content-type", message.content_type);
    forward_headers(context, request);
  }
  if (!context.chain_id().empty()) request.headers.set(kReentrancyHeader, context.chain_id());
  if (!context.traceparent().empty()) request.headers.set(kTraceHeader, context.traceparent());
  return request;
}

Result<TurnResult> result_of(const TurnMessage& message, const TurnContext& context,
                             net::HttpResponse&& response) {
  if (response.status != 200) return fail(refusal_of(message, context.self(), response));
  const bool is_error = response.headers.contains(actors::kErrorMetadata);
  if (is_error && message.tick != nullptr) {
    return fail(refusal_of(message, context.self(), response));
  }
  TurnResult result;
  if (truthy(response.headers.find(kCancelHeader).value_or(std::string_view()))) {
    if (message.tick == nullptr) return fail(Code::kInternal, "reminder has been canceled");
    cancel_tick(*message.tick, result);
  }
  if (message.tick != nullptr) return result;
  result.content_type = response.headers.find("content-type").value_or(std::string_view());
  for (const net::HttpHeaders::Field field : response.headers) {
    if (any_of(field.name, kOfThisHop)) continue;
    const bool marks = net::same_without_case(field.name, actors::kErrorMetadata);
    result.metadata.push_back({.name = std::string(marks ? actors::kErrorMetadata : field.name),
                               .value = std::string(field.value)});
  }
  result.reply = std::move(response.body);
  return result;
}

}  // namespace troupe::app

#include "runtime/api/http/exchange.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace troupe::api {
namespace {

constexpr std::array<std::string_view, 11> kOfThisHop{
    "connection", "content-length",    "content-type", "dapr-api-token", "expect", "host",
    "keep-alive", "transfer-encoding", "te",           "trailer",        "upgrade"};
// Set by nodes only.
constexpr std::array<std::string_view, 2> kIdentity{"dapr-caller-app-id", "dapr-caller-namespace"};

constexpr std::string_view kTimeoutHeader = "troupe-timeout-ms";
constexpr std::int64_t kTimeoutMsMax = std::int64_t{24} * 3600 * 1000;

bool stays_here(std::string_view name) {
  const auto same = [&](std::string_view each) { return net::same_without_case(each, name); };
  return std::ranges::any_of(kOfThisHop, same) || std::ranges::any_of(kIdentity, same);
}

// Go's encoding/json writes these so; compared as JSON it makes no difference, as text it does.
std::string go_escaped(std::string_view json) {
  std::string escaped;
  for (const char c : json) {
    switch (c) {
      case '<':
        escaped += "\\u003c";
        break;
      case '>':
        escaped += "\\u003e";
        break;
      case '&':
        escaped += "\\u0026";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// Messages may quote what a caller sent, which need not be UTF-8.
std::string printable(std::string_view text) {
  std::string ascii;
  for (const char c : text) ascii += static_cast<signed char>(c) < 0 ? '?' : c;
  return ascii;
}

// The first member of a detail, which says what it is.
void begin_detail(JsonWriter& out, std::string_view type) {
  out.begin_object();
  out.key("@type");
  out.string("type.googleapis.com/google.rpc." + std::string(type));
}

void detail_member(JsonWriter& out, std::string_view name, std::string_view text) {
  out.field(name);
  out.string(printable(text));
}

void write_help(JsonWriter& out, const ErrorDetails& details) {
  begin_detail(out, "Help");
  out.field("links");
  out.begin_array();
  out.begin_object();
  detail_member(out, "description", details.help_text);
  detail_member(out, "url", details.help_url);
  out.end_object();
  out.end_array();
  out.end_object();
}

void write_field(JsonWriter& out, const ApiError& error) {
  begin_detail(out, "BadRequest");
  out.field("field_violations");
  out.begin_array();
  out.begin_object();
  detail_member(out, "field", *error.details->field);
  detail_member(out, "description", error.message);
  out.end_object();
  out.end_array();
  out.end_object();
}

void write_details(JsonWriter& out, const ApiError& error) {
  const ErrorDetails& details = *error.details;
  out.field("details");
  out.begin_array();
  if (details.field) write_field(out, error);
  if (!details.help_url.empty()) write_help(out, details);
  if (!details.resource_type.empty()) {
    begin_detail(out, "ResourceInfo");
    detail_member(out, "resource_type", details.resource_type);
    detail_member(out, "resource_name", details.resource_name);
    detail_member(out, "owner", "");
    detail_member(out, "description", error.message);
    out.end_object();
  }
  begin_detail(out, "ErrorInfo");
  detail_member(out, "domain", "dapr.io");
  detail_member(out, "reason", details.reason);
  out.field("metadata");
  if (details.metadata.empty()) {
    out.null();
  } else {
    out.write(details.metadata);
  }
  out.end_object();
  out.end_array();
}

std::string error_body(const ApiError& error, std::string_view message) {
  JsonWriter out;
  out.begin_object();
  out.field("errorCode");
  out.string(error.error_code);
  out.field("message");
  out.string(message);
  if (error.details && error.details->over_http) write_details(out, error);
  out.end_object();
  Result<std::string> body = out.finish();
  return body ? *std::move(body) : std::string();
}

}  // namespace

net::HttpResponse error_response(const ApiError& error) {
  const bool other = error.details && !error.details->http_message.empty();
  const std::string& message = other ? error.details->http_message : error.message;
  std::string body = error_body(error, message);
  if (body.empty()) body = error_body(error, printable(message));
  net::HttpResponse response{
      .status = error.status.http, .content_type = "application/json", .body = go_escaped(body)};
  if (!error.code.empty()) response.headers.add("troupe-code", error.code);
  return response;
}

Context Exchange::context() const {
  Context context;
  context.metadata.reserve(request.headers.size() + 1);
  for (const net::HttpHeaders::Field field : request.headers) {
    if (stays_here(field.name)) continue;
    if (net::same_without_case(field.name, "traceparent")) continue;
    if (context.call_key.take(field.name, field.value)) continue;
    context.metadata.push_back({std::string(field.name), std::string(field.value)});
  }
  if (!traceparent.empty()) context.metadata.push_back({"traceparent", traceparent});
  if (const auto text = request.headers.find(kTimeoutHeader)) {
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), ms);
    if (error == std::errc() && end == text->data() + text->size() && ms > 0) {
      context.timeout = std::chrono::milliseconds(std::min(ms, kTimeoutMsMax));
    }
  }
  return context;
}

std::string Exchange::query(std::string_view name) const {
  const net::Query query = request.query();
  return std::string(query.find(name).value_or(std::string_view()));
}

void Exchange::answer(net::HttpResponse response) {
  if (!traceparent.empty()) response.headers.set("traceparent", traceparent);
  respond(std::move(response));
}

void Exchange::json(std::string body) {
  answer({.status = 200, .content_type = "application/json", .body = std::move(body)});
}

void Exchange::nothing() { answer({.status = 204}); }

void Exchange::error(const ApiError& error) { answer(error_response(error)); }

}  // namespace troupe::api

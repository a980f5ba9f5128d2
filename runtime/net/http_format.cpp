#include "runtime/net/http_format.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::net {
namespace {

// RFC 9110, 5.6.2: what a method or a field's name is made of.
constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> token{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    token[static_cast<unsigned char>(c)] = true;
  }
  return token;
}();

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

bool breaks_line(char c) { return c == '\r' || c == '\n' || c == '\0'; }

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  const std::size_t begin = out.size();
  out.append(value);
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), breaks_line, ' ');
  out.append("\r\n");
}

// Fields that say how a message is framed are written by whoever frames it.
bool frames(std::string_view name) {
  switch (name.size()) {
    case 4:
      return same_without_case(name, "Date");
    case 7:
      return same_without_case(name, "Trailer") || same_without_case(name, "Upgrade");
    case 10:
      return same_without_case(name, "Connection") || same_without_case(name, "Keep-Alive");
    case 14:
      return same_without_case(name, "Content-Length");
    case 16:
      return same_without_case(name, "Proxy-Connection");
    case 17:
      return same_without_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 19 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void append_length(std::string& out, const HttpResponse& response, const HttpFraming& framing) {
  if (!may_have_body(response.status)) return;
  const auto given = response.headers.find("Content-Length");
  out.append("Content-Length: ");
  // An answer to HEAD that was fetched elsewhere knows the length of a body that it does not have.
  if (framing.to_head && response.body.empty() && given && is_number(*given)) {
    out.append(*given);
  } else {
    append_number(out, response.body.size());
  }
  out.append("\r\n");
}

}  // namespace

bool has_body(const HttpResponse& response, const HttpFraming& framing) {
  return !framing.to_head && may_have_body(response.status) && !response.body.empty();
}

void append_head(std::string& out, const HttpResponse& response, const HttpFraming& framing) {
  if (response.status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
  } else {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(std::clamp(response.status, 200, 999)));
    out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  }
  if (!framing.date.empty()) append_field(out, "Date", framing.date);
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  for (const HttpHeaders::Field field : response.headers) {
    if (frames(field.name) || !is_token(field.name)) continue;
    if (!response.content_type.empty() && same_without_case(field.name, "Content-Type")) continue;
    append_field(out, field.name, field.value);
  }
  append_length(out, response, framing);
  if (!framing.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (framing.http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

Result<void> append_head(std::string& out, const HttpRequest& request, std::string_view host) {
  if (!is_token(request.method)) {
    return fail(Code::kInvalid, "'" + request.method + "' is no HTTP method");
  }
  const bool proper = !request.target.empty() && std::ranges::all_of(request.target, [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
  });
  if (!proper) {
    return fail(Code::kInvalid, "'" + request.target + "' is no HTTP request target");
  }
  for (const HttpHeaders::Field field : request.headers) {
    if (!is_token(field.name) || std::ranges::any_of(field.value, breaks_line)) {
      return fail(Code::kInvalid, "'" + std::string(field.name) + "' is no proper HTTP header");
    }
  }
  out.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  const auto given = request.headers.find("Host");
  append_field(out, "Host", given.value_or(host));
  for (const HttpHeaders::Field field : request.headers) {
    // Expect would have us wait for a go-ahead that this client does not wait for.
    if (frames(field.name) || same_without_case(field.name, "Host") ||
        same_without_case(field.name, "Expect")) {
      continue;
    }
    append_field(out, field.name, field.value);
  }
  const bool usual_without = request.method == "GET" || request.method == "HEAD" ||
                             request.method == "DELETE" || request.method == "OPTIONS";
  if (!request.body.empty() || !usual_without) {
    out.append("Content-Length: ");
    append_number(out, request.body.size());
    out.append("\r\n");
  }
  out.append("\r\n");
  return {};
}

}  // namespace troupe::net

#pragma once

#include <string>
#include <string_view>

#include "runtime/net/http_message.h"
#include <troupe/result.h>

namespace troupe::net {

/// How an answer is to be framed.
struct HttpFraming {
  bool to_head = false;    // no body, but the headers of one
  bool keep_alive = true;  // the connection stays open
  bool http_1_0 = false;   // whose clients must be told that it stays open
  std::string_view date;   // empty: none
};

/// Appends the head of `response`. Whatever the values hold, it is one head: see HttpResponse.
void append_head(std::string& out, const HttpResponse& response, const HttpFraming& framing);

/// Whether a body follows that head.
bool has_body(const HttpResponse& response, const HttpFraming& framing);

/// Appends the head of `request`. kInvalid, and nothing appended, for a method, target or header
/// that could be read as something else.
Result<void> append_head(std::string& out, const HttpRequest& request, std::string_view host);

}  // namespace troupe::net

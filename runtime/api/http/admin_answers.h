#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/api/http/bodies.h"
#include "runtime/api/http/exchange.h"

/// What the native endpoints, `/troupe/v1/`, have in common.
namespace troupe::api {

/// kInvalid, saying that `what` is a number, for anything else than the digits of one.
template <class Number>
Result<Number> number_of(const std::string& text, std::string_view what) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInvalid, std::string(what) + " is a number from 0 on, not '" + text + "'");
  }
  return number;
}

/// Answers with the JSON of what comes, or the error.
template <class T>
Done<T> json_or_error(Exchange exchange) {
  return [exchange = std::move(exchange)](const Result<T>& facts) mutable {
    if (!facts) return exchange.error(Operation::kAdmin, facts.error());
    Result<std::string> json = try_to_json(*facts);
    if (!json) return exchange.error(Operation::kAdmin, {Code::kInternal, json.error().message});
    exchange.json(*std::move(json));
  };
}

/// Answers that it is done, or the error.
inline Done<void> done_or_error(Exchange exchange) {
  return [exchange = std::move(exchange)](const Result<void>& result) mutable {
    if (!result) return exchange.error(Operation::kAdmin, result.error());
    exchange.nothing();
  };
}

}  // namespace troupe::api

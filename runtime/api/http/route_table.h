#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <troupe/result.h>

namespace troupe::api {

/// An endpoint, found by the method and the path of a request.
///
/// A pattern is literal segments and `{name}`, which stands for one segment: `/v1.0/actors/{type}`.
/// Literals win over parameters. A path is matched as it came, segment by segment, and each
/// parameter is decoded afterwards, so that `%2F` stays inside one. Empty segments (`//`, a slash
/// at the end) and dot segments are resolved first. Immutable; thread-safe.
template <class Endpoint>
struct Route {
  std::string_view methods;  // separated by blanks: `POST PUT`
  std::string_view pattern;
  Endpoint endpoint;
};

/// The segments of `path` as they came, without empty ones, dot segments resolved.
std::vector<std::string_view> clean_segments(std::string_view path);

/// Undoes %-encoding and turns `+` into a blank, as Dapr does. kInvalid for a broken escape.
Result<std::string> decode_parameter(std::string_view raw);

/// Names of a pattern, and the segments they stand for.
using RawParameters = std::vector<std::pair<std::string_view, std::string_view>>;

/// Whether `pattern` fits, filling `parameters` with what its `{}` stand for, still encoded.
bool fits(std::string_view pattern, std::span<const std::string_view> segments,
          RawParameters& parameters);

/// How literal a pattern is: of several that fit, the greatest wins.
std::size_t literal_segments(std::string_view pattern);
/// `method` is one of `methods`.
bool lists_method(std::string_view methods, std::string_view method);

using Parameters = std::vector<std::string>;  // decoded, in the order of the pattern

template <class Endpoint>
struct Match {
  const Route<Endpoint>* route = nullptr;
  Parameters parameters;
};

/// Nothing: no route. kInvalid, with Dapr's text: a parameter with a broken escape.
template <class Endpoint>
std::optional<Result<Match<Endpoint>>> find_route(std::span<const Route<Endpoint>> routes,
                                                  std::string_view method, std::string_view path) {
  const std::vector<std::string_view> segments = clean_segments(path);
  const Route<Endpoint>* best = nullptr;
  RawParameters raw;
  for (const Route<Endpoint>& route : routes) {
    RawParameters found;
    if (!lists_method(route.methods, method) || !fits(route.pattern, segments, found)) continue;
    if (best != nullptr && literal_segments(route.pattern) <= literal_segments(best->pattern)) {
      continue;
    }
    best = &route;
    raw = std::move(found);
  }
  if (best == nullptr) return std::nullopt;
  Match<Endpoint> match{.route = best, .parameters = {}};
  for (const auto& [name, value] : raw) {
    Result<std::string> decoded = decode_parameter(value);
    if (!decoded) {
      return fail(Code::kInvalid, "failed to unescape request parameter \"" + std::string(name) +
                                      "\". Error: " + decoded.error().message);
    }
    match.parameters.push_back(*std::move(decoded));
  }
  return match;
}

}  // namespace troupe::api

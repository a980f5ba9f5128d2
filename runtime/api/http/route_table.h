#pragma once

#include <array>
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

/// The segments of a path as they came, without empty ones, dot segments resolved. Views into the
/// path.
class Segments {
 public:
  /// No pattern is as long as a path with more segments, whose later ones cannot be looked at.
  static constexpr std::size_t kMax = 16;

  explicit Segments(std::string_view path);
  std::size_t size() const { return size_; }
  /// Requires i < size() and i < kMax.
  std::string_view operator[](std::size_t i) const { return all_[i]; }

 private:
  std::array<std::string_view, kMax> all_;
  std::size_t size_ = 0;
};

/// Undoes %-encoding and turns `+` into a blank, as Dapr does. kInvalid for a broken escape.
Result<std::string> decode_parameter(std::string_view raw);

/// Names of a pattern, and the segments they stand for.
struct RawParameters {
  std::array<std::pair<std::string_view, std::string_view>, Segments::kMax> all;
  std::size_t size = 0;
};

/// Whether `pattern` fits, filling `parameters` with what its `{}` stand for, still encoded.
bool fits(std::string_view pattern, const Segments& segments, RawParameters& parameters);

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
                                                  std::string_view method,
                                                  const Segments& segments) {
  const Route<Endpoint>* best = nullptr;
  RawParameters raw;
  for (const Route<Endpoint>& route : routes) {
    RawParameters found;
    if (!lists_method(route.methods, method) || !fits(route.pattern, segments, found)) continue;
    if (best != nullptr && literal_segments(route.pattern) <= literal_segments(best->pattern)) {
      continue;
    }
    best = &route;
    raw = found;
  }
  if (best == nullptr) return std::nullopt;
  Match<Endpoint> match{.route = best, .parameters = {}};
  match.parameters.reserve(raw.size);
  for (std::size_t i = 0; i < raw.size; ++i) {
    const auto& [name, value] = raw.all[i];
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

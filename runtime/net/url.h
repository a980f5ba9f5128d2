#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <troupe/result.h>

namespace troupe::net {

/// `http://host:port/path?query`, taken apart. User information is refused, a fragment dropped.
struct Url {
  std::string scheme;      // lower case
  std::string host;        // without brackets
  std::uint16_t port = 0;  // the scheme's own if none is given: 80 or 443; 0 for other schemes
  std::string target;      // path and query as given, at least `/`

  friend bool operator==(const Url&, const Url&) = default;
};

/// kInvalid, naming `text`, if it is no such URL.
Result<Url> parse_url(std::string_view text);

/// Undoes %-encoding once, and nothing else (`+` stays). kInvalid for a broken escape. The result
/// may hold any byte, `/` and zero too.
Result<std::string> decode_path_segment(std::string_view raw);

/// Encodes all but letters, digits and `-._~`.
std::string encode_path_segment(std::string_view text);

/// The parts of a path between its slashes, decoded one by one, so that an encoded slash stays in
/// its part: `/a/b%2Fc/` is {"a", "b/c", ""}; `/` is {""}. kInvalid for a broken escape or a path
/// that does not begin with `/`.
Result<std::vector<std::string>> decode_path(std::string_view path);

/// The parameters of a query, decoded, `+` as a space, in order, repeated ones repeated.
class Query {
 public:
  /// Broken escapes stay as they are. At most kParametersMax; what follows is left out.
  static constexpr std::size_t kParametersMax = 1'000;
  static Query parse(std::string_view raw);

  /// The first value of `name`. The view lives as long as the query.
  std::optional<std::string_view> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return parameters_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace troupe::net

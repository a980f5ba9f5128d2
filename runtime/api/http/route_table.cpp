#include "runtime/api/http/route_table.h"

#include <algorithm>

#include "runtime/net/url.h"

namespace troupe::api {
namespace {

// Calls `use` with each part of `text` between separators.
template <class Use>
void split(std::string_view text, char separator, Use use) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    use(part);
  }
}

bool parameter(std::string_view segment) { return segment.starts_with('{'); }

}  // namespace

std::vector<std::string_view> clean_segments(std::string_view path) {
  std::vector<std::string_view> segments;
  split(path, '/', [&](std::string_view segment) {
    if (segment.empty() || segment == ".") return;
    if (segment != "..") {
      segments.push_back(segment);
    } else if (!segments.empty()) {
      segments.pop_back();
    }
  });
  return segments;
}

Result<std::string> decode_parameter(std::string_view raw) {
  std::string plain(raw);
  std::ranges::replace(plain, '+', ' ');
  return net::decode_path_segment(plain);
}

bool fits(std::string_view pattern, std::span<const std::string_view> segments,
          RawParameters& parameters) {
  std::size_t i = 0;
  bool fitting = true;
  split(pattern.substr(1), '/', [&](std::string_view part) {
    if (!fitting || i == segments.size()) {
      fitting = false;
    } else if (parameter(part)) {
      parameters.emplace_back(part.substr(1, part.size() - 2), segments[i++]);
    } else {
      fitting = part == segments[i++];
    }
  });
  return fitting && i == segments.size();
}

std::size_t literal_segments(std::string_view pattern) {
  std::size_t count = 0;
  split(pattern, '/', [&](std::string_view part) {
    if (!part.empty() && !parameter(part)) ++count;
  });
  return count;
}

bool lists_method(std::string_view methods, std::string_view method) {
  bool found = false;
  split(methods, ' ', [&](std::string_view each) { found = found || each == method; });
  return found;
}

}  // namespace troupe::api

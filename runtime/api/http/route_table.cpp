#include "runtime/api/http/route_table.h"

#include <algorithm>

#include "runtime/net/url.h"

namespace troupe::api {
namespace {

// Calls `use` with each part of `text` between separators, until one says false.
template <class Use>
bool split(std::string_view text, char separator, Use use) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!use(part)) return false;
  }
  return true;
}

bool parameter(std::string_view segment) { return segment.starts_with('{'); }

}  // namespace

Segments::Segments(std::string_view path) {
  split(path, '/', [&](std::string_view segment) {
    if (segment.empty() || segment == ".") return true;
    if (segment != "..") {
      if (size_ < kMax) all_[size_] = segment;
      ++size_;
    } else if (size_ > 0) {
      --size_;
    }
    return true;
  });
}

Result<std::string> decode_parameter(std::string_view raw) {
  std::string plain(raw);
  std::ranges::replace(plain, '+', ' ');
  return net::decode_path_segment(plain);
}

bool fits(std::string_view pattern, const Segments& segments, RawParameters& parameters) {
  if (segments.size() > Segments::kMax) return false;
  std::size_t i = 0;
  const bool fitting = split(pattern.substr(1), '/', [&](std::string_view part) {
    if (i == segments.size()) return false;
    if (!parameter(part)) return part == segments[i++];
    parameters.all[parameters.size++] = {part.substr(1, part.size() - 2), segments[i++]};
    return true;
  });
  return fitting && i == segments.size();
}

std::size_t literal_segments(std::string_view pattern) {
  std::size_t count = 0;
  split(pattern, '/', [&](std::string_view part) {
    if (!part.empty() && !parameter(part)) ++count;
    return true;
  });
  return count;
}

bool lists_method(std::string_view methods, std::string_view method) {
  return !split(methods, ' ', [&](std::string_view each) { return each != method; });
}

}  // namespace troupe::api

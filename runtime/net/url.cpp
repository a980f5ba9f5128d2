#include "runtime/net/url.h"

#include <algorithm>
#include <cctype>

#include "runtime/net/socket_address.h"

namespace troupe::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that the escape at `i` spells, -1 if it is none.
int escaped(std::string_view text, std::size_t i) {
  if (i + 2 >= text.size()) return -1;
  const int high = hex_digit(text[i + 1]);
  const int low = hex_digit(text[i + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string decode_parameter(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const int byte = raw[i] == '%' ? escaped(raw, i) : -1;
    if (byte >= 0) {
      text.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      text.push_back(raw[i] == '+' ? ' ' : raw[i]);
    }
  }
  return text;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool is_scheme(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::ranges::all_of(text, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' ||
                  c == '.';
         });
}

Failure no_url(std::string_view text, std::string_view why) {
  return fail(Code::kInvalid, "'" + std::string(text) + "' is no URL: " + std::string(why));
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) {
    return no_url(text, "it begins with a scheme and ://");
  }
  url.scheme = text.substr(0, colon);
  std::ranges::transform(url.scheme, url.scheme.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return no_url(text, "it names a user");
  const std::uint16_t usual = url.scheme == "http" ? 80 : url.scheme == "https" ? 443 : 0;
  // A scheme without a usual port may leave it out as well: 1 stands in, and is taken back.
  const auto where = parse_host_port(authority, usual == 0 ? 1 : usual);
  if (!where) return no_url(text, where.error().message);
  url.host = where->host;
  const bool given = authority.rfind(':') != std::string_view::npos && !authority.ends_with(']');
  url.port = given || usual != 0 ? where->port : 0;
  std::string_view target = end == std::string_view::npos ? "" : rest.substr(end);
  target = target.substr(0, target.find('#'));
  const bool proper = std::ranges::all_of(target, [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) != 0x7f;
  });
  if (!proper) return no_url(text, "blanks and control characters must be escaped");
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return url;
}

Result<std::string> decode_path_segment(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      text.push_back(raw[i]);
      continue;
    }
    const int byte = escaped(raw, i);
    if (byte < 0) {
      return fail(Code::kInvalid, "broken escape in path segment '" + std::string(raw) + "'");
    }
    text.push_back(static_cast<char>(byte));
    i += 2;
  }
  return text;
}

std::string encode_path_segment(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string raw;
  raw.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      raw.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      raw.push_back('%');
      raw.push_back(kDigits[byte >> 4]);
      raw.push_back(kDigits[byte & 15]);
    }
  }
  return raw;
}

Result<std::vector<std::string>> decode_path(std::string_view path) {
  if (!path.starts_with('/')) {
    return fail(Code::kInvalid, "path '" + std::string(path) + "' does not begin with '/'");
  }
  std::vector<std::string> segments;
  for (path.remove_prefix(1);;) {
    const std::size_t slash = path.find('/');
    auto segment = decode_path_segment(path.substr(0, slash));
    if (!segment) return fail(segment.error());
    segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

Query Query::parse(std::string_view raw) {
  Query query;
  while (!raw.empty() && query.parameters_.size() < kParametersMax) {
    const std::size_t end = raw.find('&');
    const std::string_view parameter = raw.substr(0, end);
    raw = end == std::string_view::npos ? "" : raw.substr(end + 1);
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    query.parameters_.emplace_back(
        decode_parameter(parameter.substr(0, equals)),
        equals == std::string_view::npos ? "" : decode_parameter(parameter.substr(equals + 1)));
  }
  return query;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace troupe::net

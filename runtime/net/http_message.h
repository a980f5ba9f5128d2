#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/net/socket_address.h"
#include "runtime/net/url.h"
#include <troupe/payload.h>

namespace troupe::net {

/// Header fields in their order, repeated ones repeated. Names compare without case, and keep the
/// case they came in. Views live until the next change.
class HttpHeaders {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;

    friend bool operator==(const Field&, const Field&) = default;
  };

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields);

  void add(std::string_view name, std::string_view value);
  /// Puts one field in place of all of that name.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  /// The first of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  /// All of that name, in order.
  std::vector<std::string_view> find_all(std::string_view name) const;
  /// Whether `token` is an element of the comma-separated lists under `name`, without case.
  bool lists(std::string_view name, std::string_view token) const;

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// Requires i < size().
  Field operator[](std::size_t i) const;

  class Iterator {
   public:
    using value_type = Field;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const HttpHeaders& headers, std::size_t i) : headers_(&headers), i_(i) {}
    Field operator*() const { return (*headers_)[i_]; }
    Iterator& operator++() { return ++i_, *this; }
    Iterator operator++(int) { return std::exchange(*this, Iterator(*headers_, i_ + 1)); }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.i_ == b.i_; }

   private:
    const HttpHeaders* headers_ = nullptr;
    std::size_t i_ = 0;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  // All names and values stand in one string, so that a message costs two allocations here however
  // many fields it has.
  struct Entry {
    std::uint32_t begin;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string text_;
  std::vector<Entry> entries_;
};

/// Compares ASCII without case.
bool same_without_case(std::string_view a, std::string_view b);

/// What a server was asked, or a client asks.
struct HttpRequest {
  std::string method = "GET";  // any verb, in the case it came in
  std::string target = "/";    // path and query, as they stand on the request line
  HttpHeaders headers = {};    // without trailers
  Payload body = {};
  SocketAddress peer = {};  // who asks; not used by a client

  /// Up to the question mark, not decoded.
  std::string_view path() const;
  /// After the question mark, not decoded.
  std::string_view query_text() const;
  /// The path, taken apart and decoded.
  Result<std::vector<std::string>> path_segments() const { return decode_path(path()); }
  Query query() const { return Query::parse(query_text()); }
};

/// What a server answers. Content-Length, Date and Connection are the server's; given ones are left
/// out. Line breaks in values become spaces, and fields without a proper name are left out.
struct HttpResponse {
  int status = 200;
  HttpHeaders headers = {};
  std::string content_type = {};  // empty: none beside what `headers` says
  Payload body = {};
};

/// `Not Found` for 404; empty for an unknown status.
std::string_view reason_phrase(int status);

}  // namespace troupe::net

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/net/http_message.h"
#include <troupe/json.h>

/// Bodies of JSON as Go reads them: names count without their case, null is nothing at all.
namespace troupe::api {

/// A value of `body`, by a function that reads it.
template <class T, class Read>
Result<T> parsed(std::string_view body, Read read) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail(Code::kInvalid, "EOF");
  }
  JsonDocument document(body);
  const JsonReader root = document.root();
  T value{};
  if (!root || !read(root, value)) return document.failure();
  return value;
}

/// Calls `use(name, value)` for each member that is not null; it returns false if it cannot be
/// read.
template <class Use>
bool each_member(const JsonReader& in, Use use) {
  if (in.kind() == JsonKind::kNull) return true;
  JsonMembers members;
  if (!in.read_members(members)) return false;
  std::string_view name;
  JsonReader value;
  while (members.next(name, value)) {
    if (value.kind() == JsonKind::kNull) continue;
    if (!use(name, value)) return value.locate_key(name);
  }
  return true;
}

inline bool named(std::string_view name, std::string_view wanted) {
  return net::same_without_case(name, wanted);
}

inline bool read_text(const JsonReader& in, std::string& text) {
  std::string_view view;
  if (!in.read_string(view)) return false;
  text = view;
  return true;
}

inline bool read_metadata(const JsonReader& in, std::map<std::string, std::string>& metadata) {
  return each_member(in, [&](std::string_view name, const JsonReader& value) {
    return read_text(value, metadata[std::string(name)]);
  });
}

}  // namespace troupe::api

#include "runtime/api/names.h"

#include <algorithm>
#include <vector>

#include <troupe/json_writer.h>

namespace troupe::api {
namespace {

bool control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Names are strings of JSON wherever they are shown.
bool utf8(std::string_view text) {
  if (std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return true;
  }
  JsonWriter writer;
  writer.string(text);
  return writer.finish().has_value();
}

Result<void> refuse(std::string_view what, std::string_view why) {
  return fail(Code::kInvalid, "invalid " + std::string(what) + ": " + std::string(why));
}

}  // namespace

Result<void> check_name(std::string_view what, std::string_view name) {
  if (name.empty()) return refuse(what, "cannot be empty");
  if (name == "." || name == "..") return refuse(what, "cannot be '.' or '..'");
  const std::size_t most = what == "actorType" ? kTypeSizeMax : kNameSizeMax;
  if (name.size() > most) {
    return refuse(what, "is longer than " + std::to_string(most) + " bytes");
  }
  if (std::ranges::any_of(name, control)) return refuse(what, "contains a control character");
  if (!utf8(name)) return refuse(what, "is not UTF-8");
  const std::size_t found = name.find_first_of("#?/\\");
  if (found == std::string_view::npos) return {};
  return refuse(what, "contains the character '" + std::string(1, name[found]) + "'");
}

Result<void> check_key(const ActorKey& key) {
  if (Result<void> type = check_name("actorType", key.type); !type) return type;
  return check_name("actorId", key.id);
}

Result<std::string> clean_method(std::string_view method) {
  if (std::ranges::any_of(method, control)) {
    return fail(Code::kInvalid, "invalid method: contains a control character");
  }
  if (!utf8(method)) return fail(Code::kInvalid, "invalid method: is not UTF-8");
  const std::size_t found = method.find_first_of("#?");
  if (found != std::string_view::npos) {
    return fail(Code::kInvalid,
                "invalid method: contains the character '" + std::string(1, method[found]) + "'");
  }
  std::vector<std::string_view> parts;
  while (!method.empty()) {
    const std::string_view part = method.substr(0, method.find('/'));
    method.remove_prefix(std::min(method.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string clean;
  for (const std::string_view part : parts) {
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  if (clean.empty()) return fail(Code::kInvalid, "invalid method: cannot be empty");
  if (clean.size() > kNameSizeMax) {
    return fail(Code::kInvalid,
                "invalid method: is longer than " + std::to_string(kNameSizeMax) + " bytes");
  }
  return clean;
}

bool is_system_type(std::string_view type) { return type.starts_with("troupe.internal."); }

Result<void> check_not_reserved(std::string_view type) {
  if (is_system_type(type)) {
    return fail(Code::kDenied, "actor type \"" + std::string(type) +
                                   "\" is reserved for the building blocks of this runtime");
  }
  if (!type.starts_with("dapr.internal.")) return {};
  return fail(Code::kDenied, "actor type \"" + std::string(type) +
                                 "\" is reserved for the Dapr workflow runtime; direct actor API "
                                 "access is not permitted");
}

}  // namespace troupe::api

#pragma once

#include <compare>
#include <functional>
#include <string>

namespace troupe {

/// Names one actor in the whole cluster.
struct ActorKey {
  std::string type;  // with its namespace, if it has one: `namespace||type`
  std::string id;

  friend auto operator<=>(const ActorKey&, const ActorKey&) = default;
};

/// `type/id`, for people.
inline std::string to_string(const ActorKey& key) { return key.type + "/" + key.id; }

}  // namespace troupe

template <>
struct std::hash<troupe::ActorKey> {
  std::size_t operator()(const troupe::ActorKey& key) const noexcept {
    const std::hash<std::string> text;
    return text(key.type) * 31 + text(key.id);
  }
};

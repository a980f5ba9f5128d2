#include "runtime/app/app_config.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "actors/schedule/time_text.h"
#include "runtime/net/http_message.h"
#include <troupe/json_reader.h>

namespace troupe::app {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::uint64_t kStackDepthMax = 10'000;

// The settings of a group of types, in Dapr's words.
struct Settings {
  std::vector<std::string> entities;
  std::string idle_timeout;
  std::string drain_timeout;
  bool drains = true;
  bool reentrant = false;
  std::uint64_t stack_depth = 0;
};

struct Document {
  Settings general;
  std::vector<Settings> groups;
};

// Calls `use(name, value)` for each member that is not null; it returns false if it cannot be read.
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

template <class Use>
bool each_item(const JsonReader& in, Use use) {
  JsonItems items;
  if (!in.read_items(items)) return false;
  JsonReader item;
  for (std::size_t index = 0; items.next(item); ++index) {
    if (!use(item)) return item.locate_index(index);
  }
  return true;
}

bool named(std::string_view name, std::string_view wanted) {
  return net::same_without_case(name, wanted);
}

bool read_text(const JsonReader& in, std::string& text) {
  std::string_view view;
  if (!in.read_string(view)) return false;
  text = view;
  return true;
}

bool read_reentrancy(const JsonReader& in, Settings& settings) {
  return each_member(in, [&](std::string_view name, const JsonReader& value) {
    if (named(name, "enabled")) return value.read_boolean(settings.reentrant);
    if (!named(name, "maxStackDepth")) return true;
    std::int64_t depth = 0;
    if (!value.read_integer(depth, INT64_MIN, INT64_MAX)) return false;
    settings.stack_depth = depth <= 0 ? 0 : static_cast<std::uint64_t>(depth);
    return true;
  });
}

bool read_setting(std::string_view name, const JsonReader& value, Settings& settings) {
  if (named(name, "entities")) {
    return each_item(value, [&](const JsonReader& item) {
      return read_text(item, settings.entities.emplace_back());
    });
  }
  if (named(name, "actorIdleTimeout")) return read_text(value, settings.idle_timeout);
  if (named(name, "drainOngoingCallTimeout")) return read_text(value, settings.drain_timeout);
  if (named(name, "drainRebalancedActors")) return value.read_boolean(settings.drains);
  if (named(name, "reentrancy")) return read_reentrancy(value, settings);
  return true;
}

bool read_document(const JsonReader& in, Document& document) {
  return each_member(in, [&](std::string_view name, const JsonReader& value) {
    if (!named(name, "entitiesConfig")) return read_setting(name, value, document.general);
    return each_item(value, [&](const JsonReader& item) {
      Settings& group = document.groups.emplace_back();
      return each_member(item, [&](std::string_view member, const JsonReader& setting) {
        return read_setting(member, setting, group);
      });
    });
  });
}

Duration duration_of(const std::string& text, Duration standard, std::string_view setting,
                     bool zero_is_one, AppConfig& config) {
  if (text.empty()) return standard;
  const Result<Duration> read = parse_go_duration(text);
  if (read && (*read > Duration(0) || (zero_is_one && *read == Duration(0)))) return *read;
  config.warnings.push_back(std::string(setting) + " '" + text +
                            "' is no duration such as 1h30m or 500ms; " +
                            format_go_duration(standard) + " stands for it");
  return standard;
}

ActorSettings settings_of(const Settings& said, AppConfig& config) {
  ActorSettings settings;
  settings.idle_timeout =
      duration_of(said.idle_timeout, settings.idle_timeout, "actorIdleTimeout", false, config);
  settings.drain_timeout = duration_of(said.drain_timeout, settings.drain_timeout,
                                       "drainOngoingCallTimeout", true, config);
  if (!said.drains) settings.drain_timeout = Duration(0);
  settings.reentrant = said.reentrant;
  if (said.stack_depth > 0) {
    settings.stack_depth_max = static_cast<std::size_t>(std::min(said.stack_depth, kStackDepthMax));
  }
  return settings;
}

bool proper_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || name == "." || name == "..") return false;
  if (name.starts_with("dapr.internal.")) return false;
  return std::ranges::none_of(name, [](const char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '#' || c == '?' || c == '/' || c == '\\';
  });
}

void add_types(const Settings& general, AppConfig& config) {
  const ActorSettings settings = settings_of(general, config);
  std::size_t bytes = 0;
  for (const std::string& name : general.entities) {
    if (!proper_name(name)) {
      config.warnings.push_back("'" + name + "' cannot be the name of an actor type");
      continue;
    }
    if (config.types.contains(name)) continue;
    bytes += name.size();
    if (config.types.size() >= kTypesMax || bytes > kNamesBytesMax) {
      config.warnings.push_back("too many actor types: '" + name +
                                "' and what follows is left out");
      return;
    }
    config.types.emplace(name, settings);
  }
}

}  // namespace

Result<AppConfig> parse_app_config(std::string_view json) {
  JsonDocument parsed(json);
  const JsonReader root = parsed.root();
  Document document;
  if (!root || !read_document(root, document)) return parsed.failure();
  AppConfig config;
  add_types(document.general, config);
  for (const Settings& group : document.groups) {
    const ActorSettings settings = settings_of(group, config);
    for (const std::string& name : group.entities) {
      const auto type = config.types.find(name);
      if (type != config.types.end()) {
        type->second = settings;
      } else {
        config.warnings.push_back("entitiesConfig names '" + name +
                                  "', which is not among the entities");
      }
    }
  }
  return config;
}

}  // namespace troupe::app

#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::app {

/// How an app wants the actors of one type to be run.
struct ActorSettings {
  Duration idle_timeout = std::chrono::minutes(60);
  Duration drain_timeout = std::chrono::seconds(2);  // 0: calls under way are not waited for
  bool reentrant = false;
  std::size_t stack_depth_max = 32;

  friend bool operator==(const ActorSettings&, const ActorSettings&) = default;
};

/// What an app says about itself at GET /dapr/config.
struct AppConfig {
  std::map<std::string, ActorSettings> types;
  std::vector<std::string> warnings;  // what was not understood, and what stands for it

  friend bool operator==(const AppConfig&, const AppConfig&) = default;
};

/// More actor types than this of one app, or more bytes in their names, are left out with a
/// warning: nodes tell one another what they host, in messages that are small.
inline constexpr std::size_t kTypesMax = 256;
inline constexpr std::size_t kNamesBytesMax = 16 * 1024;

/// Reads Dapr's JSON, as Dapr does: names of members in any case, unknown ones passed over; a
/// duration that is none stands for the default; `entitiesConfig` replaces the general settings for
/// its types, and does not merge with them. kInvalid, saying where, for what is not such JSON.
Result<AppConfig> parse_app_config(std::string_view json);

}  // namespace troupe::app

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/app/app_config.h"

// Input: what an app answers at GET /dapr/config.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = troupe::app::parse_app_config(text);
  if (!config) return config.error().message.empty() ? -1 : 0;
  if (config->types.size() > troupe::app::kTypesMax) __builtin_trap();
  for (const auto& [name, settings] : config->types) {
    if (name.empty() || settings.idle_timeout <= troupe::Duration(0)) __builtin_trap();
    if (settings.drain_timeout < troupe::Duration(0)) __builtin_trap();
    if (settings.stack_depth_max == 0) __builtin_trap();
  }
  return 0;
}

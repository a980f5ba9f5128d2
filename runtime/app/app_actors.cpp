#include "runtime/app/app_actors.h"

#include <utility>

#include "runtime/app/app_instance.h"
#include "runtime/app/places.h"

namespace troupe::app {
namespace {

constexpr std::size_t kMailboxLengthMax = 10'000;

ActorOptions options_of(const ActorSettings& settings) {
  ActorOptions options;
  options.idle_timeout = settings.idle_timeout;
  options.drain_timeout = settings.drain_timeout;
  options.mailbox_length_max = kMailboxLengthMax;
  options.reentrant = settings.reentrant;
  options.reentrant_depth_max = settings.stack_depth_max;
  options.outside = true;
  return options;
}

}  // namespace

AppActors::AppActors(AppChannel& channel, Clock& clock, Log log)
    : places_(std::make_shared<Places>(channel, clock, log)) {}

std::vector<ActorType> AppActors::types(const AppConfig& config) const {
  std::vector<ActorType> types;
  for (const auto& [name, settings] : config.types) {
    types.push_back(
        {.name = name, .options = options_of(settings), .methods = {}, .make = [places = places_] {
           return std::make_unique<AppInstance>(places);
         }});
  }
  return types;
}

}  // namespace troupe::app

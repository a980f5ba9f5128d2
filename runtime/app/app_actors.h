#pragma once

#include <memory>
#include <vector>

#include "runtime/app/app_channel.h"
#include "runtime/app/app_config.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include <troupe/actor_type.h>

namespace troupe::app {

class Places;

/// The actor types of the app beside this node, as the runtime knows types. Their instances forward
/// each turn to the app.
///
/// Whatever becomes of an activation, the next one of its actor on this node asks the app for
/// nothing until the last request of the one before has been answered, or its connection has
/// broken, and the app has been told to let the actor go. Thread-safe.
class AppActors {
 public:
  /// `channel` and `clock` outlive the instances.
  AppActors(AppChannel& channel, Clock& clock, Log log);

  std::vector<ActorType> types(const AppConfig& config) const;

 private:
  std::shared_ptr<Places> places_;
};

}  // namespace troupe::app

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/api/service.h"
#include "runtime/app/app_actors.h"
#include "runtime/app/app_watch.h"
#include "runtime/app/http_channel.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/node/node_settings.h"
#include <troupe/actor_type.h>

namespace troupe::node {

/// The app beside this node, put together: the way to it, its life, and its actor types.
class AppBeside {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& executor;
    net::IoThreads& threads;
    net::Resolver& resolver;
    Log log;
  };

  /// Nothing is asked of the app before start(). The dependencies outlive it.
  AppBeside(const NodeSettings& settings, const Dependencies& dependencies);
  /// As stop().
  ~AppBeside();

  /// `offered` is told the actor types of the app: those it has, or none while it is away. On the
  /// executor.
  void start(std::function<void(std::vector<ActorType>)> offered);

  /// Requests under way fail. When it returns the app is asked nothing more.
  void stop();

 private:
  Clock& clock_;
  Executor& executor_;
  Log log_;
  const app::AppWatchOptions options_;
  std::shared_ptr<app::AppWatch> watch_;  // set before the channel is used
  app::HttpChannel channel_;
  app::AppActors actors_;
};

/// Nothing, if there is no app.
std::optional<api::AppConnection> app_connection(const NodeSettings& settings);

}  // namespace troupe::node

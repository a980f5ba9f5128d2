#pragma once

#include <map>
#include <memory>
#include <vector>

#include "runtime/app/app_channel.h"
#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include "runtime/base/log.h"
#include <troupe/actor_key.h>
#include <troupe/function.h>

namespace troupe::app {

class Places;

/// An actor's place in the app: whoever has it may ask the app for turns of that actor. Its last
/// owner gone, the app is told to let the actor go, and then the next one in line has the place. An
/// instance owns it, and every request under way. Thread-safe.
class Place {
 public:
  Place(std::shared_ptr<Places> places, ActorKey key);
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// The app has been asked for a turn: it may have the actor in memory.
  void used();
  /// The app has been told to let the actor go.
  void emptied();

 private:
  const std::shared_ptr<Places> places_;
  const ActorKey key_;
  Guarded<bool> occupied_{false};
};

/// What the actors of one app share: the way to it, and the places there.
class Places final : public std::enable_shared_from_this<Places> {
 public:
  Places(AppChannel& the_channel, Clock& the_clock, Log the_log)
      : channel(the_channel), clock(the_clock), log(the_log) {}

  using Taken = Function<void(std::shared_ptr<Place>)>;

  /// The place of an actor, at once or when those before have left it. `taken` runs inside this
  /// call, or on any thread.
  void take(const ActorKey& key, Taken taken);

  /// Asks the app to let an actor go; `done` on any thread, however that went.
  void let_go(const ActorKey& key, Function<void()> done);

  AppChannel& channel;
  Clock& clock;
  const Log log;

 private:
  friend class Place;
  void left(const ActorKey& key);

  Guarded<std::map<ActorKey, std::vector<Taken>>> lines_;  // of taken places: who waits
};

}  // namespace troupe::app

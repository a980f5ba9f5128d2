#pragma once

#include <utility>
#include <vector>

#include "actors/directory/actors.h"
#include "actors/directory/metrics.h"

namespace troupe::actors {

class Activation;
class EventList;

/// What the activations of a node share. Outlives them. Thread-safe.
class Home {
 public:
  Home(ActorsDependencies the_dependencies, ActorsOptions the_options)
      : dependencies(the_dependencies), options(std::move(the_options)) {}
  virtual ~Home() = default;

  /// `activation` has ended, and the next of its key may begin: closes its mailbox and forgets it.
  /// `first`, and what was in the mailbox after those, is delivered anew, in this order.
  virtual void ended(Activation& activation, std::vector<EventList> first) = 0;

  const ActorsDependencies dependencies;
  const ActorsOptions options;
  Metrics metrics;
};

}  // namespace troupe::actors

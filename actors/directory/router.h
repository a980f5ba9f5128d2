#pragma once

#include "actors/directory/call.h"

namespace troupe::actors {

/// Takes calls to wherever their actor is: here or on another node. runtime/cluster implements it;
/// turns use it for nested calls, the API for everything. Thread-safe.
class Router {
 public:
  virtual ~Router() = default;

  /// `call.done` gets the reply, or an error by the call's deadline at the latest.
  virtual void route(Call call) = 0;

  /// Takes back a call that was delivered here and did not run, because this node does not own its
  /// actor (any more). It goes on to where the actor is now.
  virtual void returned(Call call) = 0;
};

}  // namespace troupe::actors

#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/blocks/state/embedded.h"
#include "runtime/blocks/state/state.h"
#include "runtime/components/properties.h"

namespace troupe::blocks::state {

/// What stores are made with. All outlive them.
struct StoreSurroundings {
  Clock& clock;
  Executor& timers;
  StateCalls& calls;
  Log log;
};

/// A component as its resource describes it, references resolved.
struct StoreDescription {
  std::string name = {};
  std::string type = {};     // state.redis
  std::string version = {};  // v1
  components::Properties properties = {};
  Duration init_timeout = std::chrono::seconds(5);
};

/// Makes a store and makes it ready, which may block for the description's time-out: files are
/// opened, servers reached, tables made. kNotFound for a type or version that there is not; else
/// what is wrong with the metadata, or what the server said.
Result<std::unique_ptr<Component>> make_store(StoreDescription& description,
                                              const StoreSurroundings& on);

}  // namespace troupe::blocks::state

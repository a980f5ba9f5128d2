#pragma once

#include <cstdint>

#include "runtime/base/ids.h"

namespace troupe::storage {

/// Names one call of one process, through all its retries and redirects.
struct CallId {
  NodeId origin;
  Generation generation;
  std::uint64_t sequence = 0;

  bool empty() const { return origin.empty(); }
  friend auto operator<=>(const CallId&, const CallId&) = default;
};

}  // namespace troupe::storage

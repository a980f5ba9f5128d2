#pragma once

#include <string>
#include <string_view>

#include "runtime/base/guarded.h"
#include "runtime/base/random.h"

namespace troupe::api {

/// Whether runtime/base/trace.h can read it.
bool valid_traceparent(std::string_view text);

/// Makes trace contexts for calls that bring none. Thread-safe.
class Traces {
 public:
  explicit Traces(std::uint64_t seed) : random_(Random(seed)) {}

  /// `incoming` if it is valid, else a new trace, not sampled.
  std::string continued(std::string_view incoming);

 private:
  Guarded<Random> random_;
};

}  // namespace troupe::api

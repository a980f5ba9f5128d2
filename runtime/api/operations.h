#pragma once

#include <variant>

#include "runtime/api/status.h"
#include <troupe/function.h>

namespace troupe::api {

/// What came of an operation: a value, or the failure in the API's words.
template <class T>
using Outcome = std::variant<T, ApiError>;
struct Nothing {};

/// Called exactly once, on any thread, perhaps inside the operation; must not block.
template <class T>
using Answer = Function<void(Outcome<T>)>;

}  // namespace troupe::api

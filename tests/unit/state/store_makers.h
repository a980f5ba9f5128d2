#pragma once

#include <vector>

#include "tests/unit/state/store_kit.h"

namespace troupe::testing {

/// All stores there are.
std::vector<StoreMaker> store_makers();
/// Those whose transactions are undone as a whole.
std::vector<StoreMaker> atomic_store_makers();

}  // namespace troupe::testing

#pragma once

#include <vector>

#include "runtime/blocks/state/component.h"

namespace troupe::blocks::state {

/// What several changes of one transaction come to, none of one key twice: the last one's value,
/// under the first one's condition.
std::vector<Change> merged(std::vector<Change> changes);

}  // namespace troupe::blocks::state

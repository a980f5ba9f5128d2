#pragma once

#include <functional>
#include <vector>

#include "tests/bench/node/row.h"

namespace troupe::bench {

/// Measures in a process of its own, so that one measurement neither warms nor burdens the next
/// and none that breaks takes the table with it. Requires that this process has one thread.
/// A row with a failure, named `name`, if it breaks or takes more than three minutes.
std::vector<Row> isolated(const char* name, const std::function<std::vector<Row>()>& measure);

}  // namespace troupe::bench

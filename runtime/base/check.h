#pragma once

#include <source_location>
#include <string_view>

namespace troupe {

/// Stops the process when `condition`, which a correct program guarantees, does not hold.
///
/// On in every build: a node that carries on after a broken invariant spreads the damage to its
/// store and its peers, while a node that stops is a case the cluster is made for. For anything a
/// caller, a peer or a disk can cause, return an Error instead.
void check(bool condition, std::string_view why,
           std::source_location where = std::source_location::current());

}  // namespace troupe

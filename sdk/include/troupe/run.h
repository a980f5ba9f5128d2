#pragma once

#include <vector>

#include <troupe/actor_class.h>
#include <troupe/actor_type.h>

namespace troupe {

/// Makes the program a node of a cluster that hosts these actor types, or with `--attach` an app
/// beside a node, and runs until it is told to stop. `--help` lists the flags. Returns what `main`
/// is to return.
int run_node(int argc, char** argv, std::vector<ActorType> types);

/// The same for actor classes:
///
///     int main(int argc, char** argv) { return troupe::run<Cart, Wallet>(argc, argv); }
template <ActorClass... A>
int run(int argc, char** argv) {
  return run_node(argc, argv, {actor_type_of<A>()...});
}

}  // namespace troupe

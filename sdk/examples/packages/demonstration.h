#pragma once

#include <cstddef>
#include <string>

/// How the demonstration is to run.
struct DemonstrationOptions {
  std::string program = {};      // this one: the nodes run it too
  std::string index_file = {};   // as `apt-cache dumpavail` prints it
  std::string directory = {};    // for data and logs; made, and removed if all went well
  std::size_t packages_max = 0;  // only those most needed; 0: all
  bool calm = false;             // no node comes or goes
  std::size_t threads = 64;      // that call
};

/// Loads the packages into a cluster of three nodes, lets them find out how many packages need each
/// one, adds a node and restarts another meanwhile, and checks everything against a computation
/// without actors. Tells on the terminal how it goes. Returns what `main` is to return: 0 only if
/// every check holds.
int demonstrate(const DemonstrationOptions& options);

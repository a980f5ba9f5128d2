#pragma once

#include <cstddef>
#include <istream>
#include <map>
#include <string>
#include <vector>

#include "sdk/examples/packages/packages.h"

/// The packages of a distribution and what each needs directly: sorted, without itself, each once.
using PackageIndex = std::map<std::string, std::vector<std::string>>;

/// Reads a package index of Debian (as `apt-cache dumpavail` prints it). What a package needs are
/// its `Depends` and `Pre-Depends`: of alternatives the first that is a package or is provided by
/// one; of a virtual package the first package, in the order of the index, that provides it.
/// Versions and architectures are dropped. What nobody has or provides is left out. Of several
/// stanzas of one name the first counts.
PackageIndex read_package_index(std::istream& text);

/// The `packages_max` that most packages need directly (of equals the first by name), and what they
/// need among themselves.
PackageIndex most_needed(const PackageIndex& index, std::size_t packages_max);

/// How many packages need each one, straight from the index: for those that any needs.
Counts counts_of(const PackageIndex& index);

/// Names by how many need them directly, the most first; of equals by name.
std::vector<std::string> ranking(const Counts& counts);

#pragma once

#include <string>
#include <vector>

#include "runtime/components/parse.h"
#include <troupe/result.h>

namespace troupe::components {

/// Larger files are refused: nobody writes one by hand.
inline constexpr std::size_t kFileSizeMax = std::size_t{4} << 20;

/// The text of a file. kNotFound if it cannot be read, kInvalid if it is too large.
Result<std::string> read_file(const std::string& path);

/// All resources of the files (.yaml, .yml, .json) in these folders, in the order of their names,
/// without folders inside. Files that cannot be read and other extensions are among the problems. A
/// folder that cannot be listed is an error of its own. Blocks on the disk.
Parsed read_folders(const std::vector<std::string>& folders);

}  // namespace troupe::components

#pragma once

#include <string>
#include <vector>

#include "tools/troupe/terminal.h"

namespace troupe::tools {

/// What the process returns.
inline constexpr int kSucceeded = 0;
inline constexpr int kFailed = 1;
inline constexpr int kMisused = 2;  // the command line makes no sense

/// Runs `troupe <arguments>`: all but `node`, which is main's.
int run_command(std::vector<std::string> arguments, Terminal& terminal);

}  // namespace troupe::tools

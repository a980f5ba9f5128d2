#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <troupe/result.h>

namespace troupe::tools {

/// A command as shells complete it.
struct CompletedCommand {
  std::string name;
  std::string help;
  std::vector<std::string> flags;  // with their dashes
};

/// The script that teaches `shell` (bash, zsh or fish) the program `troupe`. kInvalid for another
/// shell.
Result<std::string> completion_script(std::string_view shell,
                                      const std::vector<CompletedCommand>& commands);

}  // namespace troupe::tools

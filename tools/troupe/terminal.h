#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace troupe::tools {

/// What a command may touch of the world around it: what it prints to, and the environment. Tests
/// bring their own.
struct Terminal {
  std::ostream& out;
  std::ostream& errors;
  bool colours = false;  // whether `out` is shown to a person
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<std::string()> read_input;  // standard input to its end, bounded
};

/// Standard output, error and input of this process, and its environment.
Terminal process_terminal();

}  // namespace troupe::tools

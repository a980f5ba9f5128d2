#pragma once

#include <fstream>
#include <string>
#include <string_view>

#include "tools/troupe/child_process.h"
#include "tools/troupe/terminal.h"
#include <troupe/result.h>

namespace troupe::tools {

/// Shows what a process prints, line by line behind its name, in a colour of its own where there
/// are colours; and keeps it in a file if wanted. Belongs to one thread.
class ShownOutput {
 public:
  /// `number`: which of the colours.
  ShownOutput(std::string name, std::size_t number) : name_(std::move(name)), number_(number) {}

  /// Appends to `path` from now on, without escape sequences; `console`: and shows it all the same.
  Result<void> keep(const std::string& path, bool console);

  /// Whether there may come more.
  bool open() const { return open_; }
  /// Shows what there is now, in whole lines, without waiting.
  void show(ChildProcess& process, Terminal& terminal);
  /// Shows all that is left of a process that has ended, also a last line without its end.
  void finish(ChildProcess& process, Terminal& terminal);

 private:
  void show_lines(Terminal& terminal, bool all);
  void show_line(std::string_view line, Terminal& terminal);

  std::string name_;
  std::size_t number_;
  std::string begun_;  // line
  bool open_ = true;
  bool console_ = true;
  std::ofstream file_;
};

/// `text` without the escape sequences that steer terminals.
std::string without_escapes(std::string_view text);

}  // namespace troupe::tools

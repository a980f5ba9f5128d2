#include "tools/troupe/shown_output.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <ostream>
#include <system_error>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::size_t kLineBytesMax = 65'536;
constexpr std::array kColours = {36, 33, 32, 35, 34, 31};  // of ANSI terminals

}  // namespace

Result<void> ShownOutput::keep(const std::string& path, bool console) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  file_.open(path, std::ios::app);
  if (!file_) {
    return fail(Code::kUnavailable,
                "cannot write " + path + ": " + std::generic_category().message(errno));
  }
  console_ = console;
  return {};
}

void ShownOutput::show(ChildProcess& process, Terminal& terminal) {
  if (open_) open_ = process.read_output(begun_);
  show_lines(terminal, !open_);
}

void ShownOutput::finish(ChildProcess& process, Terminal& terminal) {
  while (open_ && process.has_output()) show(process, terminal);
  show_lines(terminal, true);
}

void ShownOutput::show_lines(Terminal& terminal, bool all) {
  std::size_t begin = 0;
  for (std::size_t end = begun_.find('\n'); end != std::string::npos;
       end = begun_.find('\n', begin)) {
    show_line(std::string_view(begun_).substr(begin, end - begin), terminal);
    begin = end + 1;
  }
  begun_.erase(0, begin);
  if ((all && !begun_.empty()) || begun_.size() > kLineBytesMax) {
    show_line(std::exchange(begun_, {}), terminal);
  }
}

void ShownOutput::show_line(std::string_view line, Terminal& terminal) {
  if (file_.is_open()) file_ << without_escapes(line) << '\n' << std::flush;
  if (!console_) return;
  if (terminal.colours) {
    terminal.out << "\x1b[" << kColours[number_ % kColours.size()] << 'm' << name_ << " |\x1b[0m ";
  } else {
    terminal.out << name_ << " | ";
  }
  terminal.out << line << '\n';
}

std::string without_escapes(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b') {
      plain += text[i];
      continue;
    }
    // ESC [ parameters, up to a letter or such; any other ESC takes one character with it.
    if (i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
    } else {
      ++i;
    }
  }
  return plain;
}

}  // namespace troupe::tools

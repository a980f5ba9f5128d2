#include "tools/troupe/terminal.h"

#include <cstdlib>
#include <iostream>
#include <iterator>

#include <unistd.h>

namespace troupe::tools {
namespace {

constexpr std::size_t kInputBytesMax = 16 << 20;

std::string read_standard_input() {
  std::string text;
  char next = 0;
  while (text.size() < kInputBytesMax && std::cin.get(next)) text += next;
  return text;
}

}  // namespace

Terminal process_terminal() {
  return {.out = std::cout,
          .errors = std::cerr,
          .colours = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr,
          .variable = [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          .read_input = read_standard_input};
}

}  // namespace troupe::tools

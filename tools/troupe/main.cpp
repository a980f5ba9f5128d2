#include <string_view>

#include "tools/troupe/command_line.h"
#include <troupe/run.h>

int main(int argc, char** argv) {
  // A node reads its flags itself, as every program of actors does.
  if (argc > 1 && std::string_view(argv[1]) == "node") {
    return troupe::run_node(argc - 1, argv + 1, {});
  }
  troupe::tools::Terminal terminal = troupe::tools::process_terminal();
  return troupe::tools::run_command({argv + 1, argv + argc}, terminal);
}

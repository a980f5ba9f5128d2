#include <string_view>

#include "runtime/node/daprd_flags.h"
#include "runtime/node/run_node.h"
#include "tools/troupe/command_line.h"
#include <troupe/run.h>

int main(int argc, char** argv) {
  if (argc > 0 && troupe::node::is_daprd(argv[0])) return troupe::node::run_daprd(argc, argv);
  // A node reads its flags itself, as every program of actors does.
  if (argc > 1 && std::string_view(argv[1]) == "node") {
    return troupe::run_node(argc - 1, argv + 1, {});
  }
  troupe::tools::Terminal terminal = troupe::tools::process_terminal();
  return troupe::tools::run_command({argv + 1, argv + argc}, terminal);
}

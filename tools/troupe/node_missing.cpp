#include <iostream>

#include "tools/troupe/command_line.h"
#include "tools/troupe/node_command.h"

namespace troupe::tools {

int run_node_command(int /*argc*/, char** /*argv*/) {
  std::cerr << "troupe: this build has no node in it; it can only look after others\n";
  return kFailed;
}

}  // namespace troupe::tools

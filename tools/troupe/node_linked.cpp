#include "tools/troupe/node_command.h"
#include <troupe/run.h>

namespace troupe::tools {

int run_node_command(int argc, char** argv) { return run_node(argc, argv, {}); }

}  // namespace troupe::tools

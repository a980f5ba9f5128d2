#pragma once

namespace troupe::tools {

/// Runs a node that hosts no actor types of its own: `argv[0]` is the program's name, a node's
/// flags follow. Has two implementations, of which the build takes one: linked with the node, or
/// without (says so, and fails).
int run_node_command(int argc, char** argv);

}  // namespace troupe::tools

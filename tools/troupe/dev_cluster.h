#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "tools/troupe/terminal.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::tools {

/// A cluster on this machine, for development: `nodes` processes on loopback.
struct DevOptions {
  int nodes = 1;                                 // from 1 to kDevNodesMax
  std::vector<std::string> program;              // and its first arguments; a node's flags follow
  std::vector<std::string> node_arguments = {};  // follow the node's flags
  std::string directory;                         // a directory for each node is made in it
  std::uint16_t http_port = 3500;                // of the first node; the next has the next
  std::uint16_t grpc_port = 50001;
  std::uint16_t peer_port = 7400;
  Duration ready_timeout = std::chrono::seconds(30);
  Duration stop_timeout = std::chrono::seconds(10);  // after SIGTERM; then SIGKILL
};
inline constexpr int kDevNodesMax = 20;

/// The command line of node `i`, from 0.
std::vector<std::string> dev_node_command(const DevOptions& options, int i);

/// `$XDG_STATE_HOME/troupe/dev`, or below `~/.local/state`.
std::string dev_directory(const Terminal& terminal);

/// Starts the nodes, shows their output, says when they are ready and what to do next, and runs
/// until SIGINT or SIGTERM, which are the caller's no more; a second one kills at once. Nothing is
/// left running when it returns, nor when this process is killed. kUnavailable, naming the node,
/// when one ends before all were ready, or all have ended.
Result<void> run_dev_cluster(const DevOptions& options, Clock& clock, Terminal& terminal);

}  // namespace troupe::tools

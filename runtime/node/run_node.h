#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/node/node_settings.h"
#include <troupe/actor_type.h>
#include <troupe/time.h>

namespace troupe::node {

/// What is not the same under every name that the program has.
struct RunManner {
  std::vector<std::string> warnings = {};  // logged first
  int log_descriptor = 2;
  /// What to log when the node serves calls, given how long that took. None: nothing.
  std::function<std::string(Duration)> ready = {};
  /// SIGHUP also stops it, and run_with() returns kBeginAgain.
  bool hangup_begins_again = false;
  bool second_signal_ends = false;  // with status 1, instead of waiting for an orderly end
};

/// No exit code: the process is to read its settings again.
inline constexpr int kBeginAgain = -1;

/// Runs a node until it is told to stop. Returns what `main` is to return. Called once, on the main
/// thread, before there are others.
int run_with(const NodeSettings& settings, std::vector<ActorType> types, const RunManner& manner);

/// The same with the command line of Dapr's sidecar.
int run_daprd(int argc, char** argv);

}  // namespace troupe::node

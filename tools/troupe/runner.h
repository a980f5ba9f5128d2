#pragma once

#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "tools/troupe/run_settings.h"
#include "tools/troupe/running_apps.h"
#include "tools/troupe/terminal.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::tools {

/// Apps to run, each with a node beside it.
struct RunRequest {
  std::vector<AppRun> apps;               // checked, see check_run()
  std::vector<std::string> node_program;  // and its first arguments
  std::string run_file = {};              // where they are described; empty: by flags
  Duration ready_timeout = std::chrono::seconds(60);
  Duration app_stop_timeout = std::chrono::seconds(10);  // after SIGTERM; then SIGKILL
  Duration node_stop_timeout = std::chrono::seconds(25);
};

/// Starts nodes and apps, shows their output, and runs until there is SIGINT or SIGTERM or all apps
/// have ended. An app is started when its node listens, and stopped before its node is; an app or a
/// node that ends takes the other one with it. If one cannot be started, all are stopped. Meanwhile
/// each is in `registry`.
///
/// The status to exit with: 0 after a signal, else that of the first app that failed, as a shell
/// would say it. An error if a node or what it needs has failed. A second signal kills what is
/// left.
Result<int> run_apps(const RunRequest& request, const RunningApps& registry, Clock& clock,
                     Terminal& terminal);

}  // namespace troupe::tools

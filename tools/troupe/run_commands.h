#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "tools/troupe/node_api.h"
#include "tools/troupe/run_settings.h"
#include "tools/troupe/running_apps.h"
#include "tools/troupe/terminal.h"
#include <troupe/result.h>

namespace troupe::tools {

/// What was typed after `troupe run`.
struct RunTyped {
  std::map<std::string, std::vector<std::string>, std::less<>> values = {};  // by RunKey::flag
  std::vector<std::string> command = {};
  std::string run_file = {};              // a path, a folder with a dapr.yaml, or `-`
  std::vector<std::string> program = {};  // the node and its first arguments
};

/// Runs what it says until it ends. The status to exit with, see run_apps().
Result<int> run_run(const RunTyped& typed, const RunningApps& registry, Clock& clock,
                    Terminal& terminal);

/// Prints the apps that run: a table, or JSON under Dapr's names.
void run_list(bool json, const RunningApps& registry, const Clock& clock, Terminal& terminal);

/// Asks them to stop: the whole run of an app, or of several only the app and its node. kNotFound
/// if one does not run; the others are stopped all the same.
Result<void> run_stop(const std::vector<std::string>& app_ids, const RunningApps& registry,
                      Terminal& terminal);

/// A call of an app's method.
struct InvokeRequest {
  std::string app_id;
  std::string method;
  std::string verb = "POST";
  std::string data = {};
};

/// Where it is sent: the app's own node if that runs here, else `other`.
net::HostPort invoke_address(const InvokeRequest& request, const RunningApps& registry,
                             const net::HostPort& other);
/// Calls and prints the answer.
Result<void> run_invoke(const InvokeRequest& request, NodeApi& api, Terminal& terminal);

}  // namespace troupe::tools

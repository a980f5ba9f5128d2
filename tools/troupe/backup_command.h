#pragma once

#include <functional>
#include <string>

#include "runtime/base/clock.h"
#include "tools/troupe/node_api.h"
#include "tools/troupe/terminal.h"
#include <troupe/result.h>

namespace troupe::tools {

struct BackupRequest {
  std::string file;
  bool json = false;
};

/// Writes a backup of the cluster that `api` leads to into a new file, while it runs, and says what
/// is in it. The file is there whole or not at all.
Result<void> run_backup(const BackupRequest& request, NodeApi& api, Terminal& terminal);

struct RestoreRequest {
  std::string file;            // not with `abandon`
  NodeApi::Options from = {};  // how to ask the nodes of the old cluster; its address is theirs
  bool beside_live = false;    // also while the old cluster is alive
  bool abandon = false;        // instead: an unfinished restore is wiped out
  bool json = false;
};

/// Fills the empty cluster that `api` leads to from a backup, and opens it when all is there. Cut
/// short, it can be run again. kPrecondition, and nothing has changed: the cluster is not empty, or
/// the old one is alive.
Result<void> run_restore(const RestoreRequest& request, Clock& clock, NodeApi& api,
                         Terminal& terminal);

/// `step` until it works, or says something else than kUnavailable, or for a minute.
Result<std::string> patiently(Clock& clock, const std::function<Result<std::string>()>& step);

}  // namespace troupe::tools

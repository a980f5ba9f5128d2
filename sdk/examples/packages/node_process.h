#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include <troupe/result.h>
#include <troupe/time.h>

/// A node as a process of its own. Does not outlive its owner, not even when that is killed.
class NodeProcess {
 public:
  NodeProcess() = default;
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;
  /// Kills it, if it still runs.
  ~NodeProcess();

  /// Runs `arguments` (the program first); its output goes to the end of `log_file`. Requires that
  /// it does not run. On the thread that outlives it.
  troupe::Result<void> start(const std::vector<std::string>& arguments,
                             const std::string& log_file);
  bool runs();
  /// Asks it to stop, and waits. An error if it did not end in order within `patience`; then it
  /// has been killed.
  troupe::Result<void> stop(troupe::Duration patience);

 private:
  pid_t process_ = -1;
  int status_ = 0;  // how it ended
};

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "tools/troupe/terminal.h"
#include <troupe/result.h>

namespace troupe::tools {

/// An app that a `troupe run` of this user keeps running, with its node.
struct RunningApp {
  std::string app_id;
  std::uint16_t http_port = 0;
  std::uint16_t grpc_port = 0;
  std::uint16_t app_port = 0;
  pid_t run = 0;                  // the `troupe run`
  std::uint64_t run_started = 0;  // as ProcessFacts::started
  pid_t node = 0;
  pid_t app = 0;                // 0: only the node runs
  bool storage = false;         // the node keeps the data of this user's runs
  std::int64_t started_at = 0;  // seconds since 1970
  std::string command;          // of the app
  std::string run_file;         // where the run was described; empty: by flags

  friend bool operator==(const RunningApp&, const RunningApp&) = default;
};

/// The text of its file: `name=value` lines. A value that has several lines becomes one.
std::string format_running(const RunningApp& app);
/// Nothing, if that is no such text. Unknown names are passed over.
std::optional<RunningApp> parse_running(std::string_view text);

struct ProcessFacts {
  pid_t parent = 0;
  /// Ticks from the start of the machine to that of the process: with the pid, whose number may be
  /// given again, it names one process.
  std::uint64_t started = 0;
};
/// Nothing, if there is no such process.
std::optional<ProcessFacts> process_facts(pid_t pid);
/// Out of a /proc/PID/stat.
std::optional<ProcessFacts> parse_process_stat(std::string_view text);

/// A folder with a file for each RunningApp.
class RunningApps {
 public:
  /// It need not be there yet.
  explicit RunningApps(std::string directory) : directory_(std::move(directory)) {}

  /// Those whose run still runs, by app id and start. Files of others are removed.
  std::vector<RunningApp> all() const;
  /// Writes or replaces its file.
  Result<void> put(const RunningApp& app) const;
  void remove(const RunningApp& app) const;

 private:
  std::string file_of(const RunningApp& app) const;

  std::string directory_;
};

/// `$XDG_RUNTIME_DIR/troupe/runs`, or below the folder for temporary files.
std::string running_directory(const Terminal& terminal);

}  // namespace troupe::tools

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <troupe/result.h>

namespace troupe::tools {

/// What a setting of `troupe run` may be.
enum class RunKind : std::uint8_t { kText, kPort, kNumber, kTruth, kPath, kTexts, kPaths };

/// A setting of `troupe run`, as a flag and as a key of a run file, under Dapr's names.
struct RunKey {
  std::string_view flag;  // without dashes
  char letter;            // its short form; 0: none
  std::string_view key;   // in a run file; empty: not there
  RunKind kind;
  bool shared;                 // may stand in the `common` part of a run file
  std::string_view node_flag;  // of `troupe node`, which is told it as it is; empty: not so
  bool idle;                   // accepted, and nothing comes of it
  std::string_view help;
};

/// All of them.
std::span<const RunKey> run_keys();
const RunKey* run_key_of_flag(std::string_view flag);

/// Where the output of a process goes.
enum class LogPlace : std::uint8_t { kConsole, kFile, kBoth };
Result<LogPlace> parse_log_place(std::string_view text);

/// An app and the node beside it, as somebody wants them to run.
struct AppRun {
  std::map<std::string, std::vector<std::string>, std::less<>> values;  // by RunKey::flag
  std::vector<std::string> command = {};                                // empty: only the node
  std::string directory = {};  // where the command runs; empty: here
  std::vector<std::pair<std::string, std::string>> environment = {};  // of the app, the last wins
  LogPlace node_log = LogPlace::kConsole;
  LogPlace app_log = LogPlace::kConsole;

  bool has(std::string_view flag) const { return values.contains(flag); }
  /// The value, or the last one of a list; empty if there is none.
  std::string text(std::string_view flag) const;
  bool truth(std::string_view flag) const { return text(flag) == "true"; }
  /// 0 if there is none.
  std::uint16_t port(std::string_view flag) const;
  std::string app_id() const { return text("app-id"); }
};

/// kInvalid, saying why, if `text` is no such value. Truths become "true" or "false".
Result<std::string> parse_run_value(RunKind kind, std::string_view text);

/// kInvalid if the values do not go together, or the id is none.
Result<void> check_run(const AppRun& run);

/// What has been chosen for one start.
struct RunPorts {
  std::uint16_t http = 0;
  std::uint16_t grpc = 0;
  std::uint16_t metrics = 0;  // 0: no place of their own
  std::uint16_t peers = 0;    // 0: any

  friend bool operator==(const RunPorts&, const RunPorts&) = default;
};

/// The node's command line. `program`: the node and its first arguments. `storage`: it keeps the
/// data of this user's runs, for all of them; else it is a host of actors only.
std::vector<std::string> run_node_command(const AppRun& run, const RunPorts& ports,
                                          const std::vector<std::string>& program, bool storage);
/// Whether it joins nodes that were named, and so keeps no data itself.
bool joins_others(const AppRun& run);
/// Of the node that keeps the data; names its folder.
inline constexpr std::string_view kStorageNodeName = "run";

/// What the app finds in its environment, beside what is inherited.
std::vector<std::pair<std::string, std::string>> app_environment(const AppRun& run,
                                                                 const RunPorts& ports);

/// The flags of `run` that nothing comes of.
std::vector<std::string> idle_flags(const AppRun& run);

}  // namespace troupe::tools

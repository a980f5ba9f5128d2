#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/node/node_settings.h"
#include <troupe/result.h>

namespace troupe::node {

/// What a flag of Dapr's sidecar takes, in Go's syntax.
enum class DaprdKind : std::uint8_t {
  kText,
  kTexts,     // given repeatedly or comma-separated
  kTruth,     // alone, or =true, =false ...
  kPort,      // 0 to 65535
  kNumber,    // whole, may be negative
  kDuration,  // Go's: 3s, 1m30s
};

/// What becomes of a flag here.
enum class DaprdUse : std::uint8_t {
  kSetting,   // a setting of the node
  kPending,   // kept as a setting, for a part of the node that is not there yet: warned of
  kIdle,      // accepted, without effect here: warned of
  kSilent,    // accepted, and here nothing has to come of it
  kRefused,   // the node does not start, since it would be less safe than asked for
  kQuestion,  // answered, instead of running
};

struct DaprdFlag {
  std::string_view name;
  DaprdKind kind;
  DaprdUse use;
  std::string_view note;  // why it is idle or refused; of a setting: what it is
};

/// Every flag of Dapr's sidecar.
std::span<const DaprdFlag> daprd_flags();

/// What was given: the flags, and the environment as daprd reads it.
struct DaprdGiven {
  /// By name, in canonical form; only those that were given.
  std::map<std::string, std::vector<std::string>, std::less<>> values = {};

  bool has(std::string_view name) const { return values.contains(name); }
  /// The last one; empty if there is none.
  std::string text(std::string_view name) const;
  bool truth(std::string_view name) const { return text(name) == "true"; }
};

/// Reads a command line without its first word: `--name value`, `--name=value`, `-name` likewise.
/// What stands alone is not read, as with daprd. kInvalid names the flag that is unknown, with the
/// nearest known, or wrong.
Result<DaprdGiven> parse_daprd_flags(const std::vector<std::string>& arguments);

/// The parts of a comma-separated list, without blanks around them; empty ones are left out.
std::vector<std::string> split_daprd_list(std::string_view list);

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// What a node becomes that runs as daprd.
struct DaprdOutcome {
  NodeSettings settings;
  std::vector<std::string> warnings;
};

/// kInvalid if the flags do not go together, or ask for what is refused.
Result<DaprdOutcome> daprd_settings(const DaprdGiven& given, const Environment& environment);

/// Whether a program that is called so is daprd: `/usr/bin/daprd`.
bool is_daprd(std::string_view program);

}  // namespace troupe::node

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/troupe/table.h"
#include <troupe/result.h>

namespace troupe::tools {

/// How an answer is shown.
struct JsonView {
  std::vector<std::string> first = {};  // columns shown first, in this order, where they exist
  std::string nothing = {};             // shown for an empty list
  /// The member that is the answer; the others are shown below it where they hold something. Empty:
  /// the whole.
  std::string list = {};
};

/// Shows an answer of the node's API to a person, whatever its fields: a list of objects becomes a
/// table, an object `name: value` lines, a list of values one a line. In cells, an object is its
/// values with slashes between and the names of those that are true, and a node's id its first 8
/// digits. kInvalid if `json` is not JSON.
Result<std::string> show_json(std::string_view json, const JsonView& view);

/// The member `name` of a JSON object, if it is a string; else empty.
std::string string_member(std::string_view json, std::string_view name);

}  // namespace troupe::tools

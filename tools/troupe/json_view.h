#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/troupe/table.h"
#include <troupe/result.h>

namespace troupe::tools {

/// Shows an answer of the node's API to a person, whatever its fields: a list of objects (alone, or
/// as members of an object) becomes a table, an object `name: value` lines, a list of values one a
/// line.
///
/// `first`: columns shown first, in this order, where they exist; the others follow as they come.
/// `nothing`: shown for an empty list. kInvalid if `json` is not JSON.
Result<std::string> show_json(std::string_view json, const std::vector<std::string>& first,
                              std::string_view nothing);

/// The member `name` of a JSON object, if it is a string; else empty.
std::string string_member(std::string_view json, std::string_view name);

}  // namespace troupe::tools

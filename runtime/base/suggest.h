#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The one of `known` that whoever typed `given` is likely to have meant: the nearest by letters
/// left out, added, changed or swapped, if it is near at all. The first of equals.
std::optional<std::string> nearest(std::string_view given, const std::vector<std::string>& known);

/// `; did you mean 'status'?`, or nothing.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& known);

}  // namespace troupe

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::blocks::state {

/// The standard alphabet, padded: how Dapr's stores keep bytes in columns of text.
std::string to_base64(std::string_view bytes);
/// Nothing for what is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace troupe::blocks::state

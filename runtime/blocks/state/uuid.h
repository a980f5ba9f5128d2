#pragma once

#include <string>
#include <string_view>

namespace troupe::blocks::state {

/// A random UUID (version 4) as text, different from all others. Thread-safe.
std::string new_uuid();

/// Whether it is a UUID as text, in either case.
bool is_uuid(std::string_view text);

}  // namespace troupe::blocks::state

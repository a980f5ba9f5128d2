#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <troupe/actor_key.h>
#include <troupe/result.h>

/// What names of the API may look like; the rules are Dapr's.
namespace troupe::api {

/// Longer names are refused. Types: what the placement table holds; the rest: what a key may weigh.
inline constexpr std::size_t kTypeSizeMax = 256;
inline constexpr std::size_t kNameSizeMax = 512;

/// Actor types, actor ids, names of reminders and timers: UTF-8, not empty, no `#`, `?`, `/`, `\`,
/// control character, and neither `.` nor `..`. `what`, as in "actorType", is for the message only.
Result<void> check_name(std::string_view what, std::string_view name);

/// Both names of a key.
Result<void> check_key(const ActorKey& key);

/// A method may hold slashes: `a/./b/../c` is `a/c`, and `../` in front is dropped. kInvalid for an
/// empty one, for what is not UTF-8, for `#`, `?` and control characters.
Result<std::string> clean_method(std::string_view method);

/// Types of system actors, which start with `troupe.internal.`: nobody calls or sees them.
bool is_system_type(std::string_view type);

/// Types that start with `dapr.internal.` belong to the runtime, and so do system types: kDenied.
Result<void> check_not_reserved(std::string_view type);

}  // namespace troupe::api

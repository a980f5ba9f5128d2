#pragma once

#include <exception>
#include <string_view>

#include <troupe/actor_class.h>
#include <troupe/result.h>

namespace troupe::detail {

/// What user code threw, as the caller is to see it: an ActorError as it is, any other exception as
/// kApplication with the name of its type before the message.
Error error_of(const std::exception_ptr& thrown);

/// Names the type, the method, and those of its methods that are nearest to it.
Error no_such_method(const ActorClassTable& table, std::string_view method);

}  // namespace troupe::detail

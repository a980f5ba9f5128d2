#pragma once

#include "runtime/net/http_message.h"
#include <troupe/actor_type.h>
#include <troupe/result.h>

/// What Dapr's SDKs are asked for a turn, and what their answers mean. Pure.
namespace troupe::app {

/// The request for a turn of `context`'s actor: PUT, whatever the caller's verb was.
net::HttpRequest request_of(const TurnMessage& message, const TurnContext& context);

/// What the app's answer to that is to the caller, or why it is none; see AppInstance. An answer
/// may also ask for the end of the timer or reminder whose tick it answers.
Result<TurnResult> result_of(const TurnMessage& message, const TurnContext& context,
                             net::HttpResponse&& response);

}  // namespace troupe::app

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <grpcpp/server_context.h>

#include "runtime/api/service.h"
#include "runtime/api/trace.h"
#include "runtime/base/clock.h"

/// What a gRPC call brings beside its message.
namespace troupe::api {

/// Metadata for the service, without what ends at this hop, with `traceparent`; and the caller's
/// deadline as the time left.
Context context_of(const grpc::CallbackServerContext& call, std::string traceparent,
                   const Clock& clock);

/// The refusal of a caller that does not show `api_token`; nothing if it may come in.
std::optional<grpc::Status> refusal_of(const grpc::CallbackServerContext& call,
                                       std::string_view api_token);

/// A value of the call's metadata; `name` in lower case. Empty if there is none.
std::string_view metadata_value(const grpc::CallbackServerContext& call, std::string_view name);

/// The caller's trace, or a new one. Only from `traceparent`: this version of gRPC keeps the binary
/// form (`grpc-trace-bin`) to itself.
std::string trace_of(const grpc::CallbackServerContext& call, Traces& traces);

/// The same in gRPC's binary form, which Dapr answers with. Empty for what is no traceparent.
std::string binary_trace(std::string_view traceparent);

/// Entries that only nodes set, and those that mean something to gRPC or to this hop only.
bool stays_at_this_hop(std::string_view name);

}  // namespace troupe::api

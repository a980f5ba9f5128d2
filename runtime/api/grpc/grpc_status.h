#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <grpcpp/support/status.h>

#include "runtime/api/status.h"

namespace troupe::api {

/// Longer messages are cut: they travel in a trailer, of which clients take 8 KiB.
inline constexpr std::size_t kStatusMessageMax = 2'000;

/// The status alone, without details, as Dapr's failures of actors are.
grpc::Status to_grpc(const ApiError& error);

/// What Dapr tells beside the message of some failures: an ErrorInfo of the domain `dapr.io`.
struct ErrorDetail {
  std::string reason;
  std::vector<std::pair<std::string, std::string>> metadata;
};
grpc::Status to_grpc(GrpcCode code, std::string_view message, const ErrorDetail& detail);

}  // namespace troupe::api

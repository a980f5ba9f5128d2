#include "runtime/api/grpc/grpc_status.h"

#include <google/rpc/status.pb.h>

namespace troupe::api {
namespace {

constexpr std::string_view kDomain = "dapr.io";

// Whole characters of UTF-8 only.
std::string shortened(std::string_view text) {
  if (text.size() <= kStatusMessageMax) return std::string(text);
  std::size_t end = kStatusMessageMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace

grpc::Status to_grpc(const ApiError& error) {
  return {static_cast<grpc::StatusCode>(error.status.grpc), shortened(error.message)};
}

grpc::Status to_grpc(GrpcCode code, std::string_view message, const ErrorDetail& detail) {
  google::rpc::ErrorInfo info;
  info.set_reason(detail.reason);
  info.set_domain(std::string(kDomain));
  for (const auto& [name, value] : detail.metadata) (*info.mutable_metadata())[name] = value;
  google::rpc::Status status;
  status.set_code(static_cast<int>(code));
  status.set_message(shortened(message));
  status.add_details()->PackFrom(info);
  return {static_cast<grpc::StatusCode>(code), status.message(), status.SerializeAsString()};
}

}  // namespace troupe::api

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <troupe/result.h>

/// How an error looks from outside: the one table of HTTP statuses, gRPC codes and Dapr's codes.
namespace troupe::api {

/// The numbers of gRPC's codes.
enum class GrpcCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

struct Status {
  int http = 500;
  GrpcCode grpc = GrpcCode::kInternal;
};

/// Where an operation has no failure of its own for `code`.
Status status_of(Code code);
/// `unavailable`, for people and for the native API.
std::string_view name_of(Code code);

/// What was asked, as far as Dapr names its failures.
enum class Operation : std::uint8_t {
  kRequest,  // what is checked before an operation begins: names, tokens
  kBody,     // its body cannot be read
  kInvoke,
  kStateGet,
  kStateTransaction,
  kReminderCreate,
  kReminderGet,
  kReminderDelete,
  kTimerCreate,
  kTimerDelete,
  kAdmin,  // the native API: the code's own name
};

/// What Dapr tells beside the message of some failures: google.rpc details.
struct ErrorDetails {
  std::string reason = {};
  std::map<std::string, std::string> metadata = {};
  bool metadata_over_grpc = true;  // else over HTTP only
  bool over_http = true;           // else over gRPC only
  std::string http_message = {};   // instead of the message, over HTTP
  std::string resource_type = {};  // empty: no ResourceInfo
  std::string resource_name = {};
  std::optional<std::string> field = {};  // of a BadRequest
  std::string help_url = {};              // empty: no Help
  std::string help_text = {};
};

/// A failure in the words of the API.
struct ApiError {
  std::string error_code;  // ERR_ACTOR_INVOKE_METHOD ...
  std::string message;
  Status status;
  /// name_of() what went wrong, where there is an Error behind it: several share a status.
  std::string_view code = {};
  std::shared_ptr<const ErrorDetails> details = {};

  friend bool operator==(const ApiError& a, const ApiError& b) {
    return a.error_code == b.error_code && a.message == b.message &&
           a.status.http == b.status.http && a.status.grpc == b.status.grpc;
  }
};

/// Dapr's code, text and status for `error`, which ended `operation`.
ApiError api_error(Operation operation, const Error& error);

}  // namespace troupe::api

#include "runtime/api/status.h"

#include <array>
#include <utility>

namespace troupe::api {
namespace {

struct CodeRow {
  Code code;
  Status status;
  std::string_view name;
};

// The statuses are gRPC's own mapping, but for: an outcome that is unknown must not look like one
// that is safe to repeat, and a precondition is 412, as Dapr's is.
constexpr std::array kCodes{
    CodeRow{Code::kInvalid, {400, GrpcCode::kInvalidArgument}, "invalid"},
    CodeRow{Code::kNotFound, {404, GrpcCode::kNotFound}, "not found"},
    CodeRow{Code::kConflict, {409, GrpcCode::kAborted}, "conflict"},
    CodeRow{Code::kPrecondition, {412, GrpcCode::kFailedPrecondition}, "precondition"},
    CodeRow{Code::kUnauthenticated, {401, GrpcCode::kUnauthenticated}, "unauthenticated"},
    CodeRow{Code::kDenied, {403, GrpcCode::kPermissionDenied}, "denied"},
    CodeRow{Code::kExhausted, {429, GrpcCode::kResourceExhausted}, "exhausted"},
    CodeRow{Code::kCancelled, {408, GrpcCode::kCancelled}, "cancelled"},
    CodeRow{Code::kTimeout, {504, GrpcCode::kDeadlineExceeded}, "timeout"},
    CodeRow{Code::kUnknownOutcome, {500, GrpcCode::kUnknown}, "unknown outcome"},
    CodeRow{Code::kUnavailable, {503, GrpcCode::kUnavailable}, "unavailable"},
    CodeRow{Code::kUnimplemented, {501, GrpcCode::kUnimplemented}, "unimplemented"},
    CodeRow{Code::kApplication, {500, GrpcCode::kInternal}, "application"},
    CodeRow{Code::kDataLoss, {500, GrpcCode::kDataLoss}, "data loss"},
    CodeRow{Code::kInternal, {500, GrpcCode::kInternal}, "internal"},
};

const CodeRow& row_of(Code code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kCodes.back();
}

// Dapr's own failures of an operation, where they differ from its general one.
struct DaprRow {
  Operation operation;
  Code code;
  std::string_view error_code;
  std::string_view text;  // before the message
  Status status;
};
constexpr Status k400{400, GrpcCode::kInvalidArgument};
constexpr Status k500{500, GrpcCode::kInternal};
constexpr std::string_view kInvokeText = "error invoke actor method: ";
constexpr std::array kDaprRows{
    DaprRow{Operation::kRequest, Code::kInvalid, "ERR_BAD_REQUEST", "invalid request: ", k400},
    DaprRow{Operation::kRequest,
            Code::kDenied,
            "ERR_ACTOR_TYPE_RESERVED",
            "",
            {403, GrpcCode::kPermissionDenied}},
    DaprRow{Operation::kRequest,
            Code::kUnavailable,
            "ERR_ACTOR_RUNTIME_CLOSED",
            "",
            {503, GrpcCode::kUnavailable}},
    DaprRow{Operation::kBody, Code::kInvalid, "ERR_MALFORMED_REQUEST",
            "failed deserializing HTTP body: ", k400},
    DaprRow{Operation::kInvoke, Code::kInvalid, "ERR_BAD_REQUEST", "invalid request: ", k400},
    DaprRow{Operation::kInvoke, Code::kNotFound, "ERR_ACTOR_INVOKE_METHOD",
            "error invoke actor method: failed to lookup actor: ", k500},
    DaprRow{Operation::kInvoke, Code::kUnimplemented, "ERR_ACTOR_INVOKE_METHOD",
            "error invoke actor method: actor method not found: ", k500},
    DaprRow{Operation::kInvoke, Code::kApplication, "ERR_ACTOR_INVOKE_METHOD",
            "error invoke actor method: error from actor service: ", k500},
    DaprRow{Operation::kStateTransaction, Code::kNotFound, "ERR_ACTOR_STATE_TRANSACTION_SAVE",
            "error saving actor transaction state: ", k500},
    DaprRow{Operation::kStateTransaction, Code::kInvalid, "ERR_ACTOR_STATE_TRANSACTION_SAVE",
            "error saving actor transaction state: ", k500},
    DaprRow{Operation::kStateGet, Code::kInvalid, "ERR_ACTOR_STATE_GET",
            "error getting actor state: ", k500},
    DaprRow{Operation::kReminderCreate,
            Code::kConflict,
            "ERR_ACTOR_REMINDER_ALREADY_EXISTS",
            "actor reminder already exists: ",
            {409, GrpcCode::kAlreadyExists}},
    DaprRow{Operation::kReminderCreate, Code::kInvalid, "ERR_ACTOR_REMINDER_CREATE",
            "error creating actor reminder: ", k500},
    DaprRow{Operation::kReminderCreate,
            Code::kNotFound,
            "ERR_ACTOR_REMINDER_NON_HOSTED",
            "",
            {403, GrpcCode::kPermissionDenied}},
    DaprRow{Operation::kReminderGet,
            Code::kPrecondition,
            "ERR_ACTOR_REMINDER_NOT_FOUND",
            "actor reminder not found: ",
            {404, GrpcCode::kNotFound}},
    DaprRow{Operation::kReminderGet,
            Code::kNotFound,
            "ERR_ACTOR_REMINDER_NON_HOSTED",
            "",
            {403, GrpcCode::kPermissionDenied}},
    DaprRow{Operation::kReminderDelete,
            Code::kNotFound,
            "ERR_ACTOR_REMINDER_NON_HOSTED",
            "",
            {403, GrpcCode::kPermissionDenied}},
    DaprRow{Operation::kTimerCreate, Code::kInvalid, "ERR_ACTOR_TIMER_CREATE",
            "error creating actor timer: ", k500},
    DaprRow{Operation::kTimerCreate, Code::kNotFound, "ERR_ACTOR_TIMER_CREATE",
            "error creating actor timer: ", k500},
};

// And its general one, with the status of the code.
struct OperationRow {
  Operation operation;
  std::string_view error_code;
  std::string_view text;
};
constexpr std::array kOperations{
    OperationRow{Operation::kRequest, "ERR_BAD_REQUEST", ""},
    OperationRow{Operation::kBody, "ERR_BODY_READ", "failed to read request body: "},
    OperationRow{Operation::kInvoke, "ERR_ACTOR_INVOKE_METHOD", kInvokeText},
    OperationRow{Operation::kStateGet, "ERR_ACTOR_STATE_GET", "error getting actor state: "},
    OperationRow{Operation::kStateTransaction, "ERR_ACTOR_STATE_TRANSACTION_SAVE",
                 "error saving actor transaction state: "},
    OperationRow{Operation::kReminderCreate, "ERR_ACTOR_REMINDER_CREATE",
                 "error creating actor reminder: "},
    OperationRow{Operation::kReminderGet, "ERR_ACTOR_REMINDER_GET",
                 "error getting actor reminder: "},
    OperationRow{Operation::kReminderDelete, "ERR_ACTOR_REMINDER_DELETE",
                 "error deleting actor reminder: "},
    OperationRow{Operation::kTimerCreate, "ERR_ACTOR_TIMER_CREATE", "error creating actor timer: "},
    OperationRow{Operation::kTimerDelete, "ERR_ACTOR_TIMER_DELETE", "error deleting actor timer: "},
};

// `not found` as ERR_NOT_FOUND.
std::string native_code(std::string_view name) {
  std::string code = "ERR_";
  for (const char c : name) code += c == ' ' ? '_' : static_cast<char>(c - 'a' + 'A');
  return code;
}

}  // namespace

Status status_of(Code code) { return row_of(code).status; }

std::string_view name_of(Code code) { return row_of(code).name; }

ApiError api_error(Operation operation, const Error& error) {
  for (const DaprRow& row : kDaprRows) {
    if (row.operation == operation && row.code == error.code) {
      return {.error_code = std::string(row.error_code),
              .message = std::string(row.text) + error.message,
              .status = row.status,
              .code = name_of(error.code)};
    }
  }
  for (const OperationRow& row : kOperations) {
    if (row.operation == operation) {
      return {.error_code = std::string(row.error_code),
              .message = std::string(row.text) + error.message,
              .status = status_of(error.code),
              .code = name_of(error.code)};
    }
  }
  return {.error_code = native_code(name_of(error.code)),
          .message = error.message,
          .status = status_of(error.code),
          .code = name_of(error.code)};
}

}  // namespace troupe::api

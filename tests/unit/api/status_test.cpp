#include "runtime/api/status.h"

#include <set>

#include <gtest/gtest.h>

namespace troupe::api {
namespace {

TEST(Status, EveryCodeHasARowOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Code::kInternal); ++code) {
    names.insert(name_of(static_cast<Code>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Code::kInternal) + 1);
}

TEST(Status, OverloadAndTimeOutsCanBeToldApart) {
  EXPECT_EQ(status_of(Code::kExhausted).http, 429);
  EXPECT_EQ(status_of(Code::kExhausted).grpc, GrpcCode::kResourceExhausted);
  EXPECT_EQ(status_of(Code::kTimeout).http, 504);
  EXPECT_EQ(status_of(Code::kTimeout).grpc, GrpcCode::kDeadlineExceeded);
  EXPECT_EQ(status_of(Code::kUnavailable).http, 503);
}

TEST(Status, AnUnknownOutcomeDoesNotLookSafeToRepeat) {
  EXPECT_EQ(status_of(Code::kUnknownOutcome).http, 500);
  EXPECT_EQ(status_of(Code::kUnknownOutcome).grpc, GrpcCode::kUnknown);
}

TEST(Status, DaprsOwnFailureOfAnOperationWins) {
  const ApiError thrown = api_error(Operation::kInvoke, {Code::kApplication, "(503) boom"});
  EXPECT_EQ(thrown.error_code, "ERR_ACTOR_INVOKE_METHOD");
  EXPECT_EQ(thrown.message, "error invoke actor method: error from actor service: (503) boom");
  EXPECT_EQ(thrown.status.http, 500);
  const ApiError exists = api_error(Operation::kReminderCreate, {Code::kConflict, "r1"});
  EXPECT_EQ(exists.error_code, "ERR_ACTOR_REMINDER_ALREADY_EXISTS");
  EXPECT_EQ(exists.message, "actor reminder already exists: r1");
  EXPECT_EQ(exists.status.http, 409);
  EXPECT_EQ(exists.status.grpc, GrpcCode::kAlreadyExists);
}

TEST(Status, OtherFailuresKeepTheirStatusUnderTheCodeOfTheOperation) {
  const ApiError full = api_error(Operation::kInvoke, {Code::kExhausted, "mailbox full"});
  EXPECT_EQ(full.error_code, "ERR_ACTOR_INVOKE_METHOD");
  EXPECT_EQ(full.message, "error invoke actor method: mailbox full");
  EXPECT_EQ(full.status.http, 429);
}

TEST(Status, TheNativeApiNamesTheCodeItself) {
  const ApiError error = api_error(Operation::kAdmin, {Code::kNotFound, "no node"});
  EXPECT_EQ(error.error_code, "ERR_NOT_FOUND");
  EXPECT_EQ(error.message, "no node");
  EXPECT_EQ(error.status.http, 404);
}

}  // namespace
}  // namespace troupe::api

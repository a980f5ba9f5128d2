#include "runtime/api/trace.h"

#include <gtest/gtest.h>

namespace troupe::api {
namespace {

constexpr std::string_view kGiven = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traces, ATraceThatCameInGoesOn) {
  Traces traces(1);
  EXPECT_EQ(traces.continued(kGiven), kGiven);
}

TEST(Traces, WithoutAValidOneANewTraceBegins) {
  Traces traces(1);
  const std::string first = traces.continued("");
  EXPECT_TRUE(valid_traceparent(first)) << first;
  EXPECT_NE(traces.continued("nonsense"), first);
}

TEST(Traces, OnlyTheFormOfTheStandardIsValid) {
  EXPECT_TRUE(valid_traceparent(kGiven));
  EXPECT_FALSE(valid_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(valid_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(valid_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  EXPECT_FALSE(valid_traceparent("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(valid_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"));
}

}  // namespace
}  // namespace troupe::api

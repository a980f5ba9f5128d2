#include "runtime/api/http/route_table.h"

#include <array>

#include <gtest/gtest.h>

namespace troupe::api {
namespace {

constexpr std::array<Route<int>, 4> kRoutes{{
    {"GET", "/v1/things/{id}", 1},
    {"GET", "/v1/things/all", 2},
    {"POST PUT", "/v1/things/{id}", 3},
    {"GET", "/v1/{kind}/{id}/parts/{part}", 4},
}};

// The endpoint's number and its parameters.
std::string find(std::string_view method, std::string_view path) {
  const auto match = find_route(std::span<const Route<int>>(kRoutes), method, Segments(path));
  if (!match) return "none";
  if (!*match) return match->error().message;
  std::string text = std::to_string((*match)->route->endpoint);
  for (const std::string& parameter : (*match)->parameters) text += " [" + parameter + "]";
  return text;
}

TEST(RouteTable, MethodAndPathChooseTheEndpoint) {
  EXPECT_EQ(find("GET", "/v1/things/7"), "1 [7]");
  EXPECT_EQ(find("POST", "/v1/things/7"), "3 [7]");
  EXPECT_EQ(find("PUT", "/v1/things/7"), "3 [7]");
  EXPECT_EQ(find("DELETE", "/v1/things/7"), "none");
  EXPECT_EQ(find("GET", "/v1/things"), "none");
  EXPECT_EQ(find("GET", "/v1/things/7/8"), "none");
}

TEST(RouteTable, PathsLongerThanAnyPatternLeadNowhere) {
  std::string path = "/v1/things/7";
  for (std::size_t i = 0; i < 2 * Segments::kMax; ++i) path += "/x";
  EXPECT_EQ(find("GET", path), "none");
  for (std::size_t i = 0; i < 2 * Segments::kMax; ++i) path += "/..";
  EXPECT_EQ(find("GET", path), "1 [7]");
}

TEST(RouteTable, LiteralsWinOverParameters) { EXPECT_EQ(find("GET", "/v1/things/all"), "2"); }

TEST(RouteTable, AnEncodedSlashStaysInItsSegment) {
  EXPECT_EQ(find("GET", "/v1/things/a%2Fb"), "1 [a/b]");
  EXPECT_EQ(find("GET", "/v1/x/y/parts/%2e%2e"), "4 [x] [y] [..]");
}

TEST(RouteTable, APlusIsABlank) { EXPECT_EQ(find("GET", "/v1/things/a+b%2B"), "1 [a b+]"); }

TEST(RouteTable, SlashesAndDotsAreCleanedBefore) {
  EXPECT_EQ(find("GET", "//v1///things/7/"), "1 [7]");
  EXPECT_EQ(find("GET", "/v1/./nothing/../things/7"), "1 [7]");
  EXPECT_EQ(find("GET", "/../../v1/things/7"), "1 [7]");
}

TEST(RouteTable, ABrokenEscapeNamesItsParameter) {
  EXPECT_TRUE(find("GET", "/v1/things/a%2")
                  .starts_with("failed to unescape request parameter \"id\". Error: "));
}

}  // namespace
}  // namespace troupe::api

#include "runtime/app/app_config.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

AppConfig read(std::string_view json) {
  Result<AppConfig> config = parse_app_config(json);
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return config ? *config : AppConfig{};
}

TEST(AppConfig, OfNothingHasDaprsDefaults) {
  EXPECT_TRUE(read("{}").types.empty());
  EXPECT_TRUE(read("null").types.empty());
  const ActorSettings settings = read(R"({"entities":["Cart"]})").types.at("Cart");
  EXPECT_EQ(settings.idle_timeout, 60min);
  EXPECT_EQ(settings.drain_timeout, 2s);
  EXPECT_FALSE(settings.reentrant);
  EXPECT_EQ(settings.stack_depth_max, 32U);
}

TEST(AppConfig, TakesWhatIsSaidInAnyCase) {
  const AppConfig config = read(
      R"({"Entities":["Cart","Device"],"actoridletimeout":"10m","drainOngoingCallTimeout":"5s",
          "reentrancy":{"enabled":true,"maxStackDepth":16},"actorScanInterval":"30s","other":[1]})");
  EXPECT_TRUE(config.warnings.empty());
  EXPECT_EQ(config.types.size(), 2U);
  EXPECT_EQ(config.types.at("Device"), config.types.at("Cart"));
  EXPECT_EQ(config.types.at("Cart").idle_timeout, 10min);
  EXPECT_EQ(config.types.at("Cart").drain_timeout, 5s);
  EXPECT_TRUE(config.types.at("Cart").reentrant);
  EXPECT_EQ(config.types.at("Cart").stack_depth_max, 16U);
}

TEST(AppConfig, OfATypeReplacesTheGeneralOne) {
  const AppConfig config = read(
      R"({"entities":["Cart","Device"],"actorIdleTimeout":"10m","reentrancy":{"enabled":true},
          "entitiesConfig":[{"entities":["Device"],"drainRebalancedActors":false}]})");
  EXPECT_EQ(config.types.at("Cart").idle_timeout, 10min);
  EXPECT_TRUE(config.types.at("Cart").reentrant);
  EXPECT_EQ(config.types.at("Device").idle_timeout, 60min);
  EXPECT_FALSE(config.types.at("Device").reentrant);
  EXPECT_EQ(config.types.at("Device").drain_timeout, 0s);
}

TEST(AppConfig, WarnsOfWhatItDoesNotTake) {
  const AppConfig config = read(
      R"({"entities":["Cart","a/b","","dapr.internal.x.y.workflow"],"actorIdleTimeout":"PT1H",
          "entitiesConfig":[{"entities":["Lost"],"actorIdleTimeout":"1s"}]})");
  EXPECT_EQ(config.types.size(), 1U);
  EXPECT_EQ(config.types.at("Cart").idle_timeout, 60min);
  ASSERT_EQ(config.warnings.size(), 5U);
  EXPECT_THAT(config.warnings[0], HasSubstr("actorIdleTimeout 'PT1H'"));
  EXPECT_THAT(config.warnings[4], HasSubstr("'Lost'"));
}

TEST(AppConfig, HasAnEndHoweverManyTypesThereAre) {
  std::string json = R"({"entities":[)";
  for (std::size_t i = 0; i <= kTypesMax; ++i) {
    json += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\"";
  }
  const AppConfig config = read(json + "]}");
  EXPECT_EQ(config.types.size(), kTypesMax);
  EXPECT_EQ(config.warnings.size(), 1U);
  std::string long_names = R"({"entities":["x")";
  for (char c = 'a'; c <= 'z'; ++c) {
    for (char d = 'a'; d <= 'z'; ++d) {
      long_names += ",\"" + std::string(200, c) + d + "\"";
    }
  }
  EXPECT_EQ(read(long_names + "]}").types.size(), 1 + (kNamesBytesMax - 1) / 201);
}

TEST(AppConfig, OfAnotherShapeIsRefused) {
  for (const char* json : {"", "[]", "7", R"({"entities":"Cart"})", R"({"entities":[1]})",
                           R"({"reentrancy":{"enabled":"yes"}})", R"({"actorIdleTimeout":60})"}) {
    const Result<AppConfig> config = parse_app_config(json);
    ASSERT_FALSE(config) << json;
    EXPECT_FALSE(config.error().message.empty()) << json;
  }
}

}  // namespace
}  // namespace troupe::app

#include <gtest/gtest.h>

#include "runtime/blocks/state/state.h"
#include "runtime/blocks/state/uuid.h"

namespace troupe::testing {
namespace {

using namespace blocks::state;

std::string stored(const std::string& strategy, const KeyPrefix::Names& names) {
  const Result<KeyPrefix> prefix = KeyPrefix::of(strategy, names);
  return prefix ? *prefix->stored("k") : prefix.error().message;
}

TEST(KeyPrefixes, AreDaprs) {
  const KeyPrefix::Names names{.app_id = "app", .name_space = "blue", .store = "st"};
  EXPECT_EQ(stored("", names), "app||k");
  EXPECT_EQ(stored("AppID", names), "app||k");
  EXPECT_EQ(stored("namespace", names), "blue.app||k");
  EXPECT_EQ(stored("namespace", {.app_id = "app", .name_space = "", .store = "st"}), "app||k");
  EXPECT_EQ(stored("name", names), "st||k");
  EXPECT_EQ(stored("none", names), "k");
  EXPECT_EQ(stored("Mine", names), "mine||k");
  EXPECT_EQ(stored("", {.app_id = "", .name_space = "", .store = "st"}), "k");
  EXPECT_EQ(stored("a||b", names), "input key/keyPrefix 'a||b' can't contain '||'");
}

TEST(KeyPrefixes, AKeyOfTheAppComesBackAsItWent) {
  EXPECT_EQ(KeyPrefix::original("app||k"), "k");
  EXPECT_EQ(KeyPrefix::original("k"), "k");
  EXPECT_EQ(KeyPrefix::original("app||type||id"), "type");
  const Result<KeyPrefix> prefix = KeyPrefix::of("", {.app_id = "app"});
  const Result<std::string> refused = prefix->stored("a||b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "input key/keyPrefix 'a||b' can't contain '||'");
}

TEST(TimesToLive, AreWholeSecondsFromMinusOne) {
  for (const std::string good : {"-1", "0", "1", "2147483647"}) {
    Metadata metadata{{"ttlInSeconds", good}, {"other", "x"}};
    const auto ttl = take_ttl(metadata);
    ASSERT_TRUE(ttl) << good;
    EXPECT_EQ(std::to_string(**ttl), good);
    EXPECT_EQ(metadata.size(), 1U);
  }
  for (const std::string bad : {"-2", "1.5", "x", "2147483648", "1s"}) {
    Metadata metadata{{"ttlInSeconds", bad}};
    EXPECT_FALSE(take_ttl(metadata)) << bad;
  }
  Metadata none{{"ttlinseconds", "5"}};
  EXPECT_FALSE(*take_ttl(none)) << "the name's case counts";
}

TEST(Uuids, AreOfVersionFourAndDiffer) {
  const std::string one = new_uuid();
  EXPECT_TRUE(is_uuid(one)) << one;
  EXPECT_EQ(one[14], '4');
  EXPECT_NE(one, new_uuid());
  EXPECT_FALSE(is_uuid("x"));
  EXPECT_FALSE(is_uuid(std::string(36, 'a')));
}

}  // namespace
}  // namespace troupe::testing

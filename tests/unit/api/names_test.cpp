#include "runtime/api/names.h"

#include <gtest/gtest.h>

namespace troupe::api {
namespace {

TEST(Names, MayHoldAlmostAnything) {
  for (const std::string_view name : {"a", "A b", "a|b", "a||b", "user@host", "..a", "ä", "{x}"}) {
    EXPECT_TRUE(check_name("actorId", name)) << name;
  }
}

TEST(Names, MayNotLeadElsewhereInAPath) {
  for (const std::string_view name : {"", ".", "..", "a/b", "a\\b", "a#b", "a?b"}) {
    EXPECT_FALSE(check_name("actorId", name)) << name;
  }
  EXPECT_FALSE(check_name("actorId", std::string_view("a\0b", 3)));
  EXPECT_FALSE(check_name("actorId", "a\nb"));
  EXPECT_FALSE(check_name("actorId", "a\x7f"));
}

TEST(Names, AreUtf8) {
  EXPECT_TRUE(check_name("actorId", "\xF0\x9F\x98\x80"));
  EXPECT_FALSE(check_name("actorId", "a\xFF"));
  EXPECT_FALSE(check_name("actorId", "\xED\xA0\x80"));  // half a surrogate pair
  EXPECT_FALSE(clean_method("a\xC0\xAF"));
}

TEST(Names, HaveALimitOfLength) {
  EXPECT_TRUE(check_name("actorType", std::string(kTypeSizeMax, 'a')));
  EXPECT_FALSE(check_name("actorType", std::string(kTypeSizeMax + 1, 'a')));
  EXPECT_TRUE(check_name("actorId", std::string(kNameSizeMax, 'a')));
  EXPECT_FALSE(check_name("actorId", std::string(kNameSizeMax + 1, 'a')));
}

TEST(Names, SayWhichNameIsWrong) {
  EXPECT_EQ(check_name("actorType", "a/b").error().message,
            "invalid actorType: contains the character '/'");
}

TEST(Names, MethodsArePathsThatNeverLeaveTheActor) {
  EXPECT_EQ(*clean_method("add"), "add");
  EXPECT_EQ(*clean_method("a/./b/../c"), "a/c");
  EXPECT_EQ(*clean_method("../../add"), "add");
  EXPECT_EQ(*clean_method("/a//b/"), "a/b");
  EXPECT_FALSE(clean_method(""));
  EXPECT_FALSE(clean_method("a/.."));
  EXPECT_FALSE(clean_method("a?b"));
  EXPECT_FALSE(clean_method("a\tb"));
}

TEST(Names, TypesOfTheRuntimeAreReserved) {
  EXPECT_TRUE(check_not_reserved("Cart"));
  EXPECT_EQ(check_not_reserved("dapr.internal.default.shop.workflow").error().code, Code::kDenied);
}

}  // namespace
}  // namespace troupe::api

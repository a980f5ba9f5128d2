#include "runtime/node/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal(std::string_view text) {
  const auto lines = parse_config(text);
  EXPECT_FALSE(lines);
  return lines ? "" : lines.error().message;
}

TEST(ConfigFile, HasTextsNumbersTruthsAndLists) {
  const auto lines = parse_config(
      "# a node\n"
      "data-dir = \"/a # b\"  # not a comment before\n"
      "bootstrap-expect = 3\n"
      "insecure = true\n"
      "join = [\"a:1\", \"b:2\"]\n");
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 4U);
  EXPECT_EQ(lines->at(0).name, "data-dir");
  EXPECT_THAT(lines->at(0).values, ElementsAre("/a # b"));
  EXPECT_EQ(lines->at(0).line, 2U);
  EXPECT_THAT(lines->at(1).values, ElementsAre("3"));
  EXPECT_THAT(lines->at(2).values, ElementsAre("true"));
  EXPECT_THAT(lines->at(3).values, ElementsAre("a:1", "b:2"));
}

TEST(ConfigFile, MayBeEmpty) {
  EXPECT_THAT(*parse_config(""), IsEmpty());
  EXPECT_THAT(*parse_config("\n# nothing\n"), IsEmpty());
}

TEST(ConfigFile, NamesLineAndColumnOfWhatIsWrong) {
  EXPECT_THAT(refusal("http = \"a\"\nlisten ="), HasSubstr("line 2"));
  EXPECT_THAT(refusal("http = \"a\"\nhttp = \"b\""), HasSubstr("line 2"));
  EXPECT_THAT(refusal("[node]\nhttp = \"a\""), HasSubstr("'node' must be a text"));
  EXPECT_THAT(refusal("weight = 1.5"), HasSubstr("'weight' must be a text, a whole number"));
  EXPECT_THAT(refusal("join = [[\"a\"]]"), HasSubstr("line 1"));
  EXPECT_THAT(refusal(std::string("a = \"\0\"", 7)), HasSubstr("line 1"));
  EXPECT_THAT(refusal("a = \"\xff\""), HasSubstr("line 1"));
}

TEST(ConfigFile, TakesNoMoreThanItsLimit) {
  EXPECT_EQ(refusal(std::string(kConfigSizeMax + 1, '\n')), "it is larger than 1 MiB");
}

TEST(ConfigFile, ThatCannotBeReadIsNamed) {
  EXPECT_EQ(read_config_file("/no/such/file").error().code, Code::kNotFound);
  EXPECT_EQ(read_config_file("/").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace troupe::node

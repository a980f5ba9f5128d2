#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <troupe/result.h>

namespace troupe {
namespace {

Result<int> parse(const std::string& text) {
  if (text.empty()) return fail(Code::kInvalid, "no digits");
  return static_cast<int>(text.size());
}

Result<std::unique_ptr<int>> boxed(const std::string& text) {
  Result<int> parsed = parse(text);
  if (!parsed) return fail(parsed.error());
  return std::make_unique<int>(*parsed);
}

Result<void> require(bool condition) {
  if (!condition) return fail(Code::kDenied, "no");
  return {};
}

TEST(Result, IsAValueOrAnError) {
  EXPECT_EQ(parse("abc").value(), 3);
  EXPECT_FALSE(parse(""));
  EXPECT_EQ(parse("").error(), (Error{Code::kInvalid, "no digits"}));
}

TEST(Result, MovesWhatCannotBeCopied) {
  std::unique_ptr<int> box = boxed("abc").value();
  EXPECT_EQ(*box, 3);
  EXPECT_EQ(boxed("").error().code, Code::kInvalid);
}

TEST(Result, MayHaveNoValueToGive) {
  EXPECT_TRUE(require(true));
  EXPECT_EQ(require(false).error().message, "no");
}

}  // namespace
}  // namespace troupe

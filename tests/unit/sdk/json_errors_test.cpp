#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <troupe/json.h>

namespace troupe {
namespace {

enum class Color : std::uint8_t { kRed, kGreen = 5 };
struct Item {
  std::string name;
  int price = 0;
};
struct Cart {
  std::vector<Item> items;
  std::map<std::string, Item> by_name;
  std::optional<double> ratio;
};

template <class T>
std::string refusal(std::string_view text) {
  const Result<T> value = from_json<T>(text);
  if (value) return "accepted";
  EXPECT_EQ(value.error().code, Code::kInvalid);
  return value.error().message;
}

template <class T>
std::string write_refusal(const T& value) {
  const Result<std::string> text = try_to_json(value);
  if (text) return *text;
  EXPECT_EQ(text.error().code, Code::kInvalid);
  return text.error().message;
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(JsonErrors, NameThePathAndBothKinds) {
  EXPECT_EQ(refusal<Cart>(R"({"items":[{},{},{},{"price":"four"}]})"),
            "items[3].price: expected an integer, got a string");
  EXPECT_EQ(refusal<Cart>(R"({"by_name":{"tea":{"name":4}}})"),
            R"(by_name["tea"].name: expected a string, got 4)");
  EXPECT_EQ(refusal<Cart>(R"({"ratio":[]})"), "ratio: expected a number, got an array");
  EXPECT_EQ(refusal<Cart>("[]"), "expected an object, got an array");
  EXPECT_EQ(refusal<Cart>(R"({"items":{}})"), "items: expected an array, got an object");
  EXPECT_EQ(refusal<Item>(R"({"name":null})"), "name: expected a string, got null");
  EXPECT_EQ(refusal<bool>("0"), "expected a boolean, got 0");
}

TEST(JsonErrors, RefuseIntegersOutOfRange) {
  EXPECT_EQ(refusal<std::uint8_t>("256"), "expected an integer from 0 to 255, got 256");
  EXPECT_EQ(refusal<std::uint8_t>("-1"), "expected an integer from 0 to 255, got -1");
  EXPECT_EQ(refusal<std::int8_t>("-129"), "expected an integer from -128 to 127, got -129");
  EXPECT_EQ(refusal<std::int64_t>("9223372036854775808"),
            "expected an integer from -9223372036854775808 to 9223372036854775807, got "
            "9223372036854775808");
  EXPECT_EQ(refusal<int>("3.5"), "expected an integer, got 3.5");
  EXPECT_EQ(refusal<int>("1e300"), "expected an integer, got 1e+300");
  EXPECT_EQ(refusal<int>(R"("4x")"), "expected an integer, got a string");
  EXPECT_EQ(refusal<std::uint64_t>(R"("18446744073709551616")"),
            "expected an integer, got a string");
  EXPECT_NE(refusal<std::uint64_t>("18446744073709551616"), "accepted");
  EXPECT_EQ(refusal<float>("1e39"), "expected a number in the range of float, got 1e+39");
}

TEST(JsonErrors, RefuseArraysOfTheWrongLength) {
  using Two = std::array<int, 2>;
  EXPECT_EQ(refusal<Two>("[1]"), "expected an array of 2, got one of 1");
  EXPECT_EQ((refusal<std::pair<int, int>>("[1,2,3]")), "expected an array of 2, got one of 3");
  EXPECT_EQ((refusal<std::pair<int, int>>("[1,true]")), "[1]: expected an integer, got a boolean");
}

TEST(JsonErrors, RefuseUnknownNames) {
  EXPECT_EQ(refusal<Color>(R"("kBlue")"), "expected a name of Color, got a string");
  EXPECT_EQ(refusal<Color>("256"), "expected an integer from 0 to 255, got 256");
  EXPECT_EQ(refusal<Color>("true"), "expected a name of Color, got a boolean");
  EXPECT_EQ((refusal<std::map<Color, int>>(R"({"kBlue":1})")),
            R"(["kBlue"]: expected keys that are names of Color)");
  EXPECT_EQ((refusal<std::map<std::int8_t, int>>(R"({"128":1})")),
            R"(["128"]: expected keys that are integers in range)");
}

TEST(JsonErrors, RefuseDurationsAndTimesThatDoNotFit) {
  using std::chrono::seconds;
  EXPECT_EQ(refusal<seconds>(R"("1.5s")"),
            "expected a duration in range and in whole units of its type");
  EXPECT_EQ(refusal<std::chrono::nanoseconds>(R"("9999999h")"),
            "expected a duration in range and in whole units of its type");
  for (const char* text : {R"("")", R"("1")", R"("s")", R"("1.s")", R"("-")", R"("1s ")", "true",
                           R"("9999999999999999999999999h")", "1e300"}) {
    EXPECT_EQ(refusal<seconds>(text).substr(0, 19), "expected a duration") << text;
  }
  for (const char* text :
       {"0", R"("2023-02-29T00:00:00Z")", R"("2024-01-01T24:00:00Z")", R"("2024-01-01")",
        R"("2024-01-01T00:00:00")", R"("2024-01-01T00:00:00.Z")", R"("2024-01-01T00:00:00+25:00")",
        R"("2024-13-01T00:00:00Z")", R"("2024-01-01T00:00:00ZZ")"}) {
    EXPECT_EQ(refusal<WallTime>(text).substr(0, 20), "expected a time like") << text;
  }
}

TEST(JsonErrors, RefuseWhatIsNotBase64) {
  for (const char* text :
       {R"("Z")", R"("Zg=")", R"("Zg===")", R"("Zh==")", R"("Z-8=")", R"("=")"}) {
    EXPECT_EQ(refusal<Bytes>(text), "expected base64, got another string") << text;
  }
  EXPECT_EQ(refusal<Bytes>("1"), "expected a string in base64, got 1");
}

TEST(JsonErrors, RefuseWhatIsNotJson) {
  for (const char* text :
       {"", " ", "{", "{}x", "{} {}", "[1,]", "{'a':1}", "nul", "NaN", "01", "+1", "\"\x01\"",
        "\"\xff\"", R"("\ud800")", "[1]]", "// 1\n1", "1e999"}) {
    EXPECT_NE(refusal<Json>(text), "accepted") << text;
  }
  EXPECT_EQ(refusal<Json>("{} {}").substr(0, 13), "is not JSON: ");
}

TEST(JsonErrors, RefuseDeepNestingOnBothSides) {
  const std::string inner = nested(kJsonDepthMax - 1);
  EXPECT_EQ(refusal<Json>("[1," + inner + "]"), "accepted");
  EXPECT_EQ(refusal<Json>("[[1," + inner + "]]"), "nests deeper than 64");
  EXPECT_EQ(refusal<Json>(nested(kJsonDepthMax + 1)), "nests deeper than 64");
  EXPECT_EQ(refusal<Json>(nested(100'000)), "nests deeper than 64");

  const Json deepest = Json::parse(nested(kJsonDepthMax)).value();
  EXPECT_EQ(write_refusal(deepest), deepest.text());
  EXPECT_EQ(write_refusal(std::vector<Json>{Json(), deepest}), "[1]: nests deeper than 64");
  struct Chain {
    std::unique_ptr<Chain> next;
  };
  auto chain = std::make_unique<Chain>();
  for (int i = 1; i < kJsonDepthMax; ++i) chain = std::make_unique<Chain>(std::move(chain));
  EXPECT_EQ(refusal<Chain>(write_refusal(*chain)), "accepted");
  EXPECT_FALSE(try_to_json(Chain{std::move(chain)}));
}

TEST(JsonErrors, RefuseTextsBeyondTheLimit) {
  std::string text(kJsonBytesMax, ' ');
  text[0] = '4';
  EXPECT_EQ(refusal<int>(text), "accepted");
  EXPECT_EQ(refusal<int>(text + ' '), "longer than 16777216 bytes");
}

TEST(JsonErrors, RefuseToWriteWhatJsonCannotSay) {
  const double nan = std::nan("");
  EXPECT_EQ(write_refusal(Cart{{}, {{"tea", {"\xff", 1}}}, {}}),
            "by_name.tea.name: is a string that is not UTF-8: use troupe::Bytes for bytes");
  EXPECT_EQ(write_refusal(Cart{{{}, {"\xc0\x80", 1}}, {}, {}}),
            "items[1].name: is a string that is not UTF-8: use troupe::Bytes for bytes");
  EXPECT_EQ(write_refusal(Cart{{}, {}, nan}), "ratio: is NaN or infinite, which JSON cannot say");
  EXPECT_FALSE(try_to_json(std::numeric_limits<float>::infinity()));
  EXPECT_FALSE(try_to_json(std::chrono::duration<double>(nan)));
  EXPECT_FALSE(try_to_json(WallTime::max()));
  EXPECT_FALSE(try_to_json(std::unordered_map<std::string, int>{{"\xff", 1}}));
  EXPECT_THROW(to_json(nan), std::invalid_argument);
}

TEST(JsonErrors, ShowOnlyTheBeginningOfLongNames) {
  const std::string key(1000, 'k');
  EXPECT_LT((refusal<std::map<std::string, int>>("{\"" + key + "\":true}").size()), 150U);
}

}  // namespace
}  // namespace troupe

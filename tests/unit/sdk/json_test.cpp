#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <troupe/json.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

enum class Color : std::uint8_t { kRed, kGreen = 5 };
struct Item {
  std::string name;
  int price = 7;
  friend bool operator==(const Item&, const Item&) = default;
};
struct Cart {
  std::vector<Item> items;
  bool paid = false;
  std::optional<Color> color;
  friend bool operator==(const Cart&, const Cart&) = default;
};

// What is written reads back as the same value.
template <class T>
std::string round_trip(const T& value) {
  const std::string text = to_json(value);
  const Result<T> read = from_json<T>(text);
  EXPECT_TRUE(read) << text << ": " << read.error().message;
  if (read) {
    EXPECT_EQ(*read, value) << text;
  }
  return text;
}

template <class T>
T read(std::string_view text) {
  Result<T> value = from_json<T>(text);
  EXPECT_TRUE(value) << text << ": " << value.error().message;
  return value ? std::move(*value) : T{};
}

TEST(Json, WritesStructsByFieldNameInTheOrderOfDeclaration) {
  EXPECT_EQ(round_trip(Cart{{{"tea", 4}, {"jam", -1}}, true, Color::kGreen}),
            R"({"items":[{"name":"tea","price":4},{"name":"jam","price":-1}],)"
            R"("paid":true,"color":"kGreen"})");
  EXPECT_EQ(round_trip(Cart{}), R"({"items":[],"paid":false,"color":null})");
}

TEST(Json, IgnoresUnknownFieldsAndKeepsTheDefaultOfMissingOnes) {
  EXPECT_EQ(read<Item>(R"( { "x": [1, {"y": 2}], "name" : "tea" } )"), (Item{"tea", 7}));
  EXPECT_EQ(read<Item>("{}"), Item{});
}

TEST(Json, TakesTheLastOfTwoFieldsWithTheSameName) {
  EXPECT_EQ(read<Item>(R"({"price":1,"name":"a","price":2})"), (Item{"a", 2}));
  const auto carts = read<std::map<std::string, Cart>>(
      R"({"c":{"items":[{"name":"a"}],"paid":true},"c":{"items":[{"name":"b"}]}})");
  EXPECT_EQ(carts.at("c"), (Cart{{{"b", 7}}, false, {}}));
}

TEST(Json, KeepsAll64BitsOfIntegers) {
  EXPECT_EQ(round_trip(INT64_MAX), "9223372036854775807");
  EXPECT_EQ(round_trip(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(round_trip(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(round_trip(std::int8_t{-128}), "-128");
  EXPECT_EQ(read<std::uint64_t>(R"("18446744073709551615")"), UINT64_MAX);
  EXPECT_EQ(read<std::int64_t>(R"("-9223372036854775808")"), INT64_MIN);
  EXPECT_EQ(read<int>("3.0"), 3);
  EXPECT_EQ(read<unsigned>("1e3"), 1000U);
}

TEST(Json, WritesTheShortestNumberThatReadsBackTheSame) {
  EXPECT_EQ(round_trip(0.1), "0.1");
  EXPECT_EQ(round_trip(3.0), "3");
  EXPECT_EQ(round_trip(0.1F), "0.1");
  EXPECT_EQ(round_trip(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(round_trip(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(round_trip(std::numeric_limits<float>::max()), "3.4028235e+38");
  EXPECT_EQ(round_trip(-std::numeric_limits<float>::max()), "-3.4028235e+38");
  EXPECT_EQ(round_trip(123456789012345680000.0), "1.2345678901234568e+20");
  EXPECT_EQ(round_trip(9007199254740992.0), "9.007199254740992e+15");
  EXPECT_TRUE(std::signbit(read<double>(to_json(-0.0))));
}

TEST(Json, EscapesOnlyWhatItMust) {
  EXPECT_EQ(round_trip(std::string("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f")),
            "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  EXPECT_EQ(round_trip(std::string("a\0b", 3)), "\"a\\u0000b\"");
  EXPECT_EQ(round_trip(std::string("caf\u00e9 \U0001f375")), "\"caf\u00e9 \U0001f375\"");
  EXPECT_EQ(read<std::string>(R"("\u00e9\ud83c\udf75\/")"), "\u00e9\U0001f375/");
}

TEST(Json, WritesEnumsByNameAndReadsNumbersToo) {
  EXPECT_EQ(round_trip(Color::kGreen), R"("kGreen")");
  EXPECT_EQ(round_trip(static_cast<Color>(77)), "77");
  EXPECT_EQ(read<Color>("5"), Color::kGreen);
  EXPECT_EQ(read<Color>(R"("5")"), Color::kGreen);
}

TEST(Json, WritesContainersAsArrays) {
  EXPECT_EQ(round_trip(std::vector<bool>{true, false}), "[true,false]");
  EXPECT_EQ(round_trip(std::deque<int>{1, 2}), "[1,2]");
  EXPECT_EQ(round_trip(std::list<int>{}), "[]");
  EXPECT_EQ(round_trip(std::set<std::string>{"b", "a"}), R"(["a","b"])");
  EXPECT_EQ(round_trip(std::array<Item, 1>{{{"tea", 4}}}), R"([{"name":"tea","price":4}])");
  EXPECT_EQ(round_trip(std::pair<int, std::string>(1, "x")), R"([1,"x"])");
  EXPECT_EQ(round_trip(std::tuple<>()), "[]");
  EXPECT_EQ(round_trip(std::tuple<int, std::vector<int>>(1, {2, 3})), "[1,[2,3]]");
}

TEST(Json, WritesMapsAsObjectsByRisingKey) {
  EXPECT_EQ(round_trip(std::map<std::string, int>{{"b", 1}, {"a\n", 2}}), R"({"a\n":2,"b":1})");
  EXPECT_EQ(round_trip(std::map<int, int>{{10, 1}, {-9, 2}}), R"({"-9":2,"10":1})");
  EXPECT_EQ(round_trip(std::map<Color, bool>{{Color::kGreen, true}}), R"({"kGreen":true})");
  EXPECT_EQ(round_trip(std::unordered_map<int, int>{{10, 1}, {9, 2}, {-1, 3}}),
            R"({"-1":3,"9":2,"10":1})");
  EXPECT_EQ(round_trip(std::unordered_set<std::string>{"c", "a", "b"}), R"(["a","b","c"])");
}

TEST(Json, SaysNullForWhatIsNotThere) {
  EXPECT_EQ(round_trip(std::optional<int>()), "null");
  EXPECT_EQ(round_trip(std::optional<int>(3)), "3");
  EXPECT_EQ(round_trip(std::vector<std::optional<int>>{1, {}}), "[1,null]");
  EXPECT_EQ(to_json(std::unique_ptr<int>()), "null");
  EXPECT_EQ(*read<std::unique_ptr<Item>>(R"({"price":1})"), (Item{"", 1}));
}

TEST(Json, NestsATypeInItself) {
  struct Tree {
    int value = 0;
    std::unique_ptr<Tree> left;
    std::vector<Tree> others;
  };
  const std::string text = R"({"value":1,"left":{"value":2,"left":null,"others":[]},)"
                           R"("others":[{"value":3,"left":null,"others":[]}]})";
  EXPECT_EQ(to_json(read<Tree>(text)), text);
}

TEST(Json, WritesDurationsAsGoDoes) {
  EXPECT_EQ(round_trip(0s), R"("0s")");
  EXPECT_EQ(round_trip(1500ms), R"("1.5s")");
  EXPECT_EQ(round_trip(20ms), R"("20ms")");
  EXPECT_EQ(round_trip(Duration(1)), R"("1us")");
  EXPECT_EQ(round_trip(1500ns), R"("1.5us")");
  EXPECT_EQ(round_trip(7ns), R"("7ns")");
  EXPECT_EQ(round_trip(-90min), R"("-1h30m0s")");
  EXPECT_EQ(round_trip(24h), R"("24h0m0s")");
  EXPECT_EQ(round_trip(std::chrono::nanoseconds::max()), R"("2562047h47m16.854775807s")");
  EXPECT_EQ(round_trip(std::chrono::microseconds::min()), R"("-2562047788h0m54.775808s")");
  EXPECT_EQ(round_trip(std::chrono::duration<double>(0.25)), R"("250ms")");
  EXPECT_EQ(read<std::chrono::milliseconds>("1500"), 1500ms);
  EXPECT_EQ(read<std::chrono::microseconds>("1.5"), 1500us);
  EXPECT_EQ(read<std::chrono::seconds>(R"("1h1.5m")"), 3690s);
  EXPECT_EQ(read<std::chrono::nanoseconds>(R"("1\u00b5s")"), 1us);
}

TEST(Json, WritesTimesAsRfc3339) {
  EXPECT_EQ(round_trip(WallTime()), R"("1970-01-01T00:00:00Z")");
  EXPECT_EQ(round_trip(WallTime(-1us)), R"("1969-12-31T23:59:59.999999Z")");
  EXPECT_EQ(
      round_trip(WallTime(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29)) + 12h + 500ms),
      R"("2024-02-29T12:00:00.5Z")");
  EXPECT_EQ(read<WallTime>(R"("2024-02-29t14:30:00.1234567+02:30")"),
            read<WallTime>(R"("2024-02-29T12:00:00.123456Z")"));
  EXPECT_EQ(read<WallTime>(R"("9999-12-31T23:59:59Z")").time_since_epoch(), 253402300799s);
  EXPECT_EQ(read<WallTime>(R"("0000-01-01T00:00:00Z")").time_since_epoch(), -62167219200s);
}

TEST(Json, WritesBytesInBase64) {
  EXPECT_EQ(round_trip(Bytes{""}), R"("")");
  EXPECT_EQ(round_trip(Bytes{"f"}), R"("Zg==")");
  EXPECT_EQ(round_trip(Bytes{"fo"}), R"("Zm8=")");
  EXPECT_EQ(round_trip(Bytes{"foo"}), R"("Zm9v")");
  EXPECT_EQ(round_trip(Bytes{std::string("\0\xff\xfe\xfb", 4)}), R"("AP/++w==")");
  EXPECT_EQ(read<Bytes>(R"("Zm8")"), Bytes{"fo"});
}

struct Event {
  std::string kind;
  Json data;
  friend bool operator==(const Event&, const Event&) = default;
};

TEST(Json, KeepsDynamicValuesAsCanonicalText) {
  const auto event = read<Event>(R"({"kind":"k","data": { "b" : [1, 2.50, "\u0041"], "a":{} }})");
  EXPECT_EQ(event.data.text(), R"({"b":[1,2.5,"A"],"a":{}})");
  EXPECT_EQ(round_trip(event), R"({"kind":"k","data":{"b":[1,2.5,"A"],"a":{}}})");
  EXPECT_EQ(Json().text(), "null");
  EXPECT_EQ(Json::of(Item{"tea", 4}).as<Item>().value(), (Item{"tea", 4}));
  EXPECT_FALSE(Json::parse("{"));
}

struct Money {
  std::int64_t cents = 0;
  friend bool operator==(const Money&, const Money&) = default;
};
void write_json(JsonWriter& out, const Money& money) {
  out.string(std::to_string(money.cents) + " ct");
}
bool read_json(const JsonReader& in, Money& money) {
  std::string text;
  if (!in.read(text)) return false;
  if (!text.ends_with(" ct")) return in.fail("expected an amount in ct");
  // Reads another document while this one is being read.
  Result<std::int64_t> cents = from_json<std::int64_t>(text.substr(0, text.size() - 3));
  if (!cents) return in.fail(cents.error().message);
  money.cents = *cents;
  return true;
}

TEST(Json, LetsATypeHaveAFormatOfItsOwn) {
  EXPECT_EQ(round_trip(std::vector<Money>{{5}, {7}, {11}, {13}}),
            R"(["5 ct","7 ct","11 ct","13 ct"])");
  EXPECT_EQ(from_json<std::vector<Money>>(R"(["5 ct", "5"])").error().message,
            "[1]: expected an amount in ct");
}

TEST(Json, TakesScalarsAtTheTop) {
  EXPECT_EQ(read<int>(" 4 "), 4);
  EXPECT_EQ(round_trip(true), "true");
  EXPECT_EQ(round_trip(std::string("x")), R"("x")");
}

}  // namespace
}  // namespace troupe

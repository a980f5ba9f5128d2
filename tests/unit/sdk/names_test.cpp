#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <troupe/fields.h>
#include <troupe/names.h>

// Most of this is checked by the compiler; the Meson test `sdk-headers-g++` compiles it once more.
namespace shop {

enum class Color : unsigned char { kRed, kGreen = 5, kViolet = 127, kBeyond = 200 };
enum class Level { kBelow = -17, kUnknown = -16, kNone = -1, kSome, kAll = 127 };
enum Plain : int { kPlainA, kPlainB = 3 };

template <class T, class U>
struct Box {
  T value;
  T open(U) const noexcept;
};
template <class T, class U>
T Box<T, U>::open(U) const noexcept {
  return value;
}

struct Empty {};
struct Item {
  std::string name;
  int price = 0;
};
struct Cart {
  int add(Item item) { return item.price; }
  int total() const { return 1; }
  int safe() const noexcept { return 2; }
  void clear() noexcept {}
};

struct Everything {
  Item item;
  std::array<int, 3> numbers{};
  std::optional<int> maybe;
  std::map<std::string, Item> by_name;
  Empty empty;
  std::unique_ptr<Everything> next;
  std::vector<Everything> children;
  std::chrono::seconds wait{};
  std::optional<Item> maybe_item;
  std::pair<int, Item> pair;
  std::tuple<int> single;
  bool flag = false;
  Color color{};
  double ratio = 0;
  std::array<Item, 2> two_items;
  Box<int, long> box{};
  int last = 0;
};

struct Forty {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9;
  std::string c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, last;
};
struct One {
  std::string only_;  // NOLINT(readability-identifier-naming): names may end so
};

static_assert(troupe::method_name<&Cart::add> == "add");
static_assert(troupe::method_name<&Cart::total> == "total");
static_assert(troupe::method_name<&Cart::safe> == "safe");
static_assert(troupe::method_name<&Cart::clear> == "clear");
static_assert(troupe::method_name<&Box<int, std::string>::open> == "open");

static_assert(troupe::type_name<Cart> == "Cart");
static_assert(troupe::type_name<Color> == "Color");
static_assert(troupe::type_name<int> == "int");
static_assert(troupe::type_name<Box<int, Item>>.substr(0, 8) == "Box<int,");

static_assert(troupe::field_count<Empty> == 0);
static_assert(troupe::field_names<Empty>.empty());
static_assert(troupe::field_count<One> == 1 && troupe::field_names<One>[0] == "only_");
static_assert(troupe::field_count<Item> == 2);
static_assert(troupe::field_names<Item>[0] == "name" && troupe::field_names<Item>[1] == "price");
static_assert(troupe::field_count<Everything> == 17);
static_assert(troupe::field_names<Everything>[1] == "numbers");
static_assert(troupe::field_names<Everything>[4] == "empty");
static_assert(troupe::field_names<Everything>[14] == "two_items");
static_assert(troupe::field_names<Everything>[15] == "box");
static_assert(troupe::field_names<Everything>[16] == "last");
static_assert(troupe::field_count<Forty> == troupe::kFieldsMax);
static_assert(troupe::field_names<Forty>[39] == "last");

static_assert(troupe::enum_names<Color>.size() == 3);
static_assert(troupe::enum_names<Color>[1].name == "kGreen");
static_assert(troupe::enum_names<Color>[1].value == 5);
static_assert(troupe::enum_names<Color>[2].name == "kViolet");
static_assert(troupe::enum_names<Level>.size() == 4);
static_assert(troupe::enum_names<Level>[0].name == "kUnknown");
static_assert(troupe::enum_names<Level>[0].value == troupe::kEnumMin);
static_assert(troupe::enum_names<Level>[3].value == troupe::kEnumMax);
static_assert(troupe::enum_names<Plain>.size() == 2);
static_assert(troupe::enum_names<Plain>[1].name == "kPlainB");

}  // namespace shop

namespace {

struct Local {
  int here = 0;
  std::optional<shop::Item> item;
};
enum class Hidden { kFirst };
static_assert(troupe::type_name<Local> == "Local");
static_assert(troupe::field_names<Local>[1] == "item");
static_assert(troupe::enum_names<Hidden>[0].name == "kFirst");

TEST(Fields, RefersToEachFieldInTheOrderOfDeclaration) {
  shop::Item item{"tea", 4};
  std::get<1>(troupe::fields(item)) = 5;
  EXPECT_EQ(item.price, 5);
  EXPECT_EQ(std::get<0>(troupe::fields(std::as_const(item))), "tea");
}

}  // namespace

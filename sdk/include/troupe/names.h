#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe {
namespace detail {

// The compiler's own spelling of a template argument carries its name. g++ writes
// `... [with auto V = &Cart::add; std::string_view = ...]`, clang `... [V = &Cart::add]`. Loops
// over plain characters, because compilers evaluate those several times faster than string_view's.
template <auto V>
consteval std::string_view spelled_value() {
  return __PRETTY_FUNCTION__;
}
template <class T>
consteval std::string_view spelled_type() {
  return __PRETTY_FUNCTION__;
}
template <class E, E... V>
consteval std::string_view spelled_values() {
  return __PRETTY_FUNCTION__;
}

// What the compiler writes after the last argument.
inline constexpr std::size_t kSpelledTail =
    spelled_type<int>().size() - spelled_type<int>().rfind("T = int") - 7;

constexpr bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c < 0;
}

// The identifier at the end of a spelled argument, but for closing brackets.
consteval std::string_view last_identifier(std::string_view spelled) {
  const char* end = spelled.data() + spelled.size() - kSpelledTail;
  while (end[-1] == ')' || end[-1] == '}') --end;
  const char* begin = end;
  while (is_identifier(begin[-1])) --begin;
  return {begin, static_cast<std::size_t>(end - begin)};
}

consteval std::string_view without_namespaces(std::string_view type) {
  const std::size_t scopes = type.substr(0, type.find('<')).rfind("::");
  return scopes == std::string_view::npos ? type : type.substr(scopes + 2);
}

}  // namespace detail

/// The name of a method: `method_name<&Cart::add>` is "add". Plain, const and noexcept methods.
///
/// Views of this header refer to static memory and live as long as the program.
template <auto kMethod>
inline constexpr std::string_view method_name =
    detail::last_identifier(detail::spelled_value<kMethod>());

/// The name of a type without the namespaces and classes around it: `type_name<shop::Cart>` is
/// "Cart". The arguments of a template are spelled as the compiler likes, which differs between
/// compilers: do not store those.
template <class T>
inline constexpr std::string_view type_name = detail::without_namespaces([] {
  const std::string_view spelled = detail::spelled_type<T>();
  const std::size_t begin = spelled.find("T = ") + 4;
  return spelled.substr(begin, spelled.size() - begin - detail::kSpelledTail);
}());

/// The values of an enum that have names to us: beyond them, a value is written as its number.
inline constexpr int kEnumMin = -16;
inline constexpr int kEnumMax = 127;

/// One enumerator.
struct EnumName {
  long long value = 0;
  std::string_view name;
};

namespace detail {

template <class E>
concept FixedEnum = std::is_enum_v<E> && requires { E{0}; };

// Walks over `<(Color)-1, Color::kRed>`, as clang spells values, or `{...}`, as g++ does.
class EnumeratorList {
 public:
  explicit constexpr EnumeratorList(std::string_view spelled)
      : at_(spelled.data() + spelled.rfind("V = ") + 5) {}

  // The next item's name; empty if it is a number.
  constexpr std::string_view next() {
    const char* const item = at_;
    const char* begin = item;
    // Every number begins with the same `(Color)`, which is measured once. What it is as long as,
    // `Color::`, begins a name.
    if (*at_ == '(') at_ += number_prefix_;
    for (int depth = 0; depth > 0 || (*at_ != ',' && *at_ != '>' && *at_ != '}'); ++at_) {
      if (*at_ == '<' || *at_ == '(' || *at_ == '{') ++depth;
      if (*at_ == '>' || *at_ == ')' || *at_ == '}') --depth;
      if (*at_ == ')' && depth == 0 && at_[1] != ':') number_prefix_ = at_ + 1 - item;
      if (is_identifier(*at_) && !is_identifier(at_[-1])) begin = at_;
    }
    const std::string_view name(begin, static_cast<std::size_t>(at_ - begin));
    if (*at_ == ',') at_ += 2;
    return *begin >= '0' && *begin <= '9' ? std::string_view() : name;
  }

 private:
  const char* at_;
  std::ptrdiff_t number_prefix_ = 0;
};

template <class E, int kFirst, int... I>
consteval std::string_view spelled_range(std::integer_sequence<int, I...>) {
  return spelled_values<E, static_cast<E>(kFirst + I)...>();
}

template <class E, int kFirst, int kCount>
consteval auto list_enumerators() {
  EnumeratorList list(spelled_range<E, kFirst>(std::make_integer_sequence<int, kCount>()));
  std::array<EnumName, kCount + 1> names;  // and in the last one, how many there are
  for (int value = kFirst; value < kFirst + kCount; ++value) {
    const std::string_view name = list.next();
    if (!name.empty()) names[static_cast<std::size_t>(names.back().value++)] = {value, name};
  }
  return names;
}

template <class E>
consteval auto make_enum_names() {
  constexpr int kFirst = std::is_signed_v<std::underlying_type_t<E>> ? kEnumMin : 0;
  constexpr auto kList = list_enumerators<E, kFirst, kEnumMax - kFirst + 1>();
  std::array<EnumName, static_cast<std::size_t>(kList.back().value)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kList[i];
  return names;
}

}  // namespace detail

/// The enumerators of `E` between kEnumMin and kEnumMax, by rising value; of two with the same
/// value, the first. `E` is an `enum class`, or an enum with an underlying type: `enum E : int`.
template <detail::FixedEnum E>
inline constexpr auto enum_names = detail::make_enum_names<E>();

}  // namespace troupe

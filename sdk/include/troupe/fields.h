#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <troupe/detail/tie_fields.h>
#include <troupe/names.h>

namespace troupe {
namespace detail {

// Stands for a value of any type while fields are counted. `const` so that a constructor template
// that takes anything (std::optional's) is preferred, not ambiguous.
struct Anything {
  template <class T>
  constexpr operator T() const {  // NOLINT(google-explicit-constructor)
    __builtin_unreachable();
  }
};
// The same, but not for a base class of `T`.
template <class T>
struct AnythingBut {
  template <class U>
    requires(!std::is_base_of_v<U, T>)
  constexpr operator U() const {  // NOLINT(google-explicit-constructor)
    __builtin_unreachable();
  }
};
template <class A, std::size_t>
using Repeat = A;

template <class T, class A, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
  return requires { T{Repeat<A, I>{}...}; };
}
// With `{}` in the middle, which skips a whole array, where a value fills one element of it.
template <class T, std::size_t... I, std::size_t... J>
consteval bool takes_gap(std::index_sequence<I...>, std::index_sequence<J...>) {
  return requires { T{Repeat<Anything, I>{}..., {}, Repeat<Anything, J>{}...}; };
}

// How many values fill `T`: one a field, unless a field is a C array or a base class.
template <class T, std::size_t kCount = 0>
consteval std::size_t slot_count() {
  if constexpr (kCount <= kFieldsMax &&
                takes<T, Anything>(std::make_index_sequence<kCount + 1>())) {
    return slot_count<T, kCount + 1>();
  } else {
    return kCount;
  }
}
template <class T, std::size_t... I>
consteval bool each_slot_is_a_field(std::index_sequence<I...>) {
  constexpr std::size_t kCount = sizeof...(I);
  return (takes_gap<T>(std::make_index_sequence<I>(), std::make_index_sequence<kCount - 1 - I>()) &&
          ...);
}

template <class T>
consteval std::size_t count_fields() {
  static_assert(std::is_aggregate_v<T> && !std::is_array_v<T>,
                "troupe: not a plain struct: it has a constructor, a private field or a virtual");
  if constexpr (std::is_aggregate_v<T>) {
    constexpr bool kDefault = requires { T{}; };
    static_assert(kDefault,
                  "troupe: a field cannot be left out: it is a reference, or needs an argument");
    if constexpr (kDefault) {
      constexpr std::size_t kSlots = slot_count<T>();
      constexpr bool kNoBase = takes<T, AnythingBut<T>>(std::make_index_sequence<kSlots>()) &&
                               !takes<T, AnythingBut<T>>(std::make_index_sequence<kSlots + 1>());
      static_assert(kNoBase, "troupe: a plain struct has no base class: make it a field");
      constexpr bool kNoArray = each_slot_is_a_field<T>(std::make_index_sequence<kSlots>());
      static_assert(kNoArray, "troupe: a field is a C array: use std::array or std::vector");
      constexpr bool kFew = kSlots <= kFieldsMax;
      static_assert(kFew, "troupe: a struct may have at most 40 fields: group them");
      return kNoBase && kNoArray && kFew ? kSlots : 0;
    }
  }
  return 0;
}

}  // namespace detail

/// How many fields a plain struct has: an aggregate without base class, C array, reference and
/// pointer, of at most kFieldsMax fields. What is not one is refused with a message.
template <class T>
inline constexpr std::size_t field_count = detail::count_fields<T>();

/// References to the fields of a plain struct, in the order of their declaration. They live as long
/// as `value`.
template <class T>
constexpr auto fields(T& value) {
  return detail::tie_fields<field_count<std::remove_const_t<T>>>(value);
}

namespace detail {

// Only addresses inside of it are named: it is never defined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wundefined-var-template"
#pragma GCC diagnostic ignored "-Wundefined-internal"
template <class T>
struct Fake {
  const T value;
};
template <class T>
extern const Fake<T> fake;

template <class T>
struct FieldAddress {
  const T* pointer;
};
template <class T>
FieldAddress(const T*) -> FieldAddress<T>;

template <class T, std::size_t... I>
consteval auto make_field_names(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{last_identifier(
      spelled_value<FieldAddress{&std::get<I>(tie_fields<sizeof...(I)>(fake<T>.value))}>())...};
}
#pragma GCC diagnostic pop

}  // namespace detail

/// The names of the fields of a plain struct, in the order of their declaration.
template <class T>
inline constexpr auto field_names =
    detail::make_field_names<T>(std::make_index_sequence<field_count<T>>());

}  // namespace troupe

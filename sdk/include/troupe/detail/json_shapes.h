#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <troupe/fields.h>
#include <troupe/json_reader.h>
#include <troupe/json_writer.h>
#include <troupe/time.h>

// What JSON makes of a type, decided by its shape, so that no container's header is needed here.
namespace troupe::detail {

template <class T>
concept WritesItself = requires(JsonWriter& out, const T& value) { write_json(out, value); };
template <class T>
concept ReadsItself = requires(const JsonReader& in, T& value) {
  { read_json(in, value) } -> std::same_as<bool>;
};

template <class T>
concept Character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                    std::same_as<T, char16_t> || std::same_as<T, char32_t>;
template <class T>
concept Integer =
    std::integral<T> && !std::same_as<T, bool> && !Character<T> && sizeof(T) <= sizeof(long long);
template <class T>
concept Float = std::same_as<T, float> || std::same_as<T, double>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_optional<std::unique_ptr<T>> = !std::is_array_v<T>;
template <class T>
concept Optional = is_optional<T>;

template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;
template <class T>
inline constexpr bool is_wall_time = false;
template <class D>
inline constexpr bool is_wall_time<std::chrono::sys_time<D>> = true;

template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t N>
inline constexpr bool is_array<std::array<T, N>> = true;

template <class T>
concept TupleLike = !is_array<T> && requires { std::tuple_size<T>::value; };

// Whatever holds a number of values that can be added one by one, at the end or where they belong.
template <class T>
concept Sequence = requires(T& values, typename T::value_type value) {
  values.begin() != values.end();
  values.clear();
  values.insert(values.end(), std::move(value));
};
template <class T>
concept Map = requires(T& map, typename T::key_type key, typename T::mapped_type value) {
  map.begin() != map.end();
  map.clear();
  map.insert_or_assign(std::move(key), std::move(value));
};
// An unordered container is written in the order of its keys.
template <class T>
concept Unordered = requires(const T& values) { values.hash_function(); };

template <class T>
concept MapKey = std::same_as<T, std::string> || Integer<T> || FixedEnum<T>;

template <class K>
consteval bool check_map_key() {
  constexpr bool kIsKey = MapKey<K>;
  static_assert(kIsKey, "troupe: a map's key must be a string, an integer or an enum");
  return kIsKey;
}

template <class>
inline constexpr bool is_refused = true;

// The reason why JSON cannot hold a `T`, one message for each mistake people make.
template <class T>
consteval void refuse() {
  if constexpr (std::is_pointer_v<T>) {
    static_assert(!is_refused<T>, "troupe: a pointer cannot be saved: use a value, or unique_ptr");
  } else if constexpr (std::is_reference_v<T>) {
    static_assert(!is_refused<T>, "troupe: a reference cannot be saved: use a value");
  } else if constexpr (std::is_array_v<T>) {
    static_assert(!is_refused<T>, "troupe: a field is a C array: use std::array or std::vector");
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    static_assert(!is_refused<T>, "troupe: a string_view owns nothing: use std::string");
  } else if constexpr (Character<T>) {
    static_assert(!is_refused<T>, "troupe: char is ambiguous: use std::string or std::int8_t");
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(!is_refused<T>, "troupe: give the enum a type: `enum class E` or `enum E : int`");
  } else if constexpr (std::is_union_v<T>) {
    static_assert(!is_refused<T>, "troupe: a union does not say what it holds: use std::optional");
  } else {
    static_assert(!is_refused<T>,
                  "troupe: this type cannot be saved as JSON: use a plain struct, or write "
                  "write_json and read_json for it (troupe/json.h)");
  }
}

template <class T>
concept PlainStruct = std::is_class_v<T> && std::is_aggregate_v<T> && !is_array<T>;

template <class E>
constexpr std::string_view enum_name(E value) {
  for (const EnumName& name : enum_names<E>) {
    if (name.value == static_cast<long long>(value)) return name.name;
  }
  return {};
}

template <class R, class P>
constexpr bool to_nanoseconds(std::chrono::duration<R, P> duration, Nanoseconds& nanoseconds) {
  static_assert(1'000'000'000 % P::den == 0, "troupe: a duration finer than nanoseconds");
  if constexpr (std::is_floating_point_v<R>) {
    const double exact = static_cast<double>(duration.count()) * static_cast<double>(P::num) *
                         (1e9 / static_cast<double>(P::den));
    if (!(exact > -9e27 && exact < 9e27)) return false;
    nanoseconds = static_cast<Nanoseconds>(exact + (exact < 0 ? -0.5 : 0.5));
  } else {
    static_assert(sizeof(R) <= sizeof(long long));
    nanoseconds = static_cast<Nanoseconds>(duration.count()) * P::num * (1'000'000'000 / P::den);
  }
  return true;
}

// False if the duration cannot hold them: out of range, or finer than it is.
template <class R, class P>
constexpr bool from_nanoseconds(Nanoseconds nanoseconds, std::chrono::duration<R, P>& duration) {
  if constexpr (std::is_floating_point_v<R>) {
    duration = std::chrono::duration<R, P>(
        static_cast<R>(static_cast<double>(nanoseconds) / 1e9 * static_cast<double>(P::den) /
                       static_cast<double>(P::num)));
  } else {
    const Nanoseconds unit = static_cast<Nanoseconds>(P::num) * (1'000'000'000 / P::den);
    const Nanoseconds count = nanoseconds / unit;
    if (count * unit != nanoseconds || count != static_cast<R>(count)) return false;
    duration = std::chrono::duration<R, P>(static_cast<R>(count));
  }
  return true;
}

}  // namespace troupe::detail

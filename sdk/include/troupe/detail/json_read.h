#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <troupe/detail/json_shapes.h>
#include <troupe/fields.h>
#include <troupe/json_reader.h>

namespace troupe::detail {

template <class T>
bool read_value(const JsonReader& in, T& value);

template <class T>
bool read_field(const JsonReader& in, std::string_view name, T& value) {
  return !in || read_value(in, value) || in.locate_field(name);
}

template <class T>
bool read_struct(const JsonReader& in, T& value) {
  std::array<JsonReader, field_count<T>> found;
  if (!in.read_fields(field_names<T>, found.data())) return false;
  return [&]<std::size_t... I>(std::index_sequence<I...>, const auto& tied) {
    return (read_field(found[I], field_names<T>[I], std::get<I>(tied)) && ...);
  }(std::make_index_sequence<field_count<T>>(), fields(value));
}

// The items of an array that must have `count`.
inline bool read_exactly(const JsonReader& in, std::size_t count, JsonItems& items) {
  if (!in.read_items(items)) return false;
  return items.size() == count || in.fail("expected an array of " + std::to_string(count) +
                                          ", got one of " + std::to_string(items.size()));
}

template <class T>
bool read_next(JsonItems& items, std::size_t index, T& value) {
  JsonReader item;
  items.next(item);
  return read_value(item, value) || item.locate_index(index);
}

template <class T>
bool read_tuple(const JsonReader& in, T& value) {
  JsonItems items;
  if (!read_exactly(in, std::tuple_size_v<T>, items)) return false;
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (read_next(items, I, std::get<I>(value)) && ...);
  }(std::make_index_sequence<std::tuple_size_v<T>>());
}

template <class T>
bool read_array(const JsonReader& in, T& values) {
  JsonItems items;
  if (!read_exactly(in, values.size(), items)) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!read_next(items, i, values[i])) return false;
  }
  return true;
}

template <class T>
bool read_sequence(const JsonReader& in, T& values) {
  JsonItems items;
  if (!in.read_items(items)) return false;
  values.clear();
  if constexpr (requires { values.reserve(items.size()); }) values.reserve(items.size());
  JsonReader item;
  for (std::size_t index = 0; items.next(item); ++index) {
    typename T::value_type value{};
    if (!read_value(item, value)) return item.locate_index(index);
    values.insert(values.end(), std::move(value));
  }
  return true;
}

// The whole of `text` as a decimal integer.
bool parse_integer(std::string_view text, std::int64_t& value);
bool parse_integer(std::string_view text, std::uint64_t& value);

template <class T>
bool integer_in(std::string_view text, T& value) {
  std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide = 0;
  if (!parse_integer(text, wide)) return false;
  value = static_cast<T>(wide);
  return static_cast<decltype(wide)>(value) == wide;
}

template <class E>
bool enum_named(std::string_view text, E& value) {
  for (const EnumName& name : enum_names<E>) {
    if (name.name == text) {
      value = static_cast<E>(name.value);
      return true;
    }
  }
  std::underlying_type_t<E> number{};
  if (!integer_in(text, number)) return false;
  value = static_cast<E>(number);
  return true;
}

template <class K>
bool read_key(const JsonReader& in, std::string_view text, K& key) {
  if constexpr (Integer<K>) {
    return integer_in(text, key) || in.fail("expected keys that are integers in range");
  } else if constexpr (FixedEnum<K>) {
    return enum_named(text, key) ||
           in.fail("expected keys that are names of " + std::string(type_name<K>));
  } else {
    key = text;
    return true;
  }
}

template <class T>
bool read_map(const JsonReader& in, T& map) {
  JsonMembers members;
  if (!in.read_members(members)) return false;
  map.clear();
  std::string_view name;
  JsonReader member;
  while (members.next(name, member)) {
    typename T::key_type key{};
    typename T::mapped_type value{};
    if (!read_key(member, name, key) || !read_value(member, value)) return member.locate_key(name);
    map.insert_or_assign(std::move(key), std::move(value));
  }
  return true;
}

template <class T>
bool read_optional(const JsonReader& in, T& value) {
  if (in.kind() == JsonKind::kNull) {
    value.reset();
    return true;
  }
  if constexpr (requires { value.emplace(); }) {
    return read_value(in, value.emplace());
  } else {
    value = std::make_unique<typename T::element_type>();
    return read_value(in, *value);
  }
}

template <class T>
bool read_integer(const JsonReader& in, T& value) {
  using Limits = std::numeric_limits<T>;
  std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide = 0;
  if constexpr (std::is_signed_v<T>) {
    if (!in.read_integer(wide, Limits::min(), Limits::max())) return false;
  } else {
    if (!in.read_integer(wide, Limits::max())) return false;
  }
  value = static_cast<T>(wide);
  return true;
}

template <class T>
bool read_enum(const JsonReader& in, T& value) {
  static_assert(!enum_names<T>.empty(), "troupe: no name of this enum is found: see enum_names");
  if (in.kind() == JsonKind::kInteger) {
    std::underlying_type_t<T> number{};
    if (!read_value(in, number)) return false;
    value = static_cast<T>(number);
    return true;
  }
  std::string_view text;
  if (in.kind() == JsonKind::kString && in.read_string(text) && enum_named(text, value)) {
    return true;
  }
  return in.expected("a name of " + std::string(type_name<T>));
}

template <class T>
bool read_duration(const JsonReader& in, T& value) {
  Nanoseconds nanoseconds = 0;
  if (!in.read_duration(nanoseconds)) return false;
  return from_nanoseconds(nanoseconds, value) ||
         in.fail("expected a duration in range and in whole units of its type");
}

template <class T>
bool read_wall_time(const JsonReader& in, T& value) {
  Nanoseconds since_1970 = 0;
  if (!in.read_wall_time(since_1970)) return false;
  using Unit = typename T::duration;
  const Nanoseconds unit = Nanoseconds{Unit::period::num} * (1'000'000'000 / Unit::period::den);
  const Nanoseconds finer = (since_1970 % unit + unit) % unit;
  Unit since{};
  if (!from_nanoseconds(since_1970 - finer, since)) return in.fail("expected a time in range");
  value = T(since);
  return true;
}

template <class T>
bool read_value(const JsonReader& in, T& value) {
  if constexpr (ReadsItself<T>) {
    return read_json(in, value);
  } else if constexpr (std::same_as<T, bool>) {
    return in.read_boolean(value);
  } else if constexpr (Integer<T>) {
    return read_integer(in, value);
  } else if constexpr (Float<T>) {
    return in.read_number(value);
  } else if constexpr (std::same_as<T, std::string>) {
    std::string_view text;
    if (!in.read_string(text)) return false;
    value = text;
    return true;
  } else if constexpr (FixedEnum<T>) {
    return read_enum(in, value);
  } else if constexpr (Optional<T>) {
    return read_optional(in, value);
  } else if constexpr (is_duration<T>) {
    return read_duration(in, value);
  } else if constexpr (is_wall_time<T>) {
    return read_wall_time(in, value);
  } else if constexpr (Map<T>) {
    if constexpr (check_map_key<typename T::key_type>()) return read_map(in, value);
    return false;
  } else if constexpr (Sequence<T>) {
    return read_sequence(in, value);
  } else if constexpr (is_array<T>) {
    return read_array(in, value);
  } else if constexpr (TupleLike<T>) {
    return read_tuple(in, value);
  } else if constexpr (PlainStruct<T>) {
    return read_struct(in, value);
  } else {
    refuse<T>();
    return false;
  }
}

}  // namespace troupe::detail

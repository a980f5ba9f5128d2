#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <troupe/detail/json_shapes.h>
#include <troupe/fields.h>
#include <troupe/json_writer.h>

namespace troupe::detail {

template <class T>
void write_value(JsonWriter& out, const T& value);

template <class T>
bool write_member(JsonWriter& out, std::string_view name, const T& value) {
  write_value(out, value);
  if (out.failed()) out.locate(name);
  return !out.failed();
}

template <class T>
void write_struct(JsonWriter& out, const T& value) {
  out.begin_object();
  [&]<std::size_t... I>(std::index_sequence<I...>, const auto& tied) {
    (void)((out.field(field_names<T>[I]),
            write_member(out, field_names<T>[I], std::get<I>(tied))) &&
           ...);
  }(std::make_index_sequence<field_count<T>>(), fields(value));
  out.end_object();
}

template <class T>
bool write_element(JsonWriter& out, std::size_t index, const T& value) {
  write_value(out, value);
  if (out.failed()) out.locate(index);
  return !out.failed();
}

template <class T>
void write_tuple(JsonWriter& out, const T& value) {
  out.begin_array();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)(write_element(out, I, std::get<I>(value)) && ...);
  }(std::make_index_sequence<std::tuple_size_v<T>>());
  out.end_array();
}

template <class K>
decltype(auto) key_text(const K& key) {
  if constexpr (Integer<K>) {
    return std::to_string(key);
  } else if constexpr (FixedEnum<K>) {
    const std::string_view name = enum_name(key);
    return name.empty() ? std::to_string(static_cast<std::underlying_type_t<K>>(key))
                        : std::string(name);
  } else {
    return (key);
  }
}

template <class M>
constexpr auto& sort_key(const M& entry) {
  if constexpr (requires { entry.second; })
    return entry.first;
  else
    return entry;
}

// The elements of an unordered container by rising key, those of any other as they come.
template <class T, class F>
void for_each_in_order(const T& values, F&& visit) {
  if constexpr (Unordered<T>) {
    std::vector<const typename T::value_type*> sorted;
    sorted.reserve(values.size());
    for (const auto& value : values) sorted.push_back(&value);
    std::sort(sorted.begin(), sorted.end(),
              [](const auto* a, const auto* b) { return sort_key(*a) < sort_key(*b); });
    for (const auto* value : sorted) visit(*value);
  } else {
    for (const auto& value : values) visit(value);
  }
}

template <class T>
void write_map(JsonWriter& out, const T& map) {
  out.begin_object();
  for_each_in_order(map, [&](const auto& entry) {
    if (out.failed()) return;
    const auto& key = key_text(entry.first);
    out.key(key);
    write_member(out, key, entry.second);
  });
  out.end_object();
}

template <class T>
void write_sequence(JsonWriter& out, const T& values) {
  using Element = std::remove_cvref_t<decltype(*values.begin())>;
  out.begin_array();
  std::size_t index = 0;
  for_each_in_order(values, [&](const Element& value) {
    if (!out.failed()) write_element(out, index++, value);
  });
  out.end_array();
}

template <class T>
void write_enum(JsonWriter& out, T value) {
  const std::string_view name = enum_name(value);
  name.empty() ? write_value(out, static_cast<std::underlying_type_t<T>>(value)) : out.string(name);
}

template <class T>
void write_duration(JsonWriter& out, const T& value) {
  Nanoseconds nanoseconds = 0;
  to_nanoseconds(value, nanoseconds) ? out.duration(nanoseconds)
                                     : out.fail("is a duration out of range");
}

template <class T>
void write_value(JsonWriter& out, const T& value) {
  if constexpr (WritesItself<T>) {
    write_json(out, value);
  } else if constexpr (std::same_as<T, bool>) {
    out.boolean(value);
  } else if constexpr (Integer<T>) {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    out.integer(static_cast<Wide>(value));
  } else if constexpr (Float<T>) {
    out.number(value);
  } else if constexpr (std::same_as<T, std::string>) {
    out.string(value);
  } else if constexpr (FixedEnum<T>) {
    write_enum(out, value);
  } else if constexpr (Optional<T>) {
    value ? write_value(out, *value) : out.null();
  } else if constexpr (is_duration<T>) {
    write_duration(out, value);
  } else if constexpr (is_wall_time<T>) {
    Nanoseconds since_1970 = 0;
    to_nanoseconds(value.time_since_epoch(), since_1970);
    out.wall_time(since_1970);
  } else if constexpr (Map<T>) {
    if constexpr (check_map_key<typename T::key_type>()) write_map(out, value);
  } else if constexpr (Sequence<T> || is_array<T>) {
    write_sequence(out, value);
  } else if constexpr (TupleLike<T>) {
    write_tuple(out, value);
  } else if constexpr (PlainStruct<T>) {
    write_struct(out, value);
  } else {
    refuse<T>();
  }
}

}  // namespace troupe::detail

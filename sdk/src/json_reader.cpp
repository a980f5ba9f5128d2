#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <simdjson.h>

#include "sdk/src/json_path.h"
#include "sdk/src/text_formats.h"
#include <troupe/json_reader.h>

namespace troupe {
namespace {

namespace dom = simdjson::dom;
using detail::JsonElement;
using detail::Nanoseconds;

// The library's handles are two words without an owner, so they fit into ours.
template <class Handle>
JsonElement wrap(const Handle& handle) {
  return std::bit_cast<JsonElement>(handle);
}
template <class Handle>
Handle unwrap(const JsonElement& element) {
  return std::bit_cast<Handle>(element);
}
dom::element value_of(const JsonElement& element) { return unwrap<dom::element>(element); }

template <class I>
bool parse_whole(std::string_view text, I& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Whole numbers up to 2^53 may come as 3.0 or 1e3.
bool whole(double number, std::int64_t& value) {
  if (!(std::abs(number) <= 9007199254740992.0) || std::trunc(number) != number) return false;
  value = static_cast<std::int64_t>(number);
  return true;
}

std::string describe(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE:
      return "null";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::INT64:
      return std::to_string(value.get_int64().value_unsafe());
    case dom::element_type::UINT64:
      return std::to_string(value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE: {
      std::array<char, 32> buffer;
      const auto end =
          std::to_chars(buffer.begin(), buffer.end(), value.get_double().value_unsafe());
      return {buffer.begin(), end.ptr};
    }
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::ARRAY:
      return "an array";
    case dom::element_type::OBJECT:
      return "an object";
  }
  return "something else";
}

void write_element(JsonWriter& out, const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE:
      return out.null();
    case dom::element_type::BOOL:
      return out.boolean(value.get_bool().value_unsafe());
    case dom::element_type::INT64:
      return out.integer(value.get_int64().value_unsafe());
    case dom::element_type::UINT64:
      return out.integer(value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
      return out.number(value.get_double().value_unsafe());
    case dom::element_type::STRING:
      return out.string(value.get_string().value_unsafe());
    case dom::element_type::ARRAY: {
      // Named: a loop over a part of a temporary outlives it.
      const dom::array items = value.get_array().value_unsafe();
      out.begin_array();
      for (const dom::element item : items) write_element(out, item);
      return out.end_array();
    }
    case dom::element_type::OBJECT: {
      const dom::object members = value.get_object().value_unsafe();
      out.begin_object();
      for (const auto [key, member] : members) {
        out.key(key);
        write_element(out, member);
      }
      return out.end_object();
    }
  }
}

}  // namespace

namespace detail {

bool parse_integer(std::string_view text, std::int64_t& value) { return parse_whole(text, value); }
bool parse_integer(std::string_view text, std::uint64_t& value) { return parse_whole(text, value); }

}  // namespace detail

JsonKind JsonReader::kind() const {
  switch (value_of(element_).type()) {
    case dom::element_type::NULL_VALUE:
      return JsonKind::kNull;
    case dom::element_type::BOOL:
      return JsonKind::kBoolean;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return JsonKind::kInteger;
    case dom::element_type::DOUBLE:
      return JsonKind::kNumber;
    case dom::element_type::STRING:
      return JsonKind::kString;
    case dom::element_type::ARRAY:
      return JsonKind::kArray;
    case dom::element_type::OBJECT:
      return JsonKind::kObject;
  }
  return JsonKind::kNull;
}

bool JsonReader::read_boolean(bool& value) const {
  return value_of(element_).get_bool().get(value) == simdjson::SUCCESS || expected("a boolean");
}

bool JsonReader::read_integer(std::int64_t& value, std::int64_t min, std::int64_t max) const {
  const dom::element element = value_of(element_);
  bool known = element.get_int64().get(value) == simdjson::SUCCESS;
  if (!known && element.is_double()) known = whole(element.get_double().value_unsafe(), value);
  if (!known && element.is_string()) {
    known = parse_whole(element.get_string().value_unsafe(), value);
  }
  if (known && value >= min && value <= max) return true;
  if (!known && !element.is_uint64()) return expected("an integer");
  return expected("an integer from " + std::to_string(min) + " to " + std::to_string(max));
}

bool JsonReader::read_integer(std::uint64_t& value, std::uint64_t max) const {
  const dom::element element = value_of(element_);
  bool known = element.get_uint64().get(value) == simdjson::SUCCESS;
  std::int64_t number = 0;
  if (!known && element.is_double() && whole(element.get_double().value_unsafe(), number) &&
      number >= 0) {
    known = true;
    value = static_cast<std::uint64_t>(number);
  }
  if (!known && element.is_string()) {
    known = parse_whole(element.get_string().value_unsafe(), value);
  }
  if (known && value <= max) return true;
  if (!known && !element.is_int64()) return expected("an integer");
  return expected("an integer from 0 to " + std::to_string(max));
}

bool JsonReader::read_number(double& value) const {
  return value_of(element_).get_double().get(value) == simdjson::SUCCESS || expected("a number");
}

bool JsonReader::read_number(float& value) const {
  constexpr double kMax = 3.4028235677973366e38;  // what is below rounds to the largest float
  double wide = 0;
  if (!read_number(wide)) return false;
  if (!(std::abs(wide) < kMax)) return expected("a number in the range of float");
  value = static_cast<float>(wide);
  return true;
}

bool JsonReader::read_string(std::string_view& text) const {
  return value_of(element_).get_string().get(text) == simdjson::SUCCESS || expected("a string");
}

bool JsonReader::read_bytes(std::string& bytes) const {
  std::string_view text;
  if (value_of(element_).get_string().get(text) != simdjson::SUCCESS) {
    return expected("a string in base64");
  }
  return detail::parse_base64(text, bytes) || fail("expected base64, got another string");
}

bool JsonReader::read_duration(Nanoseconds& value) const {
  const dom::element element = value_of(element_);
  constexpr Nanoseconds kMillisecond = 1'000'000;
  std::int64_t count = 0;
  if (element.get_int64().get(count) == simdjson::SUCCESS) {
    value = count * kMillisecond;
    return true;
  }
  double number = 0;
  if (element.get_double().get(number) == simdjson::SUCCESS && std::abs(number) < 1e19) {
    value = static_cast<Nanoseconds>(std::round(number * 1e6));
    return true;
  }
  std::string_view text;
  if (element.get_string().get(text) == simdjson::SUCCESS && detail::parse_duration(text, value)) {
    return true;
  }
  return expected("a duration like \"1.5s\" or a number of milliseconds");
}

bool JsonReader::read_wall_time(Nanoseconds& since_1970) const {
  std::string_view text;
  if (value_of(element_).get_string().get(text) == simdjson::SUCCESS &&
      detail::parse_wall_time(text, since_1970)) {
    return true;
  }
  return expected("a time like \"2024-02-29T12:00:00Z\"");
}

bool JsonReader::read_raw(std::string& json) const {
  JsonWriter out;
  write_element(out, value_of(element_));
  Result<std::string> text = out.finish();
  if (!text) return fail(text.error().message);
  json = std::move(*text);
  return true;
}

bool JsonReader::read_items(JsonItems& items) const {
  dom::array array;
  if (value_of(element_).get_array().get(array) != simdjson::SUCCESS) return expected("an array");
  items.at_ = wrap(array.begin());
  items.end_ = wrap(array.end());
  items.size_ = array.size();
  items.failure_ = failure_;
  return true;
}

bool JsonReader::read_members(JsonMembers& members) const {
  dom::object object;
  if (value_of(element_).get_object().get(object) != simdjson::SUCCESS) {
    return expected("an object");
  }
  members.at_ = wrap(object.begin());
  members.end_ = wrap(object.end());
  members.failure_ = failure_;
  return true;
}

bool JsonReader::read_fields(std::span<const std::string_view> names, JsonReader* found) const {
  dom::object object;
  if (value_of(element_).get_object().get(object) != simdjson::SUCCESS) {
    return expected("an object");
  }
  std::size_t next = 0;  // members mostly come in the order of the fields
  for (const auto [key, member] : object) {
    for (std::size_t tried = 0; tried < names.size(); ++tried) {
      if (next == names.size()) next = 0;
      if (names[next++] != key) continue;
      found[next - 1] = JsonReader(wrap(member), failure_);
      break;
    }
  }
  return true;
}

bool JsonReader::fail(std::string_view why) const {
  failure_->path.clear();
  failure_->why = why;
  return false;
}

bool JsonReader::expected(std::string_view wanted) const {
  return fail("expected " + std::string(wanted) + ", got " + describe(value_of(element_)));
}

bool JsonReader::locate_field(std::string_view name) const {
  failure_->path = "." + std::string(name) + failure_->path;
  return false;
}

bool JsonReader::locate_key(std::string_view key) const {
  failure_->path = "[\"" + detail::shown(key) + "\"]" + failure_->path;
  return false;
}

bool JsonReader::locate_index(std::size_t index) const {
  failure_->path = "[" + std::to_string(index) + "]" + failure_->path;
  return false;
}

bool JsonItems::next(JsonReader& item) {
  auto at = unwrap<dom::array::iterator>(at_);
  if (!(at != unwrap<dom::array::iterator>(end_))) return false;
  item = JsonReader(wrap(*at), failure_);
  ++at;
  at_ = wrap(at);
  return true;
}

bool JsonMembers::next(std::string_view& key, JsonReader& value) {
  auto at = unwrap<dom::object::iterator>(at_);
  if (!(at != unwrap<dom::object::iterator>(end_))) return false;
  key = at.key();
  value = JsonReader(wrap(at.value()), failure_);
  ++at;
  at_ = wrap(at);
  return true;
}

}  // namespace troupe

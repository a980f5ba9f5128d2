#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/bytes.h>
#include <troupe/detail/json_read.h>
#include <troupe/detail/json_write.h>
#include <troupe/json_reader.h>
#include <troupe/json_writer.h>
#include <troupe/result.h>

/// Plain values to JSON and back.
///
/// | C++ | JSON |
/// |---|---|
/// | bool, std::string | the same; strings are UTF-8 |
/// | integers | number, all 64 bits; read also from a string, and from 3.0 |
/// | float, double | number, the shortest that reads back the same; never NaN or infinity |
/// | enum class | its name, or its number outside of enum_names; read from both |
/// | std::optional, std::unique_ptr | null or the value |
/// | vector, deque, list, set, unordered_set, std::array, pair, tuple | array |
/// | map, unordered_map by string, integer or enum | object; unordered ones sorted by key |
/// | chrono durations | "1h30m0s", "1.5s", "20ms" as in Go; read also from a number: milliseconds |
/// | WallTime and other sys_time | "2024-02-29T12:00:00.5Z" (RFC 3339); read with any offset |
/// | Bytes | string in base64 |
/// | Json | any value, kept as text |
/// | plain struct (troupe/fields.h) | object by field names, in the order of declaration |
///
/// Equal values give equal bytes. Reading ignores unknown fields, leaves missing ones at their
/// default, and takes the last of two with the same name.
///
/// A type of its own is added by two functions beside it, in its namespace:
///
///     void write_json(troupe::JsonWriter& out, const Money& money) { out.write(money.cents); }
///     bool read_json(const troupe::JsonReader& in, Money& money) { return in.read(money.cents); }
namespace troupe {

/// A JSON value whose shape is not known when the program is compiled: canonical text, `null` at
/// first. Numbers keep their value, not their spelling; objects keep their order.
class Json {
 public:
  Json() = default;
  /// Errors: kInvalid if `text` is not JSON.
  static Result<Json> parse(std::string_view text);
  /// Throws std::invalid_argument as to_json() does.
  template <class T>
  static Json of(const T& value);

  const std::string& text() const { return text_; }
  /// The value as a `T`, as from_json() does.
  template <class T>
  Result<T> as() const;

  friend bool operator==(const Json&, const Json&) = default;

 private:
  friend bool read_json(const JsonReader& in, Json& json) { return in.read_raw(json.text_); }

  std::string text_ = "null";
};

inline void write_json(JsonWriter& out, const Json& json) { out.raw(json.text()); }
inline void write_json(JsonWriter& out, const Bytes& bytes) { out.bytes(bytes.data); }
inline bool read_json(const JsonReader& in, Bytes& bytes) { return in.read_bytes(bytes.data); }

template <class T>
void JsonWriter::write(const T& value) {
  detail::write_value(*this, value);
}

template <class T>
bool JsonReader::read(T& value) const {
  return detail::read_value(*this, value);
}

/// `value` as canonical JSON, or why it has none: kInvalid, "items[3].price: is NaN ...".
template <class T>
Result<std::string> try_to_json(const T& value) {
  JsonWriter out;
  out.write(value);
  return out.finish();
}

/// The same for code that throws: std::invalid_argument with that message.
template <class T>
std::string to_json(const T& value) {
  Result<std::string> text = try_to_json(value);
  if (!text) throw std::invalid_argument(text.error().message);
  return std::move(*text);
}

/// Reads a value of a type that can be made without arguments. Errors: kInvalid if `text` is not
/// one JSON value, or of another shape: "items[3].price: expected an integer, got a string".
template <class T>
Result<T> from_json(std::string_view text) {
  JsonDocument document(text);
  const JsonReader root = document.root();
  T value{};
  if (!root || !root.read(value)) return document.failure();
  return value;
}

template <class T>
Json Json::of(const T& value) {
  Json json;
  json.text_ = to_json(value);
  return json;
}

template <class T>
Result<T> Json::as() const {
  return from_json<T>(text_);
}

}  // namespace troupe

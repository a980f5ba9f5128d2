#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <troupe/json_writer.h>
#include <troupe/result.h>

namespace troupe {

/// The longest JSON text that is read.
inline constexpr std::size_t kJsonBytesMax = 16 << 20;

enum class JsonKind : std::uint8_t { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };

namespace detail {

// Where reading failed and why; shared by all readers of one document.
struct JsonFailure {
  std::string path;
  std::string why;
};

// A value in the library's parsed document, by its own type.
struct alignas(8) JsonElement {
  std::array<std::byte, 16> opaque{};
};

}  // namespace detail

class JsonItems;
class JsonMembers;

/// One value of a JSON text that is being read; cheap to copy.
///
/// The calls that read return false after noting the reason, as in "expected an integer, got a
/// string"; the caller then returns false too, and the path to the value is added on the way up.
/// Readers live no longer than the call of from_json() they belong to, and so do the views they
/// give.
class JsonReader {
 public:
  JsonReader() = default;
  JsonReader(detail::JsonElement element, detail::JsonFailure* failure)
      : element_(element), failure_(failure) {}

  /// False for one made without arguments, which stands for a field that is missing.
  explicit operator bool() const { return failure_ != nullptr; }
  JsonKind kind() const;

  /// Any type that troupe/json.h knows; requires that header.
  template <class T>
  bool read(T& value) const;

  bool read_boolean(bool& value) const;
  /// A number without a fraction, or the same as a string: 64 bits do not fit into JavaScript's
  /// numbers. What lies outside of [min, max] is refused.
  bool read_integer(std::int64_t& value, std::int64_t min, std::int64_t max) const;
  bool read_integer(std::uint64_t& value, std::uint64_t max) const;
  bool read_number(double& value) const;
  bool read_number(float& value) const;
  /// The view is UTF-8, may contain zero bytes, and lives as long as this reader.
  bool read_string(std::string_view& text) const;
  /// From base64: the standard alphabet, padded or not.
  bool read_bytes(std::string& bytes) const;
  /// A string as Go writes it ("1h30m", "1.5s", "20ms", "5us", "7ns", "-3s"), or a number: so many
  /// milliseconds.
  bool read_duration(detail::Nanoseconds& value) const;
  /// RFC 3339 with any offset, as nanoseconds since 1970; finer digits are cut off.
  bool read_wall_time(detail::Nanoseconds& since_1970) const;
  /// Any value, as canonical text.
  bool read_raw(std::string& json) const;

  /// The elements of an array, or the members of an object: otherwise false.
  bool read_items(JsonItems& items) const;
  bool read_members(JsonMembers& members) const;
  /// The members of an object that bear these names; of two with the same name, the last. Requires
  /// as many `found` as `names`; those not there are left as they are.
  bool read_fields(std::span<const std::string_view> names, JsonReader* found) const;

  /// Gives up, and returns false. `why` says what is wrong, as in "expected a colour".
  bool fail(std::string_view why) const;
  /// fail() with "expected <wanted>, got <what is here>".
  bool expected(std::string_view wanted) const;
  /// While a failure is handed up: it happened in this field, this member, or at this index. All
  /// return false.
  bool locate_field(std::string_view name) const;
  bool locate_key(std::string_view key) const;
  bool locate_index(std::size_t index) const;

 private:
  detail::JsonElement element_;
  detail::JsonFailure* failure_ = nullptr;
};

/// The elements of an array, one after the other.
class JsonItems {
 public:
  /// False at the end.
  bool next(JsonReader& item);
  std::size_t size() const { return size_; }

 private:
  friend class JsonReader;
  detail::JsonElement at_;
  detail::JsonElement end_;
  std::size_t size_ = 0;
  detail::JsonFailure* failure_ = nullptr;
};

/// The members of an object in the order of the text, those with the same name included.
class JsonMembers {
 public:
  /// False at the end.
  bool next(std::string_view& key, JsonReader& value);

 private:
  friend class JsonReader;
  detail::JsonElement at_;
  detail::JsonElement end_;
  detail::JsonFailure* failure_ = nullptr;
};

/// A text that has been parsed: UTF-8, one value, nothing after it, at most kJsonBytesMax long and
/// kJsonDepthMax deep (not counting an empty array or object), integers of at most 64 bits. Keeps a
/// copy. Belongs to one thread.
class JsonDocument {
 public:
  explicit JsonDocument(std::string_view text);
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  /// The whole value; none (false) if the text is not JSON.
  JsonReader root();
  /// Why the text is not JSON, or why reading from root() failed.
  Failure failure() const;

 private:
  struct Parser;
  struct Parsers;
  std::unique_ptr<Parser> parser_;
  detail::JsonElement root_;
  bool parsed_ = false;
  detail::JsonFailure failure_;
};

}  // namespace troupe

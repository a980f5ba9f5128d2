#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <troupe/result.h>

namespace troupe {

/// How deep arrays and objects may nest, in what is written and in what is read.
inline constexpr int kJsonDepthMax = 64;

namespace detail {
// Wide enough for any chrono duration.
__extension__ typedef __int128 Nanoseconds;  // NOLINT(modernize-use-using)
}  // namespace detail

/// Appends one JSON value to a text: canonical, without spaces, commas where they belong.
///
///     out.begin_object();
///     out.key("name");
///     out.write(item.name);
///     out.end_object();
///
/// What JSON cannot say (NaN, a string that is not UTF-8, nesting beyond kJsonDepthMax) makes the
/// writer fail: it keeps the first reason, and the text is of no use. Calls must form one value; a
/// value is what write(), one of the calls named after a kind, or a begin and its end make. Not
/// thread-safe.
class JsonWriter {
 public:
  /// Appends to `prefix`, which is not looked at.
  explicit JsonWriter(std::string prefix = {});

  /// Any type that troupe/json.h knows; requires that header.
  template <class T>
  void write(const T& value);

  void null();
  void boolean(bool value);
  void integer(std::int64_t value);
  void integer(std::uint64_t value);
  /// The shortest text that reads back as the same number. Fails for NaN and infinities.
  void number(double value);
  void number(float value);
  /// Requires UTF-8, otherwise fails.
  void string(std::string_view text);
  /// As a string in base64.
  void bytes(std::string_view bytes);
  /// As Go prints it: "1h30m0s", "1.5s", "20ms", "5us", "0s".
  void duration(detail::Nanoseconds value);
  /// As RFC 3339 in UTC, given the time since 1970: "2024-02-29T12:00:00.5Z". Fails outside of the
  /// years 0 to 9999.
  void wall_time(detail::Nanoseconds since_1970);
  /// One value that is JSON already. Not checked.
  void raw(std::string_view json);

  void begin_array();
  void end_array();
  void begin_object();
  /// Comes before each value of an object.
  void key(std::string_view name);
  /// The same for an identifier, which needs neither a check nor escapes.
  void field(std::string_view name);
  void end_object();

  /// Gives up: `why` says what the value is, as in "is NaN, which JSON cannot say".
  void fail(std::string_view why);
  bool failed() const { return failed_; }
  /// While a failure is handed up: it happened in this field, or at this index.
  void locate(std::string_view field);
  void locate(std::size_t index);

  /// The text, or why there is none: "items[3].price: is NaN ...". Leaves the writer empty.
  Result<std::string> finish();

 private:
  void separate();
  void open(char bracket);

  std::string text_;
  std::size_t start_;
  int depth_ = 0;
  bool failed_ = false;
  std::string path_;
  std::string why_;
};

}  // namespace troupe

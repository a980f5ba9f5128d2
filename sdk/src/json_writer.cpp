#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

#include "sdk/src/json_path.h"
#include "sdk/src/text_formats.h"
#include <troupe/json_writer.h>

namespace troupe {
namespace {

// What to write after a backslash; 0 for a character that stays as it is, 'u' for \u00XX.
constexpr std::array<char, 256> escapes() {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}
constexpr auto kEscapes = escapes();

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (kEscapes[c] == 0) [[likely]]
      continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    out += '\\';
    out += kEscapes[c];
    if (kEscapes[c] == 'u') (out += "00") += {kHex[c >> 4], kHex[c & 15]};
  }
  out.append(text, copied);
  out += '"';
}

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

template <class F>
void append_number(std::string& out, F value) {
  constexpr F kExact = 9007199254740992.0;  // 2^53
  std::array<char, 32> buffer;
  // From there on as 1e+17, never as 100000000000000000, which readers take for an integer.
  const bool large = std::abs(value) >= kExact;
  const auto end =
      large ? std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific)
            : std::to_chars(buffer.begin(), buffer.end(), value);
  out.append(buffer.begin(), end.ptr);
  if (value == 0 && std::signbit(value)) out += ".0";  // -0 would be read as the integer 0
}

template <class I>
void append_integer(std::string& out, I value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value);
  out.append(buffer.begin(), end.ptr);
}

// How deep the brackets of a JSON text nest.
int depth_of(std::string_view json) {
  int depth = 0;
  int deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if (c == ']' || c == '}') --depth;
  }
  return deepest;
}

}  // namespace

JsonWriter::JsonWriter(std::string prefix) : text_(std::move(prefix)), start_(text_.size()) {}

void JsonWriter::separate() {
  if (text_.size() == start_) return;
  const char last = text_.back();
  if (last != '[' && last != '{' && last != ':') text_ += ',';
}

void JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  if (++depth_ > kJsonDepthMax) fail("nests deeper than " + std::to_string(kJsonDepthMax));
}

void JsonWriter::null() {
  separate();
  text_ += "null";
}

void JsonWriter::boolean(bool value) {
  separate();
  text_ += value ? "true" : "false";
}

void JsonWriter::integer(std::int64_t value) {
  separate();
  append_integer(text_, value);
}

void JsonWriter::integer(std::uint64_t value) {
  separate();
  append_integer(text_, value);
}

void JsonWriter::number(double value) {
  separate();
  if (!std::isfinite(value)) return fail("is NaN or infinite, which JSON cannot say");
  append_number(text_, value);
}

void JsonWriter::number(float value) {
  separate();
  if (!std::isfinite(value)) return fail("is NaN or infinite, which JSON cannot say");
  append_number(text_, value);
}

void JsonWriter::string(std::string_view text) {
  separate();
  if (!is_ascii(text) && !simdjson::validate_utf8(text.data(), text.size())) {
    return fail("is a string that is not UTF-8: use troupe::Bytes for bytes");
  }
  append_quoted(text_, text);
}

void JsonWriter::bytes(std::string_view bytes) {
  separate();
  text_ += '"';
  detail::append_base64(text_, bytes);
  text_ += '"';
}

void JsonWriter::duration(detail::Nanoseconds value) { string(detail::duration_text(value)); }

void JsonWriter::wall_time(detail::Nanoseconds since_1970) {
  const std::string text = detail::wall_time_text(since_1970);
  if (text.empty()) return fail("is a time outside of the years 0 to 9999");
  string(text);
}

void JsonWriter::raw(std::string_view json) {
  separate();
  if (depth_ + depth_of(json) > kJsonDepthMax) {
    return fail("nests deeper than " + std::to_string(kJsonDepthMax));
  }
  text_ += json;
}

void JsonWriter::begin_array() { open('['); }

void JsonWriter::end_array() {
  text_ += ']';
  --depth_;
}

void JsonWriter::begin_object() { open('{'); }

void JsonWriter::key(std::string_view name) {
  string(name);
  text_ += ':';
}

void JsonWriter::field(std::string_view name) {
  separate();
  ((text_ += '"') += name) += "\":";
}

void JsonWriter::end_object() {
  text_ += '}';
  --depth_;
}

void JsonWriter::fail(std::string_view why) {
  if (failed_) return;
  failed_ = true;
  why_ = why;
}

void JsonWriter::locate(std::string_view field) { path_ = "." + detail::shown(field) + path_; }

void JsonWriter::locate(std::size_t index) { path_ = "[" + std::to_string(index) + "]" + path_; }

Result<std::string> JsonWriter::finish() {
  if (failed_) return troupe::fail(Code::kInvalid, detail::at_path(path_, why_));
  return std::move(text_);
}

}  // namespace troupe

#pragma once

#include <string>
#include <string_view>

#include <troupe/json_writer.h>

// Values that JSON has no kind for, as strings. Each parse function takes the whole text or
// nothing.
namespace troupe::detail {

/// Base64 with the standard alphabet and padding.
void append_base64(std::string& out, std::string_view bytes);
/// Padding may be missing; bits beyond the last byte must be zero.
bool parse_base64(std::string_view text, std::string& bytes);

/// Go's format of durations: see JsonWriter::duration().
std::string duration_text(Nanoseconds value);
/// Go's format: a sign, then numbers with units (h, m, s, ms, us, ns), or "0".
bool parse_duration(std::string_view text, Nanoseconds& value);

/// RFC 3339 in UTC; empty outside of the years 0 to 9999.
std::string wall_time_text(Nanoseconds since_1970);
/// RFC 3339 with any offset, to the nanosecond.
bool parse_wall_time(std::string_view text, Nanoseconds& since_1970);

}  // namespace troupe::detail

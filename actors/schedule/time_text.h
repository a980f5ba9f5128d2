#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/schedule/calendar.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// Reads a duration as Go writes it: `1h30m`, `500ms`, `-1.5s`, `0`; units ns, us, µs, ms, s, m, h.
/// What is finer than a microsecond is rounded up, so that nothing is due too early and no length
/// becomes zero. At most 2^63 nanoseconds, as in Go.
Result<Duration> parse_go_duration(std::string_view text);

/// As Go prints it: `1h0m0s`, `1m30s`, `1.5s`, `500ms`, `20µs`, `0s`.
std::string format_go_duration(Duration length);

/// `R5/P1DT2H`: how often, and how long.
struct RepeatedStep {
  std::optional<std::uint32_t> repeats;  // none: not said
  CalendarStep step;

  friend bool operator==(const RepeatedStep&, const RepeatedStep&) = default;
};

/// Reads the part of ISO 8601 that Dapr reads: `P[nY][nM][nW][nD][T[nH][nM][nS]]`, in front of it
/// `R<n>/` or not; `R<n>` alone too. Whole numbers only, each part once, in any order.
Result<RepeatedStep> parse_iso_duration(std::string_view text);

/// A Go or an ISO 8601 duration.
Result<RepeatedStep> parse_duration(std::string_view text);

/// Reads `2026-11-22T20:07:45.123456789+01:00`. Rounded up to the microsecond.
Result<WallTime> parse_rfc3339(std::string_view text);

}  // namespace troupe

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/random.h"
#include <troupe/result.h>

namespace troupe {

/// Where a piece of work stands in a trace: W3C Trace Context, as the headers `traceparent` and
/// `tracestate` carry it. A plain value.
struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;  // the one whose children are being made
  bool sampled = false;    // whether spans are sent to a collector

  /// Whether it belongs to no trace.
  bool empty() const { return trace_high == 0 && trace_low == 0; }
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// Reads the header `traceparent`. Versions after 00 are read as far as 00 is known, as the
/// standard asks. kInvalid for all else: the caller then begins a trace of its own.
Result<TraceContext> parse_traceparent(std::string_view text);

/// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. Requires !empty().
std::string traceparent(const TraceContext& context);

/// 32 hexadecimal digits, as collectors want it.
std::string trace_id(const TraceContext& context);
/// 16 hexadecimal digits.
std::string span_id(const TraceContext& context);

/// The first span of a trace of its own.
TraceContext begin_trace(Random& random, bool sampled);

/// Another span of the trace of `parent`, sampled if that is. Requires !parent.empty().
TraceContext begin_child(const TraceContext& parent, Random& random);

/// Whether a header `tracestate` may be handed on: printable, at most 512 bytes and 32 members.
/// Otherwise it is left out, as the standard asks.
bool is_tracestate(std::string_view text);

}  // namespace troupe

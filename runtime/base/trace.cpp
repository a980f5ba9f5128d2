#include "runtime/base/trace.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "runtime/base/check.h"

namespace troupe {
namespace {

constexpr std::size_t kSize = 55;      // of version 00
constexpr std::size_t kSizeMax = 512;  // of later ones
constexpr std::size_t kStateSizeMax = 512;
constexpr std::ptrdiff_t kStateMembersMax = 32;

// Lower case only, as the standard asks.
std::optional<std::uint64_t> parse_hex(std::string_view digits) {
  static constexpr unsigned kNone = 0x100;
  static constexpr std::array<unsigned, 256> kValues = [] {
    std::array<unsigned, 256> values{};
    values.fill(kNone);
    for (unsigned i = 0; i < 10; ++i) values['0' + i] = i;
    for (unsigned i = 0; i < 6; ++i) values['a' + i] = 10 + i;
    return values;
  }();
  std::uint64_t number = 0;
  unsigned seen = 0;
  for (const char c : digits) {
    const unsigned digit = kValues[static_cast<unsigned char>(c)];
    seen |= digit;
    number = number << 4 | (digit & 0xF);
  }
  if ((seen & kNone) != 0) return std::nullopt;
  return number;
}

void put_hex(std::uint64_t number, char* digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < 16; ++i) digits[15 - i] = kDigits[number >> (4 * i) & 0xF];
}

std::string hex(std::uint64_t number) {
  std::string text(16, '0');
  put_hex(number, text.data());
  return text;
}

std::uint64_t not_zero(Random& random) {
  while (true) {
    if (const std::uint64_t number = random.next(); number != 0) return number;
  }
}

}  // namespace

Result<TraceContext> parse_traceparent(std::string_view text) {
  // version-trace-span-flags
  const auto refused = [] { return fail(Code::kInvalid, "improper traceparent"); };
  if (text.size() < kSize || text.size() > kSizeMax) return refused();
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return refused();
  const auto version = parse_hex(text.substr(0, 2));
  const auto high = parse_hex(text.substr(3, 16));
  const auto low = parse_hex(text.substr(19, 16));
  const auto span = parse_hex(text.substr(36, 16));
  const auto flags = parse_hex(text.substr(53, 2));
  if (!version || !high || !low || !span || !flags) return refused();
  if (*version == 0xFF || (*version == 0 && text.size() != kSize)) return refused();
  if (text.size() > kSize && text[kSize] != '-') return refused();
  const TraceContext context{
      .trace_high = *high, .trace_low = *low, .span = *span, .sampled = (*flags & 1) != 0};
  if (context.empty() || context.span == 0) return refused();
  return context;
}

std::string traceparent(const TraceContext& context) {
  check(!context.empty(), "only a trace has a traceparent");
  std::string text(kSize, '-');
  text.replace(0, 2, "00");
  put_hex(context.trace_high, &text[3]);
  put_hex(context.trace_low, &text[19]);
  put_hex(context.span, &text[36]);
  text.replace(53, 2, context.sampled ? "01" : "00");
  return text;
}

std::string trace_id(const TraceContext& context) {
  return hex(context.trace_high) + hex(context.trace_low);
}

std::string span_id(const TraceContext& context) { return hex(context.span); }

TraceContext begin_trace(Random& random, bool sampled) {
  return {.trace_high = random.next(),
          .trace_low = not_zero(random),
          .span = not_zero(random),
          .sampled = sampled};
}

TraceContext begin_child(const TraceContext& parent, Random& random) {
  check(!parent.empty(), "a child belongs to a trace");
  TraceContext child = parent;
  child.span = not_zero(random);
  return child;
}

bool is_tracestate(std::string_view text) {
  if (text.empty() || text.size() > kStateSizeMax) return false;
  const bool members = std::ranges::count(text, ',') < kStateMembersMax;
  return members &&
         std::ranges::all_of(text, [](char c) { return (c >= 0x20 && c < 0x7F) || c == '\t'; });
}

}  // namespace troupe

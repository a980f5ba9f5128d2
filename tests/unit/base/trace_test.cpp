#include "runtime/base/trace.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace troupe {
namespace {

const std::string kExample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(Trace, AHeaderIsReadAndWrittenAsItWas) {
  const TraceContext context = parse_traceparent(kExample).value();
  EXPECT_EQ(context.trace_high, 0x0af7651916cd43ddU);
  EXPECT_EQ(context.trace_low, 0x8448eb211c80319cU);
  EXPECT_EQ(context.span, 0xb7ad6b7169203331U);
  EXPECT_TRUE(context.sampled);
  EXPECT_EQ(traceparent(context), kExample);
  EXPECT_EQ(trace_id(context), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span_id(context), "b7ad6b7169203331");
}

TEST(Trace, FlagsWeDoNotKnowAreDropped) {
  const std::string with_flags = kExample.substr(0, 53);
  EXPECT_EQ(traceparent(parse_traceparent(with_flags + "ff").value()), kExample);
  EXPECT_FALSE(parse_traceparent(with_flags + "fe").value().sampled);
}

TEST(Trace, LaterVersionsAreReadAsFarAsKnown) {
  const std::string later = "cc" + kExample.substr(2);
  EXPECT_EQ(traceparent(parse_traceparent(later).value()), kExample);
  EXPECT_EQ(traceparent(parse_traceparent(later + "-what-comes-then").value()), kExample);
  EXPECT_FALSE(parse_traceparent(later + "x"));
  EXPECT_FALSE(parse_traceparent(later + "-" + std::string(1'000, 'a')));
}

TEST(Trace, ImproperHeadersAreRefused) {
  const std::string rest = kExample.substr(2);
  for (const std::string& text : std::vector<std::string>{
           std::string(), std::string("00"), kExample.substr(0, 54), kExample + "0",
           kExample + "-00", "ff" + rest, "0x" + rest, "00_" + kExample.substr(3),
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0z",
           "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01"}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(Trace, AChildStaysInTheTraceOfItsParentWithASpanOfItsOwn) {
  Random random(1);
  const TraceContext parent = begin_trace(random, true);
  const TraceContext child = begin_child(parent, random);
  EXPECT_EQ(trace_id(child), trace_id(parent));
  EXPECT_NE(child.span, parent.span);
  EXPECT_TRUE(child.sampled);
  EXPECT_FALSE(begin_child(begin_trace(random, false), random).sampled);
}

TEST(Trace, EachTraceIsItsOwnAndCanBeReadBack) {
  Random random(1);
  const TraceContext first = begin_trace(random, false);
  const TraceContext second = begin_trace(random, false);
  EXPECT_NE(trace_id(first), trace_id(second));
  EXPECT_EQ(parse_traceparent(traceparent(first)).value(), first);
}

TEST(Trace, StateIsHandedOnOnlyIfProper) {
  EXPECT_TRUE(is_tracestate("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
  EXPECT_FALSE(is_tracestate(""));
  EXPECT_FALSE(is_tracestate("a=b\r\nx: y"));
  EXPECT_FALSE(is_tracestate("a=\xc3\xbc"));
  EXPECT_TRUE(is_tracestate("a=" + std::string(510, 'x')));
  EXPECT_FALSE(is_tracestate("a=" + std::string(511, 'x')));
  EXPECT_TRUE(is_tracestate(std::string(31, ',')));
  EXPECT_FALSE(is_tracestate(std::string(32, ',')));
}

}  // namespace
}  // namespace troupe

#include "actors/schedule/time_text.h"

#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

WallTime at(std::string_view text) { return parse_rfc3339(text).value(); }

TEST(GoDuration, IsReadAsGoReadsIt) {
  const std::vector<std::pair<std::string, Duration>> table = {
      {"0", 0us},
      {"0s", 0us},
      {"1h30m", 90min},
      {"500ms", 500ms},
      {"1.5s", 1500ms},
      {".5s", 500ms},
      {"1.s", 1s},
      {"-1s", -1s},
      {"+5m", 5min},
      {"20us", 20us},
      {"20µs", 20us},
      {"20\u03bcs", 20us},
      {"1500ns", 2us},
      {"1ns", 1us},
      {"0.000000001ns", 1us},
      {"0h0m5s0ms", 5s},
      {"-1.5h", -90min},
      {"1s1s", 2s},
      {"1.1h", 66min},
      {"0.333333333333333333h", 1200s},
      {"2562047h47m16.854775807s", Duration(9'223'372'036'854'776)},
  };
  for (const auto& [text, length] : table) {
    const auto read = parse_go_duration(text);
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(*read, length) << text;
  }
}

TEST(GoDuration, WhatGoRefusesIsRefusedWithAHint) {
  for (const std::string text :
       {"", "1", "s", ".s", "-", "1x", "1 s", "1h 30m", "1d", "--1s", "1e3s", "99999999999h",
        "9223372036854775808s", "18446744073709551616ns", "2562048h", "1,5s", "P1D", "ms"}) {
    const auto read = parse_go_duration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kInvalid);
    EXPECT_NE(read.error().message.find("unsupported duration format: " + text), std::string::npos);
    EXPECT_NE(read.error().message.find("1h30m"), std::string::npos);
  }
}

TEST(GoDuration, IsPrintedAsGoPrintsIt) {
  const std::vector<std::pair<Duration, std::string>> table = {{0us, "0s"},
                                                               {1min, "1m0s"},
                                                               {1h, "1h0m0s"},
                                                               {90min, "1h30m0s"},
                                                               {1500ms, "1.5s"},
                                                               {500ms, "500ms"},
                                                               {20us, "20µs"},
                                                               {1500us, "1.5ms"},
                                                               {-1s, "-1s"},
                                                               {-90min, "-1h30m0s"},
                                                               {10s, "10s"},
                                                               {61s, "1m1s"},
                                                               {1h + 1us, "1h0m0.000001s"}};
  for (const auto& [length, text] : table) EXPECT_EQ(format_go_duration(length), text);
  EXPECT_EQ(format_go_duration(Duration::min()), "-2562047788h0m54.775808s");
}

TEST(GoDuration, ReadsBackWhatItPrints) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const auto count = static_cast<std::int64_t>(random.next() >> (11 + random.below(50)));
    const Duration length(random.chance(0.5) ? count : -count);
    EXPECT_EQ(parse_go_duration(format_go_duration(length)).value(), length);
  }
}

TEST(IsoDuration, KeepsCalendarPartsAsCalendarSteps) {
  const std::vector<std::pair<std::string, RepeatedStep>> table = {
      {"PT10S", {{}, {0, 0, 10s}}},
      {"R5/PT10S", {5, {0, 0, 10s}}},
      {"R5", {5, {}}},
      {"R0/PT1S", {0, {0, 0, 1s}}},
      {"P1Y2M3W4DT5H6M7S", {{}, {14, 25, 5h + 6min + 7s}}},
      {"P4D3W2M1Y", {{}, {14, 25, 0s}}},
      {"PT1M", {{}, {0, 0, 1min}}},
      {"P1M", {{}, {1, 0, 0s}}},
      {"PT0S", {{}, {}}},
      {"P10000Y", {{}, {120'000, 0, 0s}}},
      {"R4294967295/P1D", {4294967295U, {0, 1, 0s}}},
  };
  for (const auto& [text, step] : table) {
    const auto read = parse_iso_duration(text);
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(*read, step) << text;
  }
}

TEST(IsoDuration, WhatIsNotInTheSubsetIsRefusedWithDaprsText) {
  for (const std::string text : {"",
                                 "P",
                                 "PT",
                                 "P1",
                                 "P1DT",
                                 "PT1.5S",
                                 "P-1D",
                                 "-PT1S",
                                 "R-1/PT1S",
                                 "R/PT1S",
                                 "R5PT1S",
                                 "R5/",
                                 "P1H",
                                 "PT1D",
                                 "PT1YS",
                                 "PT1ST1S",
                                 "PT1S1S",
                                 "pt1s",
                                 "P1D ",
                                 "R4294967296/PT1S",
                                 "P99999Y",
                                 "PT999999999999999999S",
                                 "P99999999999999999999D",
                                 "R5/R5/PT1S"}) {
    const auto read = parse_iso_duration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().message.starts_with("unsupported ISO8601 duration format: " + text));
  }
}

TEST(Rfc3339, IsReadWithZonesAndFractions) {
  using std::chrono::sys_days;
  const WallTime noon = sys_days(std::chrono::year(2026) / 11 / 22) + 12h;
  const std::vector<std::pair<std::string, WallTime>> table = {
      {"2026-11-22T12:00:00Z", noon},
      {"2026-11-22t12:00:00z", noon},
      {"2026-11-22T13:00:00+01:00", noon},
      {"2026-11-22T06:30:00-05:30", noon},
      {"2026-11-22T12:00:00.5Z", noon + 500ms},
      {"2026-11-22T12:00:00.123456Z", noon + 123456us},
      {"2026-11-22T12:00:00.123456000Z", noon + 123456us},
      {"2026-11-22T12:00:00.123456001Z", noon + 123457us},
      {"2024-02-29T00:00:00Z", sys_days(std::chrono::year(2024) / 2 / 29)},
      {"9999-12-31T23:59:59.999999Z", kLastWallTime},
      {"0000-01-01T00:00:00Z", kFirstWallTime},
  };
  for (const auto& [text, time] : table) {
    const auto read = parse_rfc3339(text);
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(*read, time) << text;
  }
}

TEST(Rfc3339, WhatIsNoTimeIsRefused) {
  for (const std::string text : {"",
                                 "2026-11-22",
                                 "2026-11-22T12:00:00",
                                 "2026-11-22 12:00:00Z",
                                 "2026-13-01T00:00:00Z",
                                 "2026-02-29T00:00:00Z",
                                 "2026-11-31T00:00:00Z",
                                 "2026-11-22T24:00:00Z",
                                 "2026-11-22T12:60:00Z",
                                 "2026-11-22T12:00:60Z",
                                 "2026-11-22T12:00:00.Z",
                                 "2026-11-22T12:00:00+24:00",
                                 "2026-11-22T12:00:00+0100",
                                 "2026-11-22T12:00:00Zz",
                                 "10000-01-01T00:00:00Z",
                                 "9999-12-31T23:59:59.9999999Z",
                                 "9999-12-31T23:59:59-01:00",
                                 "0000-01-01T00:00:00+01:00",
                                 "26-11-22T12:00:00Z",
                                 "2026-1-2T12:00:00Z"}) {
    const auto read = parse_rfc3339(text);
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().message.starts_with("unsupported time format: " + text));
  }
}

TEST(Rfc3339, ReadsBackWhatIsPrinted) {
  EXPECT_EQ(format_rfc3339(at("2026-11-22T12:00:00.500Z")), "2026-11-22T12:00:00.5Z");
  EXPECT_EQ(format_rfc3339(kLastWallTime), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_rfc3339(kFirstWallTime), "0000-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(WallTime::max()), format_rfc3339(kLastWallTime));
  Random random(2);
  const auto span = static_cast<std::uint64_t>((kLastWallTime - kFirstWallTime).count());
  for (int i = 0; i < 2000; ++i) {
    const WallTime time = kFirstWallTime + Duration(static_cast<std::int64_t>(random.below(span)));
    EXPECT_EQ(at(format_rfc3339(time)), time);
  }
}

TEST(CalendarStep, HoldsTheDayWithinItsMonth) {
  const WallTime last = at("2026-01-31T08:00:00Z");
  EXPECT_EQ(add_steps(last, {.months = 1}, 1), at("2026-02-28T08:00:00Z"));
  EXPECT_EQ(add_steps(last, {.months = 1}, 2), at("2026-03-31T08:00:00Z"));
  EXPECT_EQ(add_steps(last, {.months = 1}, 25), at("2028-02-29T08:00:00Z"));
  EXPECT_EQ(add_steps(last, {.months = 1, .days = 1, .exact = 1h}, 1), at("2026-03-01T09:00:00Z"));
  EXPECT_EQ(add_steps(last, {.months = -2}, 1), at("2025-11-30T08:00:00Z"));
}

TEST(CalendarStep, EndsWithTheYear9999InsteadOfOverflowing) {
  const auto most = std::numeric_limits<std::int64_t>::max();
  for (const CalendarStep& step :
       std::vector<CalendarStep>{{.months = 1},
                                 {.days = 1},
                                 {.exact = 1us},
                                 {.exact = Duration::max()},
                                 {.months = std::numeric_limits<std::int32_t>::max()},
                                 {.days = std::numeric_limits<std::int32_t>::max()}}) {
    EXPECT_FALSE(add_steps(WallTime{}, step, most));
    EXPECT_FALSE(add_steps(kLastWallTime, step, 1));
  }
  EXPECT_EQ(saturating_add(kLastWallTime, Duration::max()), kLastWallTime);
  EXPECT_EQ(saturating_add(kFirstWallTime, Duration::min()), kFirstWallTime);
}

}  // namespace
}  // namespace troupe

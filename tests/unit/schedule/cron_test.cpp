#include "actors/schedule/cron.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "actors/schedule/calendar.h"
#include "actors/schedule/time_text.h"
#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

WallTime at(std::string_view text) { return parse_rfc3339(text).value(); }

// The first `count` times after `from`.
std::vector<std::string> times(std::string_view cron, std::string_view from, int count) {
  const auto parsed = Cron::parse(cron);
  if (!parsed) return {parsed.error().message};
  std::vector<std::string> out;
  WallTime time = at(from);
  for (int i = 0; i < count; ++i) {
    const auto next = parsed->next(time);
    if (!next) break;
    out.push_back(format_rfc3339(*next));
    time = *next;
  }
  return out;
}

using Times = std::vector<std::string>;

TEST(Cron, ReadsFiveAndSixFields) {
  EXPECT_EQ(times("30 8 * * *", "2026-11-22T08:30:00Z", 2),
            (Times{"2026-11-23T08:30:00Z", "2026-11-24T08:30:00Z"}));
  EXPECT_EQ(times("15 30 8 * * *", "2026-11-22T08:30:00Z", 1), (Times{"2026-11-22T08:30:15Z"}));
  EXPECT_EQ(times("*/20 * * * * *", "2026-11-22T08:30:59.5Z", 3),
            (Times{"2026-11-22T08:31:00Z", "2026-11-22T08:31:20Z", "2026-11-22T08:31:40Z"}));
}

TEST(Cron, KnowsListsRangesStepsAndNames) {
  EXPECT_EQ(times("0 9-17/4 * JAN,jul MON-FRI", "2026-12-31T00:00:00Z", 4),
            (Times{"2027-01-01T09:00:00Z", "2027-01-01T13:00:00Z", "2027-01-01T17:00:00Z",
                   "2027-01-04T09:00:00Z"}));
  EXPECT_EQ(times("50/5 0 ? * 7", "2026-11-22T00:51:00Z", 2),  // 7 is Sunday too
            (Times{"2026-11-22T00:55:00Z", "2026-11-29T00:50:00Z"}));
  EXPECT_EQ(times("0  0   1 1 *", "2026-11-22T00:00:00Z", 1), (Times{"2027-01-01T00:00:00Z"}));
}

TEST(Cron, EitherOfDayAndWeekdayIsEnoughWhenBothAreRestricted) {
  EXPECT_EQ(times("0 0 13 * FRI", "2026-11-10T00:00:00Z", 3),
            (Times{"2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"}));
  EXPECT_EQ(times("0 0 13 * *", "2026-11-10T00:00:00Z", 2),
            (Times{"2026-11-13T00:00:00Z", "2026-12-13T00:00:00Z"}));
}

TEST(Cron, KnowsDescriptors) {
  const std::string from = "2026-11-22T12:34:56Z";
  EXPECT_EQ(times("@yearly", from, 1), (Times{"2027-01-01T00:00:00Z"}));
  EXPECT_EQ(times("@annually", from, 1), (Times{"2027-01-01T00:00:00Z"}));
  EXPECT_EQ(times("@monthly", from, 1), (Times{"2026-12-01T00:00:00Z"}));
  EXPECT_EQ(times("@weekly", from, 1), (Times{"2026-11-29T00:00:00Z"}));
  EXPECT_EQ(times("@daily", from, 1), (Times{"2026-11-23T00:00:00Z"}));
  EXPECT_EQ(times("@midnight", from, 1), (Times{"2026-11-23T00:00:00Z"}));
  EXPECT_EQ(times("@hourly", from, 1), (Times{"2026-11-22T13:00:00Z"}));
  EXPECT_EQ(times("TZ=Asia/Kolkata @daily", from, 1), (Times{"2026-11-22T18:30:00Z"}));
}

TEST(Cron, TheTwentyNinthOfFebruaryMayBeEightYearsAway) {
  EXPECT_EQ(times("0 0 29 2 *", "2096-02-29T00:00:00Z", 1), (Times{"2104-02-29T00:00:00Z"}));
}

TEST(Cron, EndsWithTheYear9999) {
  EXPECT_EQ(times("@yearly", "9998-06-01T00:00:00Z", 5), (Times{"9999-01-01T00:00:00Z"}));
  EXPECT_EQ(times("CRON_TZ=America/New_York @yearly", "9998-06-01T00:00:00Z", 5),
            (Times{"9999-01-01T05:00:00Z"}));
  EXPECT_FALSE(Cron::parse("* * * * * *")->next(kLastWallTime));
  EXPECT_FALSE(Cron::parse("* * * * * *")->next(WallTime::max()));
  EXPECT_EQ(Cron::parse("* * * * * *")->next(WallTime::min()), kFirstWallTime + 1s);
}

TEST(Cron, WhatIsMalformedIsRefusedNamingTheField) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "0 fields"},
      {"* * * *", "4 fields"},
      {"* * * * * * *", "7 fields"},
      {"60 * * * *", "minute '60': values lie between 0 and 59"},
      {"* 24 * * *", "hour '24'"},
      {"* * 0 * *", "day '0': values lie between 1 and 31"},
      {"* * * 13 *", "month '13'"},
      {"* * * * 8", "weekday '8'"},
      {"* * * * MONDAY", "weekday 'MONDAY'"},
      {"* * * * FRI-MON", "begins after its end"},
      {"5-1 * * * *", "begins after its end"},
      {"*/0 * * * *", "step"},
      {"*/x * * * *", "step"},
      {"1,,2 * * * *", "minute ''"},
      {"-1 * * * *", "minute '-1'"},
      {"99999999999999999999 * * * *", "minute"},
      {"0 0 30 2 *", "never happens"},
      {"0 0 31 4,6 *", "never happens"},
      {"@often", "unknown '@often'"},
      {"@every 1m", "@every"},
      {"TZ=Europe/Berlin @every 1m", "without a time zone"},
      {"TZ=Europe/Berlin", "ends after its time zone"},
      {"TZ= * * * * *", "no time zone named ''"},
      {"CRON_TZ=Mars/Olympus * * * * *", "no time zone named 'Mars/Olympus'"},
      {"TZ=../../../etc/passwd * * * * *", "no time zone"},
      {"TZ=/etc/localtime * * * * *", "no time zone"},
      {"TZ=zone.tab * * * * *", "no time zone"},
      {std::string(300, '*'), "256 characters"},
  };
  for (const auto& [text, why] : table) {
    const auto cron = Cron::parse(text);
    ASSERT_FALSE(cron) << text;
    EXPECT_EQ(cron.error().code, Code::kInvalid);
    EXPECT_NE(cron.error().message.find(why), std::string::npos) << cron.error().message;
  }
}

// Berlin 2026: forward on 29 March at 02:00 = 01:00Z, back on 25 October at 03:00 = 01:00Z.
TEST(CronDaylightSaving, SkippedTimesHappenAtTheShiftOnceInBerlin) {
  EXPECT_EQ(times("TZ=Europe/Berlin 30 2 * * *", "2026-03-28T00:00:00Z", 3),
            (Times{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
  EXPECT_EQ(times("TZ=Europe/Berlin 0,15,30 2,3 * * *", "2026-03-29T00:00:00Z", 4),
            (Times{"2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z",
                   "2026-03-30T00:00:00Z"}));
}

TEST(CronDaylightSaving, DoubledTimesHappenOnceInBerlin) {
  EXPECT_EQ(times("TZ=Europe/Berlin 30 2 * * *", "2026-10-24T00:00:00Z", 3),
            (Times{"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
  // Asked in the midst of the second pass.
  EXPECT_EQ(times("TZ=Europe/Berlin 30 2 * * *", "2026-10-25T01:10:00Z", 1),
            (Times{"2026-10-26T01:30:00Z"}));
  EXPECT_EQ(times("TZ=Europe/Berlin * * 2 * * *", "2026-10-25T00:59:59Z", 1),
            (Times{"2026-10-26T01:00:00Z"}));
}

// New York 2026: forward on 8 March at 02:00 = 07:00Z, back on 1 November at 02:00 = 06:00Z.
TEST(CronDaylightSaving, SkippedTimesHappenAtTheShiftOnceInNewYork) {
  EXPECT_EQ(times("CRON_TZ=America/New_York 30 2 * * *", "2026-03-07T00:00:00Z", 3),
            (Times{"2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}));
}

TEST(CronDaylightSaving, DoubledTimesHappenOnceInNewYork) {
  EXPECT_EQ(times("CRON_TZ=America/New_York 30 1 * * *", "2026-10-31T00:00:00Z", 3),
            (Times{"2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}));
}

TEST(CronDaylightSaving, EveryHourFollowsThePassingOfTime) {
  EXPECT_EQ(times("TZ=Europe/Berlin 30 * * * *", "2026-03-29T00:00:00Z", 3),
            (Times{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"}));
  EXPECT_EQ(times("TZ=Europe/Berlin 30 * * * *", "2026-10-24T23:45:00Z", 4),
            (Times{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z",
                   "2026-10-25T03:30:00Z"}));
  EXPECT_EQ(times("CRON_TZ=America/New_York @hourly", "2026-11-01T04:30:00Z", 4),
            (Times{"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z",
                   "2026-11-01T08:00:00Z"}));
}

TEST(CronDaylightSaving, ADayThatWasSkippedWholeHappensAtTheShift) {
  // Samoa went from 29 to 31 December 2011.
  EXPECT_EQ(times("TZ=Pacific/Apia 0 12 30 12 *", "2011-12-01T00:00:00Z", 1),
            (Times{"2011-12-30T10:00:00Z"}));
}

// Against the definition: look at each minute of the clock, of two whole years.
TEST(CronProperty, FindsWhatAWalkThroughTheMinutesFinds) {
  const auto zone = TimeZone::load("Europe/Berlin").value();
  for (const std::string fields : {"30 2 * * *", "*/20 1-3 * * *", "0 2 * 3,10 SUN", "5 * * * *"}) {
    const auto cron = Cron::parse("TZ=Europe/Berlin " + fields).value();
    const auto plain = Cron::parse(fields).value();
    const bool hourly = fields.starts_with("5 *");
    std::vector<WallTime> expected;
    const WallTime begin = at("2026-03-27T00:00:00Z");
    const WallTime end = at("2026-11-02T00:00:00Z");
    auto previous = zone.local(begin);
    auto furthest = previous;
    for (WallTime time = begin + 1min; time < end; time += 1min) {
      const auto local = zone.local(time);
      // Shown by the clocks since the minute before, and not before that.
      const auto from = hourly ? std::max(previous, local - 1min) : furthest;
      const auto next = plain.next(hourly ? local - 1min : from);
      if (next && *next <= local) expected.push_back(time);
      previous = local;
      furthest = std::max(furthest, local);
    }
    WallTime time = begin;
    for (const WallTime wanted : expected) {
      const auto next = cron.next(time);
      ASSERT_TRUE(next);
      ASSERT_EQ(format_rfc3339(*next), format_rfc3339(wanted)) << fields;
      time = *next;
    }
  }
}

TEST(CronProperty, NextIsStrictlyLaterAndAsksNothingOfTheTimesBetween) {
  Random random(7);
  const std::vector<std::string> crons = {"* * * * * *",
                                          "TZ=Europe/Berlin */7 */13 2-4 * * *",
                                          "TZ=America/New_York 0 1,2 * * *",
                                          "TZ=Australia/Lord_Howe 15 * * * *",
                                          "TZ=Asia/Kolkata 0 0 29 2 *",
                                          "0 0 1 */5 MON"};
  for (const auto& text : crons) {
    const auto cron = Cron::parse(text).value();
    for (int i = 0; i < 300; ++i) {
      const auto year = static_cast<int>(1900 + random.below(400));
      const WallTime time =
          std::chrono::sys_days(std::chrono::year(year) / 1 / 1) +
          Duration(static_cast<std::int64_t>(random.below(366ULL * 86'400'000'000)));
      const auto next = cron.next(time);
      ASSERT_TRUE(next) << text;
      ASSERT_GT(*next, time);
      const auto share = static_cast<std::int64_t>(
          random.below(static_cast<std::uint64_t>((*next - time).count())));
      ASSERT_EQ(cron.next(time + Duration(share)), next) << text << " " << format_rfc3339(time);
    }
  }
}

}  // namespace
}  // namespace troupe

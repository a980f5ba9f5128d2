#include "actors/schedule/schedule.h"

#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "actors/schedule/time_text.h"
#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr CalendarStep kMonth{.months = 1, .days = 0, .exact = {}};

WallTime at(std::string_view text) { return parse_rfc3339(text).value(); }
const WallTime kNow = at("2026-11-22T12:00:00Z");

Schedule every(Period period, WallTime first = kNow) {
  return {.first = first, .period = std::move(period), .repeats = 0, .expiry = {}};
}

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) / 16];
    out += kDigits[static_cast<unsigned char>(c) % 16];
  }
  return out;
}

std::string encoded(const Schedule& schedule) {
  Writer writer;
  schedule.encode(writer);
  return writer.take();
}

TEST(Schedule, TicksLieOnAGridThatTheFirstSpans) {
  const Schedule schedule = every(10s);
  EXPECT_EQ(schedule.next(kNow - 1s, 0), kNow);
  EXPECT_EQ(schedule.next(kNow, 1), kNow + 10s);
  EXPECT_EQ(schedule.next(kNow + 9999ms, 1), kNow + 10s);
  EXPECT_EQ(schedule.next(kNow + 10s, 2), kNow + 20s);
  EXPECT_EQ(schedule.next(kNow + 1005s, 2), kNow + 1010s);
}

TEST(Schedule, MonthsAreCountedFromTheFirstSoTheLastDayStaysTheLast) {
  const Schedule schedule = every(kMonth, at("2026-01-31T08:00:00Z"));
  WallTime time = schedule.first;
  std::vector<std::string> times;
  for (int i = 0; i < 4; ++i) {
    time = schedule.next(time, 1).value();
    times.push_back(format_rfc3339(time));
  }
  EXPECT_EQ(times, (std::vector<std::string>{"2026-02-28T08:00:00Z", "2026-03-31T08:00:00Z",
                                             "2026-04-30T08:00:00Z", "2026-05-31T08:00:00Z"}));
}

TEST(Schedule, WithoutAPeriodTicksOnce) {
  const Schedule schedule = every({});
  EXPECT_FALSE(schedule.recurring());
  EXPECT_EQ(schedule.next(kNow - 1us, 0), kNow);
  EXPECT_FALSE(schedule.next(kNow, 1));
}

TEST(Schedule, RepeatsCountTheFirst) {
  Schedule schedule = every(1s);
  schedule.repeats = 3;
  EXPECT_TRUE(schedule.next(kNow, 2));
  EXPECT_FALSE(schedule.next(kNow, 3));
}

TEST(Schedule, NoTickButTheFirstAtOrAfterTheExpiry) {
  Schedule schedule = every(10s);
  schedule.expiry = kNow + 20s;
  EXPECT_EQ(schedule.next(kNow, 1), kNow + 10s);
  EXPECT_FALSE(schedule.next(kNow + 10s, 2));
  schedule.expiry = kNow;
  EXPECT_EQ(schedule.next(kNow - 1s, 0), kNow);
  EXPECT_FALSE(schedule.next(kNow, 1));
}

TEST(Schedule, EndsWithTheYear9999) {
  EXPECT_FALSE(every(1us).next(kLastWallTime, 1));
  EXPECT_EQ(every(1us).next(kLastWallTime - 1us, 1), kLastWallTime);
  EXPECT_FALSE(every(Duration::max()).next(kNow, 1));
  EXPECT_FALSE(every(kMonth).next(at("9999-12-22T12:00:00Z"), 1));
  EXPECT_EQ(every(1us, kFirstWallTime).next(kLastWallTime - 1us, 1), kLastWallTime);
}

TEST(Schedule, NextIsTheFirstTickThatIsStrictlyLater) {
  Random random(3);
  const auto pick = [&](std::uint64_t bound) {
    return static_cast<std::int64_t>(random.below(bound));
  };
  for (int i = 0; i < 3000; ++i) {
    Period period = Duration(1 + pick(std::uint64_t{1} << random.below(62)));
    if (i % 2 == 0) {
      period = CalendarStep{.months = static_cast<std::int32_t>(pick(40)),
                            .days = static_cast<std::int32_t>(1 + pick(400)),
                            .exact = std::chrono::seconds(pick(90'000))};
    }
    const Schedule schedule =
        every(period, kFirstWallTime + Duration(pick(300'000'000'000'000'000)));
    const WallTime after =
        saturating_add(schedule.first, Duration(pick(std::uint64_t{1} << random.below(58))));
    const auto next = schedule.next(after, 1);
    if (!next) continue;
    ASSERT_GT(*next, after);
    ASSERT_LE(*next, kLastWallTime);
    // Nothing lies between.
    ASSERT_EQ(schedule.next(*next - 1us, 1), next);
  }
}

TEST(Resolve, MakesTimesOfLengths) {
  const auto once = resolve({.first = 24h, .period = {}, .ttl = {}}, kNow);
  EXPECT_EQ(once->first, kNow + 24h);
  const auto recurring =
      resolve({.first = {}, .period = Duration(1min), .ttl = Duration(1h)}, kNow);
  EXPECT_EQ(recurring->first, kNow + 1min);
  EXPECT_EQ(recurring->expiry, kNow + 1h);
  const auto later = resolve({.first = 5min, .period = Duration(1min), .ttl = Duration(1h)}, kNow);
  EXPECT_EQ(later->expiry, kNow + 65min);
  const auto at_once = resolve({.first = {}, .period = kMonth, .ttl = {}, .at_once = true}, kNow);
  EXPECT_EQ(at_once->first, kNow);
  const auto cron = resolve({.first = {}, .period = *Cron::parse("@daily"), .ttl = {}}, kNow);
  EXPECT_EQ(cron->first, at("2026-11-23T00:00:00Z"));
  const auto past = resolve({.first = kNow - 1h, .period = {}, .ttl = {}}, kNow);
  EXPECT_EQ(past->first, kNow - 1h);
  const auto days = resolve({.first = {}, .period = CalendarStep{.exact = 3s}, .ttl = {}}, kNow);
  EXPECT_EQ(days->period, Period(Duration(3s)));
}

TEST(Resolve, WhatCanNeverTickIsRefused) {
  const std::vector<std::pair<ScheduleRequest, std::string>> table = {
      {{.first = {}, .period = Duration(0), .ttl = {}}, "a period of 0s is not above zero"},
      {{.first = {}, .period = Duration(-1s), .ttl = {}}, "a period of -1s is not above zero"},
      {{.first = {}, .period = CalendarStep{}, .ttl = {}}, "not above zero"},
      {{.first = {}, .period = CalendarStep{.months = -1}, .ttl = {}}, "no negative parts"},
      {{.first = {}, .period = CalendarStep{.months = 1, .exact = 1ms}, .ttl = {}},
       "whole seconds"},
      {{.first = Duration::max(), .period = {}, .ttl = {}}, "outside the years 0 to 9999"},
      {{.first = kLastWallTime + 1us, .period = {}, .ttl = {}}, "outside the years"},
      {{.first = CalendarStep{.months = 12 * 9000}, .period = {}, .ttl = {}}, "outside the years"},
      {{.first = {}, .period = Duration::max(), .ttl = {}}, "outside the years"},
      {{.first = {}, .period = Duration(1min), .ttl = Duration(1s)}, "before the first tick"},
      {{.first = {}, .period = Duration(1min), .ttl = Duration::max()}, "the ttl lies outside"},
  };
  for (const auto& [request, why] : table) {
    const auto schedule = resolve(request, kNow);
    ASSERT_FALSE(schedule) << why;
    EXPECT_NE(schedule.error().message.find(why), std::string::npos) << schedule.error().message;
  }
}

TEST(Period, ReadsBackWhatIsPrinted) {
  for (const std::string text : {"@every 1m0s", "@every 1.5s", "P1M", "P14M25DT18367S", "P3D",
                                 "@daily", "TZ=Europe/Berlin 0 30 2 * * *"}) {
    const auto period = parse_period(text);
    ASSERT_TRUE(period) << text << ": " << period.error().message;
    EXPECT_EQ(format_period(period->period), text);
  }
  EXPECT_EQ(parse_period("R3/PT10S")->repeats, 3U);
  EXPECT_EQ(parse_period("90s")->period, Period(Duration(90s)));
  EXPECT_EQ(parse_period("PT0S")->period, Period());
  EXPECT_EQ(format_period({}), "");
  for (const std::string text : {"", "@every", "@every -1s", "@every 0s", "@every 1", "-1s", "x",
                                 "TZ=Europe/Berlin", "CRON_TZ="}) {
    EXPECT_FALSE(parse_period(text)) << text;
  }
}

// A failure here means that this version cannot read what is stored.
TEST(ScheduleBytes, NeverChangeBetweenVersions) {
  EXPECT_EQ(hex(encoded(every({}, WallTime(1s)))), "80897a000000");
  EXPECT_EQ(
      hex(encoded({.first = WallTime(1s), .period = 1ms, .repeats = 5, .expiry = WallTime(2s)})),
      "80897a01d00f05018092f401");
  EXPECT_EQ(hex(encoded(every(CalendarStep{.months = 1, .days = 2, .exact = 3us}, WallTime(-1us)))),
            "01020204060000");
  EXPECT_EQ(hex(encoded(every(*Cron::parse("@daily"), WallTime()))), "000306406461696c790000");
}

TEST(ScheduleBytes, ReadBackWhatWasWritten) {
  const std::vector<Period> periods = {{},
                                       Duration(1us),
                                       Duration::max(),
                                       kMonth,
                                       *Cron::parse("CRON_TZ=Europe/Berlin 0 0 2 * * *")};
  for (const Period& period : periods) {
    for (const WallTime first : {kFirstWallTime, WallTime(), kNow, kLastWallTime}) {
      Schedule schedule{.first = first, .period = period, .repeats = 7, .expiry = {}};
      for (int i = 0; i < 2; ++i) {
        const std::string bytes = encoded(schedule);
        Reader reader(bytes);
        EXPECT_EQ(Schedule::decode(reader).value(), schedule);
        EXPECT_TRUE(reader.finished());
        schedule.expiry = kLastWallTime;
      }
    }
  }
}

TEST(ScheduleBytes, DamageIsAnErrorAndNothingElse) {
  const std::string good = encoded(
      {.first = kNow, .period = *Cron::parse("@daily"), .repeats = 5, .expiry = kLastWallTime});
  for (std::size_t length = 0; length < good.size(); ++length) {
    const std::string cut = good.substr(0, length);
    Reader reader(cut);
    const auto read = Schedule::decode(reader);
    ASSERT_FALSE(read) << length;
    EXPECT_EQ(read.error().code, Code::kDataLoss);
  }
  // Beyond the calendar, no period, an unknown kind of period, an unknown cron.
  const auto refused = [](auto write) {
    Writer writer;
    write(writer);
    const std::string bytes = writer.take();
    Reader reader(bytes);
    return !Schedule::decode(reader);
  };
  EXPECT_TRUE(refused([](Writer& w) {
    w.integer(std::numeric_limits<std::int64_t>::max());
    for (int i = 0; i < 3; ++i) w.number(0);
  }));
  EXPECT_TRUE(refused([](Writer& w) {
    w.integer(0);
    w.number(1);
    w.integer(0);
    for (int i = 0; i < 2; ++i) w.number(0);
  }));
  EXPECT_TRUE(refused([](Writer& w) {
    w.integer(0);
    w.number(4);
    for (int i = 0; i < 3; ++i) w.number(0);
  }));
  EXPECT_TRUE(refused([](Writer& w) {
    w.integer(0);
    w.number(3);
    w.bytes("TZ=Mars/Olympus @daily");
    for (int i = 0; i < 2; ++i) w.number(0);
  }));
}

}  // namespace
}  // namespace troupe

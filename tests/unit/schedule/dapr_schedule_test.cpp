#include "actors/schedule/dapr_schedule.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "actors/schedule/time_text.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

WallTime at(std::string_view text) { return parse_rfc3339(text).value(); }
const WallTime kNow = at("2026-11-22T12:00:00Z");
constexpr std::string_view kOwner = "Cart||alice||reprice";

struct Refused {
  ScheduleTexts texts;
  std::string message;  // how it begins
};

TEST(DaprTimer, WithoutADueTimeTicksNowAndThenByPeriod) {
  const auto timer = parse_timer_schedule({"", "10s", ""}, kNow, kOwner);
  EXPECT_EQ(timer->first, kNow);
  EXPECT_EQ(timer->next(kNow, 1), kNow + 10s);
  const auto once = parse_timer_schedule({"", "", ""}, kNow, kOwner);
  EXPECT_EQ(once->first, kNow);
  EXPECT_FALSE(once->recurring());
}

TEST(DaprTimer, ReadsDueTimesAsTimesAndDurations) {
  for (const auto& [text, due] : std::vector<std::pair<std::string, WallTime>>{
           {"5s", kNow + 5s},
           {"0h0m5s0ms", kNow + 5s},
           {"PT1M", kNow + 1min},
           {"P1M", at("2026-12-22T12:00:00Z")},
           {"2026-11-22T13:00:00.5+01:00", kNow + 500ms},
           {"-1s", kNow - 1s},
           {"2020-01-01T00:00:00Z", at("2020-01-01T00:00:00Z")}}) {
    EXPECT_EQ(parse_timer_schedule({text, "", ""}, kNow, kOwner)->first, due) << text;
  }
}

TEST(DaprTimer, KeepsCalendarPeriodsAndRepetitions) {
  const auto timer = parse_timer_schedule({"", "R3/P1M", ""}, kNow, kOwner);
  EXPECT_EQ(timer->repeats, 3U);
  EXPECT_EQ(timer->next(kNow, 1), at("2026-12-22T12:00:00Z"));
  for (const std::string once : {"R5", "R5/PT0S", "0s", "PT0S"}) {
    const auto timer_once = parse_timer_schedule({"1s", once, ""}, kNow, kOwner);
    EXPECT_FALSE(timer_once->next(kNow + 1s, 1)) << once;
  }
}

TEST(DaprTimer, TtlCountsFromTheDueTime) {
  EXPECT_EQ(parse_timer_schedule({"10s", "1s", "5s"}, kNow, kOwner)->expiry, kNow + 15s);
  EXPECT_EQ(parse_timer_schedule({"", "1s", "5s"}, kNow, kOwner)->expiry, kNow + 5s);
  EXPECT_EQ(parse_timer_schedule({"", "1s", "2026-11-22T12:00:05Z"}, kNow, kOwner)->expiry,
            kNow + 5s);
}

TEST(DaprTimer, ErrorsBeginAsDaprs) {
  const std::string expired = "timer Cart||alice||reprice has already expired: dueTime: ";
  for (const auto& [texts, message] : std::vector<Refused>{
           {{"soon", "", ""}, "error parsing timer due time: unsupported time/duration format"},
           {{"R5/PT1S", "", ""}, "error parsing timer due time: repetitions are not allowed"},
           {{"99999h", "", ""}, ""},
           {{"P9000Y", "", ""}, "error parsing timer due time: the first tick lies outside"},
           {{"", "often", ""}, "invalid timer period: unsupported duration format: often"},
           {{"", "P1X", ""}, "invalid timer period: unsupported ISO8601 duration format: P1X"},
           {{"", "R0/PT1S", ""}, "invalid timer period: 'R0/PT1S' has zero repetitions"},
           {{"", "R0", ""}, "invalid timer period: 'R0' has zero repetitions"},
           {{"", "R-1/PT1S", ""}, "invalid timer period: unsupported ISO8601 duration format"},
           {{"", "-1s", ""}, "invalid timer period: a period of -1s is not above zero"},
           {{"", "@every 1s", ""}, "invalid timer period: "},
           {{"", "* * * * *", ""}, "invalid timer period: "},
           {{"", "1s", "R5/PT1S"}, "error parsing timer TTL: repetitions are not allowed"},
           {{"", "1s", "never"}, "error parsing timer TTL: unsupported time/duration format"},
           {{"10s", "1s", "2026-11-22T12:00:05Z"},
            expired + "2026-11-22T12:00:10Z TTL: 2026-11-22T12:00:05Z"},
           {{"", "1s", "-1s"}, expired + "2026-11-22T12:00:00Z TTL: -1s"},
           {{"2020-01-01T00:00:00Z", "1s", "1h"}, expired}}) {
    const auto timer = parse_timer_schedule(texts, kNow, kOwner);
    ASSERT_EQ(timer.has_value(), message.empty()) << texts.due_time << texts.period << texts.ttl;
    if (timer) continue;
    EXPECT_EQ(timer.error().code, Code::kInvalid);
    EXPECT_TRUE(timer.error().message.starts_with(message)) << timer.error().message;
  }
}

TEST(DaprReminder, WithoutADueTimeTicksAfterOnePeriod) {
  const auto reminder = parse_reminder_schedule({"", "1m", ""}, kNow);
  EXPECT_EQ(reminder->first, kNow + 1min);
  EXPECT_EQ(reminder->next(kNow + 1min, 1), kNow + 2min);
  const auto due = parse_reminder_schedule({"0s", "1m", ""}, kNow);
  EXPECT_EQ(due->first, kNow);
  EXPECT_EQ(due->next(kNow, 1), kNow + 1min);
  EXPECT_FALSE(parse_reminder_schedule({"0s", "", ""}, kNow)->recurring());
  EXPECT_FALSE(parse_reminder_schedule({"5s", "0s", ""}, kNow)->recurring());
}

TEST(DaprReminder, ZeroRepetitionsMeanNoLimit) {
  EXPECT_EQ(parse_reminder_schedule({"", "R0/PT1S", ""}, kNow)->repeats, 0U);
  EXPECT_EQ(parse_reminder_schedule({"", "R4/PT1S", ""}, kNow)->repeats, 4U);
}

TEST(DaprReminder, TtlCountsFromTheDueTimeIfThereIsOne) {
  EXPECT_EQ(parse_reminder_schedule({"10s", "1s", "5s"}, kNow)->expiry, kNow + 15s);
  EXPECT_EQ(parse_reminder_schedule({"", "1s", "5s"}, kNow)->expiry, kNow + 5s);
}

TEST(DaprReminder, ErrorsBeginAsDaprs) {
  for (const auto& [texts, message] : std::vector<Refused>{
           {{"", "", ""}, "job must have either a due time or a schedule"},
           {{"", "0s", ""}, "job must have either a due time or a schedule"},
           {{"", "", "5s"}, "job must have either a due time or a schedule"},
           {{"5s", "", "10s"}, "job must have a schedule to have a ttl"},
           {{"5s", "R3", ""}, "job must have a schedule to repeat"},
           {{"", "P1D", ""}, "unsupported period format: P1D"},
           {{"", "P1Y", ""}, "unsupported period format: P1Y"},
           {{"", "P1W", ""}, "unsupported period format: P1W"},
           {{"", "P1M", ""}, "unsupported period format: P1M"},
           {{"", "@every 1m", ""}, "unsupported period format: @every 1m"},
           {{"", "0 * * * *", ""}, "unsupported period format: 0 * * * *"},
           {{"", "-5s", ""}, "a period of -5s is not above zero"},
           {{"soon", "", ""}, "due time format not recognized"},
           {{"R2/PT1S", "", ""}, "repeats not supported for due time"},
           {{"", "1s", "later"}, "ttl format not recognized"},
           {{"10s", "1s", "0s"}, "ttl must be greater than due time"},
           {{"10s", "1s", "2026-11-22T12:00:10Z"}, "ttl must be greater than due time"},
           {{"", "10s", "5s"}, "ttl must be greater than due time"}}) {
    const auto reminder = parse_reminder_schedule(texts, kNow);
    ASSERT_FALSE(reminder) << message;
    EXPECT_EQ(reminder.error().code, Code::kInvalid);
    EXPECT_TRUE(reminder.error().message.starts_with(message)) << reminder.error().message;
  }
}

TEST(DaprJob, TicksByCronOrEvery) {
  EXPECT_EQ(parse_job_schedule({"", "0 30 8 * * *", ""}, {}, kNow)->first,
            at("2026-11-23T08:30:00Z"));
  EXPECT_EQ(parse_job_schedule({"", "@every 10ms", ""}, {}, kNow)->first, kNow + 10ms);
  const auto due = parse_job_schedule({"5s", "@hourly", "24h"}, 3, kNow);
  EXPECT_EQ(due->first, kNow + 5s);
  EXPECT_EQ(due->next(due->first, 1), kNow + 1h);
  EXPECT_EQ(due->repeats, 3U);
  EXPECT_EQ(due->expiry, kNow + 24h + 5s);
}

TEST(DaprJob, ErrorsBeginAsDaprs) {
  const auto message = [](const ScheduleTexts& texts, std::optional<std::uint32_t> repeats) {
    return parse_job_schedule(texts, repeats, kNow).error().message;
  };
  EXPECT_EQ(message({"", "", ""}, {}), "job must have either a due time or a schedule");
  EXPECT_EQ(message({"5s", "", ""}, 2), "job must have a schedule to repeat");
  EXPECT_EQ(message({"", "@daily", ""}, 0), "defined repeats must be greater than 0");
  EXPECT_EQ(message({"5s", "", "9s"}, {}), "job must have a schedule to have a ttl");
  EXPECT_TRUE(message({"", "PT5S", ""}, {}).starts_with("cron: "));
  EXPECT_TRUE(parse_job_schedule({"5s", "", ""}, 1, kNow));
}

TEST(DaprReminder, ShowsItsPeriodAsEveryAndItsTtlOnlyIfItWasATime) {
  const ScheduleTexts texts{.due_time = "10s", .period = "R5/PT1M", .ttl = "1h"};
  const auto schedule = parse_reminder_schedule(texts, kNow).value();
  EXPECT_EQ(shown_texts(texts, schedule), (ScheduleTexts{"10s", "@every 1m0s", ""}));
  const ScheduleTexts absolute{.due_time = "", .period = "1m", .ttl = "2030-01-01T01:00:00+01:00"};
  EXPECT_EQ(shown_texts(absolute, parse_reminder_schedule(absolute, kNow).value()),
            (ScheduleTexts{"", "@every 1m0s", "2030-01-01T00:00:00Z"}));
}

}  // namespace
}  // namespace troupe

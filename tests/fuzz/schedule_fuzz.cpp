#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/reminders/reminder_record.h"
#include "actors/schedule/dapr_schedule.h"
#include "actors/schedule/schedule.h"
#include "actors/schedule/time_text.h"
#include "runtime/base/check.h"

namespace {

using namespace troupe;

constexpr WallTime kNow{std::chrono::seconds(1'800'000'000)};

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

// What was read ticks ever later, and survives being stored.
void follow(const Schedule& schedule) {
  Writer writer;
  schedule.encode(writer);
  const std::string bytes = writer.take();
  Reader reader(bytes);
  const auto read = Schedule::decode(reader);
  check(read && reader.finished() && *read == schedule, "reads back what was written");
  WallTime time = kFirstWallTime;
  for (std::uint64_t ticks = 0; ticks < 4; ++ticks) {
    const auto next = schedule.next(time, ticks);
    if (!next) break;
    check(*next > time || (ticks == 0 && *next == time), "ticks are strictly later");
    check(*next <= kLastWallTime, "ticks lie on the calendar");
    time = *next;
  }
}

void read_period(std::string_view text) {
  const auto period = parse_period(text);
  if (!period) return;
  const std::string printed = format_period(period->period);
  if (printed.empty()) return;
  const auto again = parse_period(printed);
  check(again && again->period == period->period, "a period reads back as it was printed");
}

void read_stored(std::string_view bytes) {
  const auto record = ReminderRecord::decode(bytes);
  if (!record) return;
  const auto again = ReminderRecord::decode(record->encode());
  check(again && *again == *record, "a record reads back as it was written");
  for (const auto kind : {TickOutcome::Kind::kDone, TickOutcome::Kind::kFailed}) {
    const auto next = advance(*record, {.kind = kind, .fired = kNow}, kNow);
    check(!next || next->due >= next->scheduled, "no tick is due before it is scheduled");
  }
}

}  // namespace

// Input: due time, period and ttl on a line each; and the same bytes as a stored record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string whole(data, data + size);
  read_stored(whole);
  std::string_view rest = whole;
  ScheduleTexts texts;
  texts.due_time = take_line(rest);
  texts.period = take_line(rest);
  texts.ttl = take_line(rest);
  read_period(texts.period);
  const auto timer = parse_timer_schedule(texts, kNow, "a||b||c");
  if (timer) follow(*timer);
  const auto reminder = parse_reminder_schedule(texts, kNow);
  if (reminder) follow(*reminder);
  const auto job = parse_job_schedule(texts, {}, kNow);
  if (job) follow(*job);
  if (reminder) shown_texts(texts, *reminder);
  return 0;
}

#include "actors/state/timer_operations.h"

#include <algorithm>
#include <utility>

#include "actors/schedule/calendar.h"
#include "runtime/base/codec.h"

namespace troupe::actors {

TimerOperation operation_of(const TimerChange& change, WallTime wall) {
  TimerOperation operation{.name = change.name, .timer = {}};
  if (change.cancel) return operation;
  Timer& timer = operation.timer.emplace();
  timer.method = change.method;
  timer.data = change.message;
  timer.schedule.first = saturating_add(wall, std::max(change.after, Duration(0)));
  if (change.every) timer.schedule.period = *change.every;
  timer.schedule.repeats = change.repeats.value_or(0);
  if (change.ttl) timer.schedule.expiry = saturating_add(wall, *change.ttl);
  return operation;
}

std::string encode(const TimerOperation& operation) {
  Writer writer;
  writer.bytes(operation.name);
  writer.boolean(operation.timer.has_value());
  if (!operation.timer) return writer.take();
  const Timer& timer = *operation.timer;
  writer.bytes(timer.method);
  writer.bytes(timer.data.view());
  timer.schedule.encode(writer);
  writer.number(static_cast<std::uint64_t>(timer.catch_up));
  writer.bytes(timer.texts.due_time);
  writer.bytes(timer.texts.period);
  return writer.take();
}

Result<TimerOperation> decode_timer_operation(std::string_view bytes) {
  Reader reader(bytes);
  TimerOperation operation{.name = reader.string(), .timer = {}};
  if (reader.boolean()) {
    Timer& timer = operation.timer.emplace();
    timer.method = reader.string();
    timer.data = Payload(reader.string());
    Result<Schedule> schedule = Schedule::decode(reader);
    if (!schedule) return fail(Code::kInvalid, "a damaged timer operation");
    timer.schedule = *std::move(schedule);
    timer.catch_up = static_cast<TickCatchUp>(
        reader.number_up_to(static_cast<std::uint64_t>(TickCatchUp::kSkip)));
    timer.texts.due_time = reader.string();
    timer.texts.period = reader.string();
  }
  if (operation.name.empty()) reader.damage();
  if (!reader.finished()) return fail(Code::kInvalid, "a damaged timer operation");
  return operation;
}

}  // namespace troupe::actors

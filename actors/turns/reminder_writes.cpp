#include "actors/turns/reminder_writes.h"

namespace troupe::actors {

Result<storage::ReminderWrite> reminder_write(const ActorKey&, const ReminderChange& change,
                                              WallTime) {
  return fail(Code::kUnimplemented, "reminders: " + change.name);
}
Result<TurnMessage> tick_message(std::string_view) {
  return fail(Code::kUnimplemented, "reminders");
}
Result<storage::ReminderWrite> tick_write(const storage::TickCause&, std::string_view, TickEnd,
                                          WallTime, bool*) {
  return fail(Code::kUnimplemented, "reminders");
}

}  // namespace troupe::actors

#pragma once

#include <string_view>
#include <vector>

#include "runtime/api/service.h"

/// The JSON bodies of Dapr's actor endpoints: member names in any case, unknown members ignored,
/// `null` like a missing one.
namespace troupe::api {

/// Leaves the keys to the caller. kInvalid, saying where, for what is not such a body.
Result<std::vector<StateChange>> read_state_changes(std::string_view body);
Result<ReminderRequest> read_reminder(std::string_view body);
Result<TimerRequest> read_timer(std::string_view body);

/// What GET of a reminder shows.
std::string reminder_json(const NamedReminder& reminder);
std::string metadata_json(const Metadata& metadata);

}  // namespace troupe::api

#pragma once

#include <memory>

#include "actors/activation/home.h"
#include "actors/directory/call.h"
#include "actors/turns/right.h"

namespace troupe::actors {

/// Runs a call of kind kReminders under `right`: commits, or reads, without an activation.
void run_reminder_call(Home& home, const std::shared_ptr<Right>& right, Call call);

}  // namespace troupe::actors

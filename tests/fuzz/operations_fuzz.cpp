#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/reminders/reminder_record.h"
#include "actors/state/operations.h"
#include "actors/state/reminder_operations.h"
#include "actors/state/timer_operations.h"
#include "actors/turns/outbox_message.h"
#include "runtime/base/check.h"

namespace {

using namespace troupe::actors;

// What decodes is encoded to something that decodes, and to the same again.
template <class Decode>
void round_trip(std::string_view bytes, Decode decode) {
  const auto value = decode(bytes);
  if (!value) return;
  const std::string encoded = encode(*value);
  const auto again = decode(encoded);
  troupe::check(again.has_value(), "what was read can be read again");
  troupe::check(encode(*again) == encoded, "and is the same");
}

}  // namespace

// Input: what one node asks another to do with an actor's values, reminders or timers, what it
// answers, or what lies in an outbox.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  round_trip(bytes, decode_state_operations);
  round_trip(bytes, decode_stored_values);
  round_trip(bytes, decode_reminder_operation);
  round_trip(bytes, decode_reminder_facts);
  round_trip(bytes, decode_timer_operation);
  round_trip(bytes, decode_outbox_message);
  static_cast<void>(reminder_facts(bytes));
  return 0;
}

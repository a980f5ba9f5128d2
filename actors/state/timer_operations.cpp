#include "actors/state/timer_operations.h"

#include <limits>

#include "runtime/base/codec.h"

namespace troupe::actors {

std::string encode(const TimerChange& change) {
  Writer writer;
  writer.bytes(change.name);
  writer.boolean(change.cancel);
  writer.bytes(change.method);
  writer.bytes(change.message.view());
  writer.integer(change.after.count());
  writer.boolean(change.every.has_value());
  if (change.every) writer.integer(change.every->count());
  writer.boolean(change.repeats.has_value());
  if (change.repeats) writer.number(*change.repeats);
  writer.boolean(change.ttl.has_value());
  if (change.ttl) writer.integer(change.ttl->count());
  return writer.take();
}

Result<TimerChange> decode_timer_change(std::string_view bytes) {
  Reader reader(bytes);
  TimerChange change;
  change.name = reader.string();
  change.cancel = reader.boolean();
  change.method = reader.string();
  change.message = Payload(reader.string());
  change.after = Duration(reader.integer());
  if (reader.boolean()) change.every = Duration(reader.integer());
  if (reader.boolean()) {
    change.repeats =
        static_cast<std::uint32_t>(reader.number_up_to(std::numeric_limits<std::uint32_t>::max()));
  }
  if (reader.boolean()) change.ttl = Duration(reader.integer());
  if (change.name.empty() || change.after < Duration(0)) reader.damage();
  if (change.every && *change.every <= Duration(0)) reader.damage();
  if (!reader.finished()) return fail(Code::kInvalid, "a damaged timer operation");
  return change;
}

}  // namespace troupe::actors

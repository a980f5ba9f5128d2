#pragma once

#include <string>
#include <string_view>

#include <troupe/actor_type.h>
#include <troupe/result.h>

namespace troupe::actors {

/// A one-way message as it lies in a shard's outbox, with the trace it belongs to.
struct OutboxMessage {
  OneWayMessage message;
  std::string traceparent;
};

std::string encode(const OutboxMessage& message);
/// kDataLoss for damaged bytes.
Result<OutboxMessage> decode_outbox_message(std::string_view bytes);

}  // namespace troupe::actors

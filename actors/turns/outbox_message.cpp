#include "actors/turns/outbox_message.h"

#include "runtime/base/codec.h"

namespace troupe::actors {

std::string encode(const OutboxMessage& message) {
  Writer writer;
  writer.bytes(message.message.target.type);
  writer.bytes(message.message.target.id);
  writer.bytes(message.message.method);
  writer.bytes(message.message.message.view());
  writer.bytes(message.traceparent);
  return writer.take();
}

Result<OutboxMessage> decode_outbox_message(std::string_view bytes) {
  Reader reader(bytes);
  OutboxMessage message;
  message.message.target.type = reader.string();
  message.message.target.id = reader.string();
  message.message.method = reader.string();
  message.message.message = reader.string();
  message.traceparent = reader.string();
  if (!reader.finished()) return fail(Code::kDataLoss, "damaged outbox message");
  return message;
}

}  // namespace troupe::actors

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/shard/machine.h"
#include "storage/shard/rows.h"

/// What stands in the values of a shard's rows. The formats are written down in storage/README.md.
/// Decoding gives nothing for damaged bytes.
namespace troupe::storage {

std::string encode_owner(const Owner& owner);
std::optional<Owner> decode_owner(std::string_view bytes);

/// Of a ValueRow all but its name, which is in the key: this, and then the value as it is.
std::string encode_value_head(std::uint64_t etag, const std::optional<WallTime>& expires);
std::optional<ValueRow> decode_value(std::string_view bytes);

/// Of a ReminderRow what is not in the key: this, and then the body as it is.
std::string encode_reminder_head(const ReminderMark& mark);
std::optional<ReminderMark> decode_reminder_head(std::string_view bytes);
std::optional<ReminderRow> decode_reminder(std::string_view bytes);

struct RecordedCall {
  WallTime keep_until;
  bool reply_recorded = false;
  std::string reply;
};
std::string encode_recorded_call(const RecordedCall& call);
std::optional<RecordedCall> decode_recorded_call(std::string_view bytes);

std::string encode_done_calls(const DoneCalls& done);
std::optional<DoneCalls> decode_done_calls(std::string_view bytes);

std::string encode_outbox_state(const OutboxState& state);
std::optional<OutboxState> decode_outbox_state(std::string_view bytes);

std::string encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::string_view bytes);

std::string encode_time(WallTime when);
std::optional<WallTime> decode_time(std::string_view bytes);

std::string encode_row_version(RowVersion version);
std::optional<RowVersion> decode_row_version(std::string_view bytes);

/// The (type, id, name) that an actor's row or an index entry ends with.
struct ActorRowKey {
  std::string type;
  std::string id;
  std::string name;
};
std::optional<ActorRowKey> decode_actor_row_key(std::string_view rest);

}  // namespace troupe::storage

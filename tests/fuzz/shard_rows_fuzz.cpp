#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <xxhash.h>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"
#include "storage/shard/row_codec.h"
#include "storage/shard/snapshot.h"

namespace {

using namespace troupe::storage;

// What decodes is encoded to something that decodes, and to the same again.
template <class Decode, class Encode>
void round_trip(std::string_view bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  if (!value) return;
  const std::string encoded = encode(*value);
  const auto again = decode(encoded);
  troupe::check(again.has_value(), "a row that was read can be read again");
  troupe::check(encode(*again) == encoded, "a row survives the disk");
}

void read_rows(std::string_view bytes) {
  round_trip(bytes, decode_owner, encode_owner);
  round_trip(bytes, decode_value, [](const ValueRow& row) {
    return encode_value_head(row.etag, row.expires).append(row.value);
  });
  round_trip(bytes, decode_reminder, [](const ReminderRow& row) {
    return encode_reminder_head(
               {.registration = row.registration, .number = row.number, .due = row.due})
        .append(row.body);
  });
  round_trip(bytes, decode_recorded_call, encode_recorded_call);
  round_trip(bytes, decode_outbox_state, encode_outbox_state);
  round_trip(bytes, decode_number, encode_number);
  round_trip(bytes, decode_time, encode_time);
  round_trip(bytes, decode_row_version, encode_row_version);
  static_cast<void>(decode_actor_row_key(bytes));
}

// The checksum is added here: what comes behind it is the subject.
void install(std::string_view body) {
  const ReplicaKeys keys(troupe::ShardId{3}, troupe::ReplicaId{9});
  std::string chunk;
  troupe::append_big_endian(chunk, std::uint64_t{XXH3_64bits(body.data(), body.size())});
  chunk += body;
  Batch batch;
  RowsHash hash;
  static_cast<void>(install_chunk(batch, keys, body, hash));
  if (install_chunk(batch, keys, chunk, hash)) {
    troupe::check(body.empty() == batch.empty(), "a chunk is taken whole");
  } else {
    troupe::check(batch.empty(), "of a damaged chunk nothing is taken");
  }
}

}  // namespace

// Input: the value of a row, the rest of its key, or rows of a snapshot, as a peer or a disk has
// them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_rows(bytes);
  install(bytes);
  return 0;
}

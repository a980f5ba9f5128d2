#include "storage/shard/entry.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/hex.h"
#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

Entry full_turn() {
  TurnCommand turn;
  turn.type = "Cart";
  turn.id = "alice";
  turn.epoch = {3};
  turn.sequence = 4;
  turn.cause = call(5);
  turn.state = {put("", "v"), put("gone", "")};
  turn.state[0].expires = at(6);
  turn.state[0].etag = 7;
  turn.state[1].value.reset();
  turn.reminders = {remind("nudge", at(8))};
  turn.outbox = {{ShardId{2}, "m"}};
  turn.reply = "r";
  return {.now = at(1), .command = turn};
}

std::vector<Entry> one_of_each() {
  Entry tick = full_turn();
  std::get<TurnCommand>(tick.command).cause =
      TickCause{.name = "nudge", .registration = 9, .number = 10};
  Entry message = full_turn();
  std::get<TurnCommand>(message.command).cause =
      OutboxCause{.source = ShardId{1}, .number = 11, .low_water = 12};
  Entry done = full_turn();
  std::get<CallCause>(std::get<TurnCommand>(done.command).cause).done_below = 4;
  return {
      full_turn(),
      tick,
      message,
      done,
      {.now = at(-1),
       .command =
           AssignCommand{.type = "Cart", .node = {1, 2}, .generation = {3}, .replaces = {4}}},
      {.now = at(2), .command = OutboxDoneCommand{.target = ShardId{5}, .numbers = {1, 300}}},
      {.now = at(2), .command = WatermarkCommand{.watermark = at(3)}},
      {.now = at(2),
       .command = RestoreCommand{
           .step = RestoreCommand::Step::kLoad,
           .restore = "r",
           .part = 3,
           .rows = {
               RestoredValue{
                   .type = "Cart", .id = "a", .name = "n", .value = "v", .expires = at(4)},
               RestoredReminder{
                   .type = "Cart", .id = "a", .name = "r", .number = 2, .due = at(5), .body = "b"},
               RestoredMessage{.target = {6}, .message = "m"},
               RestoredCall{.id = {.origin = {1, 2}, .generation = {3}, .sequence = 4},
                            .keep_until = at(7),
                            .reply_recorded = true,
                            .reply = "y"},
               RestoredEpoch{.type = "Cart", .epoch = {8}}}}}};
}

// A failure here means that this version cannot read the logs of those before.
TEST(Entry, BytesNeverChangeBetweenVersions) {
  const std::vector<std::string> expected = {
      "95bd112fe5b805070180897a00044361727405616c69636503040100000000000000090000000000000009020580"
      "d0acf30e02000101760180b6dc05010704676f6e650000000100056e756467650180c8d00704626f64790102016d"
      "0172",
      "10e3c7e3069401180180897a00044361727405616c696365030402056e75646765090a02000101760180b6dc0501"
      "0704676f6e650000000100056e756467650180c8d00704626f64790102016d0172",
      "f26c93a83176eb560180897a00044361727405616c696365030403010b0c02000101760180b6dc05010704676f6e"
      "650000000100056e756467650180c8d00704626f64790102016d0172",
      "e3503e7f95d971bc0280897a00044361727405616c69636503040100000000000000090000000000000009020580"
      "d0acf30e0402000101760180b6dc05010704676f6e650000000100056e756467650180c8d00704626f6479010201"
      "6d0172",
      "3a190ba38cc710cc01ff887a010443617274000000000000000100000000000000020304",
      "06e86fb6831a06a2018092f40102050201ac02",
      "8416827632956a99018092f40103809bee02",
      "a5f2c3dc2db9ae01028092f4010401017203470004436172740161016e01760180a4e80301044361727401610172"
      "0280ade20401620206016d0300000000000000010000000000000002030480bfd60601017904044361727408",
  };
  const std::vector<Entry> entries = one_of_each();
  ASSERT_EQ(entries.size(), expected.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(to_hex(encode(entries[i])), expected[i]) << i;
  }
}

TEST(Entry, ReadsWhatItWrote) {
  for (const Entry& entry : one_of_each()) {
    const std::string bytes = encode(entry);
    const Result<Entry> read = decode_entry(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(encode(*read), bytes);
    EXPECT_EQ(read->command.index(), entry.command.index());
  }
}

TEST(Entry, AnyDamagedOrMissingByteIsNoticed) {
  for (const Entry& entry : one_of_each()) {
    const std::string bytes = encode(entry);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      EXPECT_EQ(decode_entry(bytes.substr(0, i)).error().code, Code::kDataLoss);
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
      EXPECT_EQ(decode_entry(flipped).error().code, Code::kDataLoss);
    }
    EXPECT_EQ(decode_entry(bytes + "x").error().code, Code::kDataLoss);
  }
}

TEST(Entry, NewerVersionIsUnimplementedNotDamaged) {
  // The bytes of a version 3 that this one knows nothing of but its checksum.
  const std::string newer = from_hex(
      "e033c958e2cc8a57"
      "03077a7a7a");
  EXPECT_EQ(decode_entry(newer).error().code, Code::kUnimplemented);
}

}  // namespace
}  // namespace troupe::storage

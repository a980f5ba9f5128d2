#include "storage/backup/backup_file.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/backup/row.h"
#include "tests/support/hex.h"
#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

BackupReader::Source from(std::string bytes) {
  return [bytes = std::move(bytes), at = std::size_t{0}](std::size_t size) mutable {
    const std::string next = bytes.substr(at, size);
    at += next.size();
    return Result<std::string>(next);
  };
}

// All parts, or why not.
Result<std::vector<BackupPart>> read(std::string bytes) {
  BackupReader reader(from(std::move(bytes)));
  std::vector<BackupPart> parts;
  for (;;) {
    Result<BackupPart> part = reader.next();
    if (!part) return fail(part.error());
    parts.push_back(*std::move(part));
    if (std::holds_alternative<BackupEnd>(parts.back())) return parts;
  }
}

// Of a shard in which something of everything stands.
std::vector<BackupPart> shard_parts(std::uint32_t number) {
  ShardBench shard;
  shard.own();
  for (int i = 0; i < 20; ++i) {
    TurnCommand turn = shard.turn("Cart", "actor" + std::to_string(i));
    turn.state = {put("", "state")};
    turn.reminders = {remind("r", at(5000))};
    turn.outbox = {{ShardId{1}, "m"}};
    turn.cause = call(static_cast<std::uint64_t>(i));
    shard.apply(turn);
  }
  shard.writer.flush();
  shard.disk.complete_all();
  SnapshotReader reader(shard.disk.view(), shard.keys, 500);
  std::vector<BackupPart> parts = {BackupShard{.shard = {number}, .applied = shard.index}};
  for (auto chunk = reader.next(); chunk && !chunk->empty(); chunk = reader.next()) {
    parts.emplace_back(BackupRows{.chunk = *chunk});
  }
  parts.emplace_back(BackupShardEnd{.hash = reader.hash()});
  return parts;
}

std::vector<BackupPart> backup() {
  std::vector<BackupPart> parts = {BackupHeader{.backup = "b",
                                                .cluster = "c",
                                                .shard_count = 2,
                                                .taken = at(7),
                                                .addresses = {"127.0.0.1:3500"}}};
  for (const std::uint32_t shard : {0U, 1U}) {
    for (BackupPart& part : shard_parts(shard)) parts.push_back(std::move(part));
  }
  parts.emplace_back(BackupEnd());
  return parts;
}

std::vector<std::string> written(const std::vector<BackupPart>& parts) {
  BackupWriter writer;
  std::vector<std::string> pieces;
  pieces.reserve(parts.size());
  for (const BackupPart& part : parts) pieces.push_back(writer.bytes_of(part));
  return pieces;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& each : pieces) all += each;
  return all;
}

TEST(BackupFile, GivesBackWhatWasWritten) {
  const std::vector<BackupPart> parts = backup();
  EXPECT_GT(parts.size(), 8U);
  const auto again = read(joined(written(parts)));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, parts);
}

TEST(BackupFile, AnyMissingOrChangedByteIsNoticed) {
  const std::string bytes = joined(written(backup()));
  for (std::size_t i = 0; i < bytes.size(); i += i < 200 ? 1 : 7) {
    EXPECT_FALSE(read(bytes.substr(0, i))) << i;
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    EXPECT_FALSE(read(flipped)) << i;
  }
  EXPECT_EQ(read(bytes.substr(0, bytes.size() - 1)).error().code, Code::kDataLoss);
  EXPECT_EQ(read(bytes + "x").error().code, Code::kDataLoss);
}

TEST(BackupFile, PartsThatAreMissingOrTwiceOrElsewhereAreNoticed) {
  const std::vector<std::string> pieces = written(backup());
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    std::vector<std::string> without = pieces;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(read(joined(without))) << i;
    std::vector<std::string> twice = pieces;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), pieces[i]);
    EXPECT_FALSE(read(joined(twice))) << i;
    std::vector<std::string> swapped = pieces;
    std::swap(swapped[i], swapped[i - 1]);
    EXPECT_FALSE(read(joined(swapped))) << i;
  }
}

// Also where somebody has made the checksums fit.
TEST(BackupFile, PartsOutOfOrderMakeNoSense) {
  const std::vector<BackupPart> parts = backup();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::vector<BackupPart> without = parts;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(read(joined(written(without)))) << i;
    std::vector<BackupPart> twice = parts;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), parts[i]);
    EXPECT_FALSE(read(joined(written(twice)))) << i;
  }
}

TEST(BackupFile, OthersAndNewerOnesAreNamedAsSuch) {
  EXPECT_EQ(read("not a backup at all, but text").error().code, Code::kInvalid);
  EXPECT_EQ(read("").error().code, Code::kInvalid);
  const auto newer = read("troupe backup 2\n and what it may hold");
  EXPECT_EQ(newer.error().code, Code::kUnimplemented);
  EXPECT_NE(newer.error().message.find("newer"), std::string::npos);
}

TEST(BackupFile, BytesNeverChangeBetweenVersions) {
  const std::string bytes = joined(written(
      {BackupHeader{
           .backup = "b", .cluster = "c", .shard_count = 1, .taken = at(7), .addresses = {}},
       BackupShard{.shard = {0}, .applied = 9}, BackupShardEnd{.hash = RowsHash().value()},
       BackupEnd()}));
  EXPECT_EQ(to_hex(bytes),
            "74726f757065206261636b757020310a000000000a54b59bb00ee8e118016201630180bfd60600010000"
            "0002c8b12c6d00a3cb8300090300000010cdd538ddf158454b99aa06d3014798d86001c324468d497f0400"
            "00000065426bb67fb165f9");
  EXPECT_TRUE(read(bytes));
}

TEST(BackupRow, EachKindOfRowMeansWhatItMeant) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.state = {put("n", "v")};
  turn.state.front().expires = at(5000);
  turn.reminders = {remind("r", at(4000))};
  turn.outbox = {{ShardId{1}, "m"}};
  turn.cause = call(7);
  turn.reply = "said";
  shard.apply(turn);
  for (const std::uint64_t number : {1U, 5U}) {
    TurnCommand consumes = shard.turn();
    consumes.cause = OutboxCause{.source = {2}, .number = number, .low_water = 1};
    shard.apply(consumes);
  }
  shard.writer.flush();
  shard.disk.complete_all();
  SnapshotReader reader(shard.disk.view(), shard.keys, 1 << 20);
  std::vector<BackupRow> rows;
  ASSERT_TRUE(each_row(*reader.next(), [&](std::string_view key, std::string_view value) {
    rows.push_back(decode_backup_row(key, value).value());
    return Result<void>();
  }));
  const std::vector<BackupRow> expected = {
      RestoredValue{.type = "Cart", .id = "alice", .name = "n", .value = "v", .expires = at(5000)},
      RestoredReminder{
          .type = "Cart", .id = "alice", .name = "r", .number = 1, .due = at(4000), .body = "body"},
      RestoredCall{.id = {.origin = {9, 9}, .generation = {2}, .sequence = 7},
                   .keep_until = at(2000),
                   .reply_recorded = true,
                   .reply = "said"},
      RestoredEpoch{.type = "Cart", .epoch = {1}},
      SentMessage{.target = {1}, .number = 1, .message = "m"},
      ConsumedMessage{.source = {2}, .number = 2, .all_below = true},
      ConsumedMessage{.source = {2}, .number = 5, .all_below = false}};
  for (const BackupRow& each : expected) {
    EXPECT_EQ(std::ranges::count(rows, each), 1) << each.index();
  }
  const auto others = std::ranges::count(rows, BackupRow(OtherRow()));
  EXPECT_EQ(rows.size(), expected.size() + static_cast<std::size_t>(others));
}

TEST(BackupRow, UnknownAndDamagedOnesAreRefused) {
  EXPECT_EQ(decode_backup_row("?x", "").error().code, Code::kUnimplemented);
  EXPECT_EQ(decode_backup_row("", "").error().code, Code::kDataLoss);
  for (const char kind : std::string("srceoil")) {
    EXPECT_EQ(decode_backup_row(std::string(1, kind), "").error().code, Code::kDataLoss) << kind;
  }
}

}  // namespace
}  // namespace troupe::storage

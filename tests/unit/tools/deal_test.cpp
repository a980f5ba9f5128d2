#include "tools/troupe/deal.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "actors/turns/outbox_message.h"
#include "placement/table/row.h"
#include "storage/keys.h"
#include "storage/shard/row_codec.h"

namespace troupe::tools {
namespace {

using storage::RestoredRow;

const storage::ReplicaKeys kKeys({}, {});
constexpr WallTime kNow{std::chrono::seconds(1000)};

struct Row {
  ShardId shard;
  std::string key;
  std::string value;
};

std::string tail(const std::string& key) { return key.substr(kKeys.data_prefix().size()); }

std::string message(const std::string& to, const std::string& text) {
  actors::OutboxMessage message;
  message.message.target = {"Cart", to};
  message.message.method = "add";
  message.message.message = text;
  return encode(message);
}

Row value_row(const std::string& id, std::uint32_t shards, std::optional<WallTime> expires = {}) {
  return {placement::shard_of("Cart", id, shards), tail(kKeys.value("Cart", id, "")),
          storage::encode_value_head(5, expires) + "state of " + id};
}
Row sent_row(std::uint32_t from, const std::string& to, std::uint64_t number,
             std::uint32_t shards) {
  return {{from},
          tail(kKeys.outbox(placement::shard_of("Cart", to, shards), number)),
          message(to, std::to_string(number))};
}

Row epoch_row(std::uint32_t shard, Epoch epoch) {
  storage::Owner owner;
  owner.epoch = epoch;
  return {{shard}, tail(kKeys.owner("Cart")), storage::encode_owner(owner)};
}

std::map<ShardId, std::vector<RestoredRow>> dealt(const std::vector<Row>& rows, std::uint32_t from,
                                                  std::uint32_t to) {
  Dealer dealer({.from = from, .to = to, .now = kNow});
  std::map<ShardId, std::vector<RestoredRow>> shards;
  for (const Row& row : rows) EXPECT_TRUE(dealer.learn(row.shard, row.key, row.value));
  for (const Row& row : rows) {
    EXPECT_TRUE(dealer.deal(row.shard, row.key, row.value, [&](ShardId at, RestoredRow given) {
      shards[at].push_back(std::move(given));
      return Result<void>();
    }));
  }
  return shards;
}

const std::vector<std::pair<std::uint32_t, std::uint32_t>> kSizes = {
    {8, 8}, {8, 1}, {8, 2}, {1, 8}, {4, 32}};

TEST(Dealer, ActorsAreWhereTheyWillBeLookedFor) {
  for (const auto& [from, to] : kSizes) {
    std::vector<Row> rows;
    for (int i = 0; i < 100; ++i) {
      const std::string id = "a" + std::to_string(i);
      rows.push_back(value_row(id, from));
      rows.push_back({rows.back().shard, tail(kKeys.reminder("Cart", id, "r")),
                      storage::encode_reminder_head(
                          {.registration = 9, .number = 3, .due = kNow - Duration(5)}) +
                          "body"});
    }
    std::size_t count = 0;
    for (const auto& [shard, given] : dealt(rows, from, to)) {
      for (const RestoredRow& row : given) {
        ++count;
        if (const auto* value = std::get_if<storage::RestoredValue>(&row)) {
          EXPECT_EQ(placement::shard_of("Cart", value->id, to), shard);
          EXPECT_EQ(value->value, "state of " + value->id);
        } else {
          const auto& reminder = std::get<storage::RestoredReminder>(row);
          EXPECT_EQ(placement::shard_of("Cart", reminder.id, to), shard);
          EXPECT_EQ(reminder.number, 3U);
          EXPECT_EQ(reminder.due, kNow - Duration(5));  // overdue, and kept
        }
      }
    }
    EXPECT_EQ(count, 200U);
  }
}

TEST(Dealer, MessagesThatWereConsumedAreDroppedAndOthersKeepTheirOrder) {
  for (const auto& [from, to] : kSizes) {
    const ShardId receiver = placement::shard_of("Cart", "bob", from);
    std::vector<Row> rows;
    for (std::uint64_t number = 3; number <= 9; ++number) {
      rows.push_back(sent_row(0, "bob", number, from));
    }
    rows.push_back({receiver, tail(kKeys.inbox_low_water({0})), storage::encode_number(5)});
    rows.push_back({receiver, tail(kKeys.inbox({0}, 7)), ""});
    // Of another sender: says nothing of these.
    rows.push_back({receiver, tail(kKeys.inbox({from - 1 == 0 ? 7 : from - 1}, 8)), ""});
    std::vector<std::string> left;
    for (const auto& [shard, given] : dealt(rows, from, to)) {
      for (const RestoredRow& row : given) {
        const auto& sent = std::get<storage::RestoredMessage>(row);
        EXPECT_EQ(sent.target, placement::shard_of("Cart", "bob", to));
        left.emplace_back(actors::decode_outbox_message(sent.message)->message.message.view());
      }
    }
    EXPECT_EQ(left, (std::vector<std::string>{"5", "6", "8", "9"})) << from << " to " << to;
  }
}

TEST(Dealer, CallsAndEpochsGoWhereverTheirActorsMayBe) {
  const storage::CallId id{.origin = {1, 2}, .generation = {3}, .sequence = 4};
  for (const auto& [from, to] : kSizes) {
    for (std::uint32_t old = 0; old < from; ++old) {
      const auto shards =
          dealt({{{old},
                  tail(kKeys.call(id)),
                  storage::encode_recorded_call(
                      {.keep_until = kNow + Duration(1), .reply_recorded = true, .reply = "said"})},
                 epoch_row(old, {6})},
                from, to);
      for (int i = 0; i < 50; ++i) {
        const std::string actor = "a" + std::to_string(i);
        if (placement::shard_of("Cart", actor, from).value != old) continue;
        const auto found = shards.find(placement::shard_of("Cart", actor, to));
        ASSERT_NE(found, shards.end()) << from << " to " << to;
        EXPECT_EQ(found->second.size(), 2U);
        EXPECT_EQ(std::get<storage::RestoredCall>(found->second[0]).id, id);
        EXPECT_EQ(std::get<storage::RestoredEpoch>(found->second[1]).epoch.value,
                  6 + Dealer::kEpochLeap);
      }
    }
  }
}

TEST(Dealer, WhatHasExpiredIsLeftOut) {
  const auto shards = dealt(
      {value_row("gone", 4, kNow),
       value_row("kept", 4, kNow + Duration(1)),
       {{0},
        tail(kKeys.call({.origin = {1, 1}, .generation = {}, .sequence = 1})),
        storage::encode_recorded_call({.keep_until = kNow, .reply_recorded = false, .reply = {}})}},
      4, 4);
  ASSERT_EQ(shards.size(), 1U);
  EXPECT_EQ(std::get<storage::RestoredValue>(shards.begin()->second.at(0)).id, "kept");
}

TEST(Dealer, WhatCannotBeReadOrGivenStopsIt) {
  Dealer dealer({.from = 2, .to = 2, .now = kNow});
  const auto refuses = [](ShardId, const RestoredRow&) -> Result<void> {
    return fail(Code::kUnavailable, "no");
  };
  const Row row = value_row("a", 2);
  EXPECT_EQ(dealer.deal(row.shard, row.key, row.value, refuses).error().code, Code::kUnavailable);
  EXPECT_EQ(dealer.deal({0}, "?", "", refuses).error().code, Code::kUnimplemented);
  EXPECT_EQ(dealer.learn({0}, "i", "").error().code, Code::kDataLoss);
  const Row sent = sent_row(0, "a", 1, 2);
  EXPECT_EQ(dealer.deal({0}, sent.key, "damaged", refuses).error().code, Code::kDataLoss);
}

}  // namespace
}  // namespace troupe::tools

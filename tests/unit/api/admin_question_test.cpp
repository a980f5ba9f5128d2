#include "runtime/api/admin_question.h"

#include <gtest/gtest.h>

#include "actors/reminders/reminder_record.h"
#include "tests/support/shard_bench.h"

namespace troupe::api {
namespace {

using storage::ShardBench;

AdminQuestion question(std::string what, std::string id = {}, std::uint64_t limit = 10) {
  AdminQuestion question;
  question.what = std::move(what);
  question.type = "Cart";
  question.id = std::move(id);
  question.limit = limit;
  return question;
}

std::string answer(const ShardBench& shard, AdminQuestion asked) {
  AdminAnswer answer(std::move(asked), storage::at(1000));
  const Result<void> added = answer.add(shard.writer, shard.keys);
  if (!added) return added.error().message;
  return *answer.finish();
}

void put(ShardBench& shard, const std::string& id, const std::string& name,
         const std::string& value) {
  storage::TurnCommand turn = shard.turn("Cart", id);
  turn.state.push_back(storage::put(name, value));
  shard.apply(std::move(turn));
}

TEST(AdminAnswers, IdsComeInPages) {
  ShardBench shard;
  shard.own();
  for (const char* id : {"c", "a", "b"}) put(shard, id, "", "\x01{}");
  EXPECT_EQ(answer(shard, question("ids", {}, 2)), R"({"ids":["a","b"],"next":"b"})");
  AdminQuestion rest = question("ids", {}, 2);
  rest.after = "b";
  EXPECT_EQ(answer(shard, rest), R"({"ids":["c"],"next":""})");
}

TEST(AdminAnswers, StateIsShownAsWhatItIs) {
  ShardBench shard;
  shard.own();
  put(shard, "a", "", "\x01{\"n\":1}");
  put(shard, "a", "items", "[1]");
  const auto values = from_json<std::vector<ValueView>>(answer(shard, question("state", "a")));
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 2U);
  EXPECT_EQ((*values)[0].name, "");
  EXPECT_EQ((*values)[0].format, "json");
  EXPECT_EQ((*values)[0].value.text(), R"({"n":1})");
  EXPECT_EQ((*values)[1].name, "items");
  EXPECT_EQ((*values)[1].value.text(), "[1]");
  EXPECT_EQ(answer(shard, question("state", "nobody")), "[]");
}

TEST(AdminAnswers, BytesAreShownInBase64) {
  EXPECT_EQ(shown_value("", std::string("\x03hi")).value.text(), R"("aGk=")");
  EXPECT_EQ(shown_value("", std::string("\x03hi")).format, "bytes");
  EXPECT_EQ(shown_value("x", "hi").format, "bytes");
  EXPECT_EQ(shown_value("x", "1").format, "json");
}

TEST(AdminAnswers, RemindersAreShownInOrder) {
  ShardBench shard;
  shard.own();
  for (const char* id : {"b", "a"}) {
    ReminderRecord record;
    record.key = {"Cart", id};
    record.name = "nudge";
    record.method = "nudge";
    record.schedule.first = storage::at(5000);
    record = registered(std::move(record));
    storage::TurnCommand turn = shard.turn("Cart", id);
    turn.reminders.push_back(storage::remind("nudge", record.due));
    turn.reminders.back().body = record.encode();
    shard.apply(std::move(turn));
  }
  const auto all = from_json<std::vector<ReminderView>>(answer(shard, question("reminders")));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].id, "a");
  EXPECT_EQ((*all)[1].id, "b");
  EXPECT_EQ((*all)[0].next, storage::at(5000));
  EXPECT_EQ((*all)[0].method, "nudge");
}

TEST(AdminAnswers, UnknownQuestionsAreRefused) {
  ShardBench shard;
  EXPECT_EQ(answer(shard, question("secrets")), "no question secrets");
}

TEST(AdminAnswers, PagesOfSeveralLeadersBecomeOne) {
  const IdsView all =
      merged({IdsView{.ids = {"a", "d"}, .next = "d"}, IdsView{.ids = {"b", "c"}, .next = {}}}, 3);
  EXPECT_EQ(all.ids, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(all.next, "c");
  EXPECT_EQ(merged({IdsView{.ids = {"a"}, .next = {}}}, 3).next, "");
}

TEST(AdminQuestions, TravelAsJson) {
  AdminQuestion asked = question("ids");
  asked.after = "x";
  asked.shards = {1, 5};
  const auto read = from_json<AdminQuestion>(to_json(asked));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->what, "ids");
  EXPECT_EQ(read->after, "x");
  EXPECT_EQ(read->shards, asked.shards);
}

}  // namespace
}  // namespace troupe::api

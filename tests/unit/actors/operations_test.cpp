#include "actors/state/operations.h"

#include <gtest/gtest.h>

#include "actors/schedule/calendar.h"
#include "actors/state/content_hash.h"
#include "actors/state/timer_operations.h"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

StateOperations some_operations() {
  StateOperations operations;
  operations.changes.push_back({.name = "a", .value = "1", .etag = 7, .ttl = 5s});
  operations.changes.push_back({.name = "b", .value = std::nullopt, .etag = {}, .ttl = {}});
  operations.reads = {"c"};
  operations.read_all = true;
  return operations;
}

TEST(StateOperations, ReadBackAsWritten) {
  const Result<StateOperations> read = decode_state_operations(encode(some_operations()));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->changes.size(), 2U);
  EXPECT_EQ(read->changes[0].value, "1");
  EXPECT_EQ(read->changes[0].etag, 7U);
  EXPECT_EQ(read->changes[0].ttl, 5s);
  EXPECT_FALSE(read->changes[1].value);
  EXPECT_EQ(read->reads, (std::vector<std::string>{"c"}));
  EXPECT_TRUE(read->read_all);
}

TEST(StateOperations, EveryTruncationIsRefused) {
  const std::string whole = encode(some_operations());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state_operations(whole.substr(0, length))) << length;
  }
}

TEST(StateOperations, TheNativeStateIsOutOfReach) {
  StateOperations operations;
  operations.changes.push_back({.name = "", .value = "1", .etag = {}, .ttl = {}});
  EXPECT_FALSE(decode_state_operations(encode(operations)));
}

TEST(StoredValues, ReadBackAsWritten) {
  const StoredValues values{{"a", {.value = "1", .etag = 3, .expires = WallTime(5s)}},
                            {"b", {.value = "", .etag = 4, .expires = {}}}};
  const Result<StoredValues> read = decode_stored_values(encode(values));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].second.expires, WallTime(5s));
  EXPECT_EQ((*read)[1].second.etag, 4U);
}

TEST(TimerOperation, OfTheLongestTimesIsDueAndEndsAtTheEndOfTheCalendar) {
  TimerChange change;
  change.after = Duration::max();
  change.ttl = Duration::max();
  const TimerOperation operation = operation_of(change, WallTime(1h));
  ASSERT_TRUE(operation.timer);
  EXPECT_EQ(operation.timer->schedule.first, kLastWallTime);
  EXPECT_EQ(operation.timer->schedule.expiry, kLastWallTime);
}

TEST(ContentHash, DiffersWhereBytesDiffer) {
  EXPECT_EQ(content_hash("abc"), content_hash("abc"));
  EXPECT_NE(content_hash("abc"), content_hash("abd"));
  EXPECT_NE(content_hash(""), content_hash(std::string_view("\0", 1)));
}

}  // namespace
}  // namespace troupe::actors

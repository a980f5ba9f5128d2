#include "storage/raft/log.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace troupe::raft {
namespace {

Entry entry(Index index, Term term, const std::string& data = "") {
  return {.term = term, .index = index, .kind = EntryKind::kData, .data = data};
}

Log log_of(const std::vector<Term>& terms) {
  Log log(LogStart{}, {});
  for (const Term term : terms) log.append(entry(log.last_index() + 1, term));
  return log;
}

TEST(Log, ReloadedEntriesAreDurableAndNotWrittenAgain) {
  const Log log(LogStart{.index = 4, .term = 1, .configuration = {}}, {entry(5, 1), entry(6, 2)});
  EXPECT_EQ(log.last_index(), 6U);
  EXPECT_EQ(log.durable(), 6U);
  EXPECT_FALSE(log.unwritten());
  EXPECT_EQ(log.term(4), 1U);
  EXPECT_EQ(log.term(3), std::nullopt);
  EXPECT_EQ(log.term(7), std::nullopt);
}

TEST(Log, EntriesAreDurableWhenTheirTicketIs) {
  Log log = log_of({1, 1});
  EXPECT_EQ(log.ticket_of(2, 8), 8U);
  EXPECT_EQ(log.take_unwritten(8).entries.size(), 2U);
  log.append(entry(3, 1));
  EXPECT_EQ(log.take_unwritten(9).entries.size(), 1U);
  EXPECT_EQ(log.ticket_of(2, 10), 8U);
  EXPECT_EQ(log.ticket_of(3, 10), 9U);
  log.persisted(8);
  EXPECT_EQ(log.durable(), 2U);
  EXPECT_EQ(log.ticket_of(2, 10), 0U);
}

TEST(Log, WhatWasTruncatedIsNotDurableHoweverItWasWritten) {
  Log log = log_of({1, 1, 1});
  log.take_unwritten(1);
  log.truncate(2);
  log.append(entry(2, 2));
  log.persisted(1);
  EXPECT_EQ(log.durable(), 1U);
  const auto unwritten = log.take_unwritten(2);
  EXPECT_EQ(unwritten.truncate_from, 2U);
  EXPECT_EQ(unwritten.entries, std::vector{entry(2, 2)});
  log.persisted(2);
  EXPECT_EQ(log.durable(), 2U);
}

TEST(Log, TruncatingWhatIsNotWrittenWritesNothing) {
  Log log = log_of({1, 1, 1});
  log.truncate(1);
  EXPECT_FALSE(log.unwritten());
}

TEST(Log, CompactionDropsAPrefixAndKeepsItsTerm) {
  Log log = log_of({1, 1, 2, 2});
  log.take_unwritten(1);
  log.compact(3);
  EXPECT_EQ(log.term(3), 2U);
  EXPECT_EQ(log.term(2), std::nullopt);
  EXPECT_EQ(log.at(4), entry(4, 2));
  EXPECT_EQ(log.take_unwritten(2).start->index, 3U);
}

TEST(Log, ASnapshotKeepsWhatAgreesWithIt) {
  Log log = log_of({1, 1, 2, 2, 2});
  log.take_unwritten(1);
  log.persisted(1);
  log.restore({.index = 3, .term = 2, .configuration = {}}, 1);
  EXPECT_EQ(log.last_index(), 5U);
  EXPECT_EQ(log.durable(), 5U);
  EXPECT_EQ(log.take_unwritten(2).truncate_from, std::nullopt);
}

TEST(Log, ASnapshotReplacesWhatDisagreesWithIt) {
  Log log = log_of({1, 1, 1, 1, 1});
  log.take_unwritten(1);
  log.restore({.index = 3, .term = 2, .configuration = {}}, 1);
  log.persisted(1);
  EXPECT_EQ(log.last_index(), 3U);
  EXPECT_EQ(log.durable(), 1U);
  const auto unwritten = log.take_unwritten(2);
  EXPECT_EQ(unwritten.start->index, 3U);
  EXPECT_EQ(unwritten.truncate_from, 4U);
  log.persisted(2);
  EXPECT_EQ(log.durable(), 3U);
}

TEST(Log, SlicesAreBoundedButNeverEmpty) {
  Log log(LogStart{}, {});
  for (Index index = 1; index <= 5; ++index) log.append(entry(index, 1, std::string(10, 'x')));
  EXPECT_EQ(log.slice(1, 3, 1000).size(), 3U);
  EXPECT_EQ(log.slice(1, 9, 25).size(), 2U);
  EXPECT_EQ(log.slice(2, 9, 1).size(), 1U);
  EXPECT_TRUE(log.slice(6, 9, 1000).empty());
}

TEST(Log, LogsMeetWhereTermsCanAgree) {
  const Log log = log_of({1, 1, 3, 3, 5});
  EXPECT_EQ(log.newest_not_after(5, 4), 4U);
  EXPECT_EQ(log.newest_not_after(5, 2), 2U);
  EXPECT_EQ(log.newest_not_after(9, 9), 5U);
  EXPECT_EQ(log.newest_not_after(3, 0), 0U);
  const Log started(LogStart{.index = 4, .term = 3, .configuration = {}}, {});
  EXPECT_EQ(started.newest_not_after(9, 2), 3U);  // before the start: a snapshot is needed
}

TEST(LogDeathTest, GapsStopTheProcess) {
  EXPECT_DEATH(log_of({1}).append(entry(3, 1)), "no gaps");
  EXPECT_DEATH(log_of({2}).append(entry(2, 1)), "never fall");
}

}  // namespace
}  // namespace troupe::raft

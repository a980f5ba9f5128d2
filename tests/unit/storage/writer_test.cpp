#include "storage/writer.h"

#include <future>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"
#include "tests/support/manual_disk.h"

namespace troupe::storage {
namespace {

struct Desk {
  explicit Desk(GroupWriter::Options options = {})
      : writer(disk, options,
               {.progress = [this](GroupWriter::Progress at) { seen.push_back(at); },
                .failed = [this](const Error& error) { failures.push_back(error); }}) {}

  ManualDisk disk;
  std::vector<GroupWriter::Progress> seen;
  std::vector<Error> failures;
  GroupWriter writer;
};

TEST(GroupWriter, BatchesBecomeDurableInTheOrderInWhichTheyWentToTheDisk) {
  Desk desk;
  for (const char* key : {"a1", "a2", "a3"}) {
    desk.writer.pending().put(key, "x");
    if (key != std::string("a2")) desk.writer.must_sync();
    desk.writer.flush();
  }
  EXPECT_EQ(desk.disk.asked(), 3U);
  EXPECT_EQ(desk.writer.current(), 4U);
  const std::vector<Ticket> durable = {1, 1, 3};
  for (Ticket written = 1; written <= 3; ++written) {
    desk.disk.complete();
    EXPECT_EQ(desk.seen.back().written, written);
    EXPECT_EQ(desk.seen.back().durable, durable[written - 1]);
  }
  EXPECT_EQ(desk.seen.size(), 3U);
}

TEST(GroupWriter, FillsTheNextBatchWhileAsManyAsMayBeAreAtTheDisk) {
  Desk desk({.at_disk_max = 1});
  desk.writer.pending().put("a1", "x");
  desk.writer.must_sync();
  EXPECT_EQ(desk.writer.current(), 1U);
  desk.writer.flush();
  for (const char* key : {"a2", "a3", "a4"}) {
    desk.writer.pending().put(key, "x");
    desk.writer.must_sync();
    EXPECT_EQ(desk.writer.current(), 2U);
    desk.writer.flush();
  }
  EXPECT_EQ(desk.disk.writes, 1);
  desk.disk.complete();
  EXPECT_EQ(desk.disk.writes, 2);
  EXPECT_EQ(desk.disk.batch()->operations().size(), 3U);
  EXPECT_EQ(desk.seen.back().durable, 1U);
  desk.disk.complete();
  EXPECT_EQ(desk.seen.back().durable, 2U);
  EXPECT_FALSE(desk.disk.busy());
}

TEST(GroupWriter, WhatIsNotFlushedStays) {
  Desk desk;
  desk.writer.flush();
  EXPECT_FALSE(desk.disk.busy());
  desk.writer.pending().put("a1", "x");
  desk.writer.flush();
  desk.writer.pending().put("a2", "x");
  desk.disk.complete();
  EXPECT_FALSE(desk.disk.busy());
}

TEST(GroupWriter, UnsyncedBatchIsWrittenButNotDurableUntilALaterSync) {
  Desk desk;
  desk.writer.pending().put("a1", "x");
  desk.writer.flush();
  EXPECT_FALSE(desk.disk.sync());
  desk.disk.complete();
  EXPECT_EQ(desk.seen.back().written, 1U);
  EXPECT_EQ(desk.seen.back().durable, 0U);
  desk.writer.must_sync();
  desk.writer.flush();
  EXPECT_TRUE(desk.disk.sync());
  desk.disk.complete();
  EXPECT_EQ(desk.seen.back().durable, 2U);
}

TEST(GroupWriter, FailedWriteIsTheLast) {
  Desk desk;
  desk.writer.pending().put("a1", "x");
  desk.writer.flush();
  desk.writer.pending().put("a2", "x");
  desk.writer.flush();
  desk.disk.finish(fail(Code::kUnavailable, "disk full"));
  desk.disk.finish(fail(Code::kUnavailable, "this one, too"));
  EXPECT_EQ(desk.failures, (std::vector<Error>{{Code::kUnavailable, "disk full"}}));
  EXPECT_TRUE(desk.writer.failed());
  desk.writer.flush();
  EXPECT_FALSE(desk.disk.busy());
  EXPECT_TRUE(desk.seen.empty());
}

TEST(GroupWriter, SaysWhenItIsFull) {
  Desk desk({.bytes_max = 100});
  desk.writer.pending().put("a1", std::string(60, 'x'));
  EXPECT_FALSE(desk.writer.full());
  desk.writer.flush();
  desk.writer.pending().put("a2", std::string(60, 'x'));
  EXPECT_TRUE(desk.writer.full());
  desk.disk.complete();
  EXPECT_FALSE(desk.writer.full());
}

TEST(GroupWriter, WhatIsGatheredIsWrittenOnceForManyChangesWhenItIsSettled) {
  Desk desk;
  Batch changes;
  for (const char* value : {"1", "2", "3"}) {
    changes.put("a1", value);
    changes.put("b1", value);
    desk.writer.gather(changes);
    changes.clear();
    desk.writer.flush();
    EXPECT_EQ(desk.writer.get("a1")->value(), value);
  }
  EXPECT_FALSE(desk.disk.busy());
  desk.writer.settle(prefix_range("a"));
  desk.writer.flush();
  ASSERT_TRUE(desk.disk.busy());
  ASSERT_EQ(desk.disk.batch()->operations().size(), 1U);
  EXPECT_EQ(desk.disk.batch()->operations().front().value, "3");
  desk.disk.complete();
  desk.writer.settle();
  desk.writer.flush();
  ASSERT_EQ(desk.disk.batch()->operations().size(), 1U);
  EXPECT_EQ(desk.disk.batch()->operations().front().key, "b1");
}

TEST(GroupWriter, TheLastToBeGatheredIsWrittenWithTheRest) {
  ManualDisk disk;
  Batch last;
  last.put("b1", "last");
  GroupWriter* gathers = nullptr;
  GroupWriter writer(disk, {},
                     {.progress = [](auto) {},
                      .settling = [&] { gathers->gather(last); },
                      .failed = [](const Error&) {}});
  gathers = &writer;
  Batch changes;
  changes.put("a1", "first");
  writer.gather(changes);
  writer.settle();
  writer.flush();
  ASSERT_TRUE(disk.busy());
  EXPECT_EQ(disk.batch()->operations().size(), 2U);
}

TEST(GroupWriter, TooMuchGatheredGoesWithTheNextBatch) {
  Desk desk({.gathered_bytes_max = 100});
  Batch changes;
  changes.put("a1", std::string(60, 'x'));
  desk.writer.gather(changes);
  changes.clear();
  desk.writer.flush();
  EXPECT_FALSE(desk.disk.busy());
  changes.put("a2", std::string(60, 'x'));
  desk.writer.gather(changes);
  desk.writer.flush();
  EXPECT_TRUE(desk.disk.busy());
}

TEST(GroupWriter, MayGoWhileTheDiskIsBusy) {
  ManualDisk disk;
  {
    GroupWriter writer(disk, {}, {.progress = [](auto) { FAIL(); }, .failed = nullptr});
    writer.pending().put("a1", "x");
    writer.flush();
  }
  disk.complete();
  EXPECT_TRUE(disk.engine.view()->get("a1")->has_value());
}

// Reads through all layers, at every stage of writing, equal a plain map's.
TEST(GroupWriter, ReadsShowEveryChangeAtOnce) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    Desk desk;
    std::map<std::string, std::string> model;
    // Keys that begin alike for long are kept together (storage/gathered.h), others apart.
    const auto key = [&] {
      const std::string beginning = random.below(2) == 0 ? "a" : "a row of a replica ";
      return beginning + std::to_string(10 + random.below(40));
    };
    bool gathers = false;
    Batch gathered;
    for (int step = 0; step < 400; ++step) {
      const std::string from = key();
      Batch& changes = gathers ? gathered : desk.writer.pending();
      switch (random.below(9)) {
        case 0:
          changes.erase(from);
          model.erase(from);
          break;
        case 1: {
          const std::string to = key();
          changes.erase_range(from, to);
          if (from < to) model.erase(model.lower_bound(from), model.lower_bound(to));
          break;
        }
        case 2:
          desk.writer.flush();
          break;
        case 3:
          if (desk.disk.busy()) ASSERT_TRUE(desk.disk.write_now());  // and not said yet
          break;
        case 4:
          if (desk.disk.busy()) desk.disk.complete();
          break;
        case 5:
          random.below(2) == 0 ? desk.writer.settle() : desk.writer.settle(prefix_range("a"));
          gathers = !gathers;
          break;
        default:
          model[from] = std::to_string(step) + std::string(random.below(30), 'x');
          changes.put(from, model[from]);
      }
      desk.writer.gather(gathered);
      gathered.clear();
      const auto found = desk.writer.get(from).value();
      ASSERT_EQ(found, model.contains(from) ? std::optional(model[from]) : std::nullopt);
      if (step % 5 != 0) continue;
      const std::string to = key();
      auto expected = model.lower_bound(from);
      const auto cursor = desk.writer.scan(from, to);
      for (; cursor->valid(); cursor->next(), ++expected) {
        ASSERT_NE(expected, model.end());
        ASSERT_EQ(cursor->key(), expected->first);
        ASSERT_EQ(cursor->value(), expected->second);
      }
      ASSERT_TRUE(expected == model.end() || expected->first >= to || from >= to);
    }
  }
}

TEST(ThreadDisk, WritesAndThenTellsItsExecutor) {
  SystemClock clock;
  MemoryEngine engine;
  Loop loop(clock, "node");
  std::promise<bool> written;
  Batch batch;
  batch.put("a1", "x");
  ThreadDisk disk(engine, loop, clock);
  disk.write(batch, true, [&](const Result<void>& done) { written.set_value(done.has_value()); });
  EXPECT_TRUE(written.get_future().get());
  EXPECT_TRUE(disk.view()->get("a1")->has_value());
  EXPECT_EQ(engine.unsynced(), 0U);
}

TEST(ThreadDisk, ReadsElsewhereAndGoesOnOnItsExecutor) {
  SystemClock clock;
  MemoryEngine engine;
  Loop loop(clock, "node");
  ThreadDisk disk(engine, loop, clock);
  std::promise<std::thread::id> reads;
  std::promise<std::thread::id> goes_on;
  disk.read([&]() -> Work {
    reads.set_value(std::this_thread::get_id());
    return [&] { goes_on.set_value(std::this_thread::get_id()); };
  });
  const std::thread::id reader = reads.get_future().get();
  const std::thread::id after = goes_on.get_future().get();
  std::promise<std::thread::id> loops;
  loop.post([&] { loops.set_value(std::this_thread::get_id()); });
  EXPECT_EQ(after, loops.get_future().get());
  EXPECT_NE(reader, after);
  EXPECT_NE(reader, std::this_thread::get_id());
}

// Says when it is at the disk, and stays there until it is let go.
class SlowEngine final : public Engine {
 public:
  Result<void> write_all(std::span<const Batch* const> batches, bool sync) override {
    calls.push_back(batches.size());
    if (calls.size() == 1) {
      reached.set_value();
      let_go.get_future().wait();
    }
    return inside.write_all(batches, sync);
  }
  std::unique_ptr<View> view() const override { return inside.view(); }

  MemoryEngine inside;
  std::promise<void> reached;
  std::promise<void> let_go;
  std::vector<std::size_t> calls;
};

TEST(ThreadDisk, WritesAtOnceWhatIsAskedForWhileItIsBusy) {
  SystemClock clock;
  SlowEngine engine;
  std::promise<void> all_written;
  std::vector<int> written;
  const std::vector<Batch> batches(4);
  Loop loop(clock, "node");
  ThreadDisk disk(engine, loop, clock);
  for (int i = 0; i < 4; ++i) {
    // One that must be synced has the others synced with it.
    disk.write(batches[static_cast<std::size_t>(i)], i == 2, [&, i](const Result<void>& done) {
      if (done) written.push_back(i);
      if (i == 3) all_written.set_value();
    });
    if (i == 0) engine.reached.get_future().wait();
  }
  engine.let_go.set_value();
  all_written.get_future().wait();
  EXPECT_EQ(written, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(engine.calls, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(engine.inside.unsynced(), 0U);
}

TEST(MemoryEngine, CrashKeepsWhatWasSyncedAndAPrefixOfTheRest) {
  MemoryEngine engine;
  for (int i = 0; i < 4; ++i) {
    Batch batch;
    batch.put("a" + std::to_string(i), "x");
    ASSERT_TRUE(engine.write(batch, i == 0));
  }
  EXPECT_EQ(engine.unsynced(), 3U);
  engine.crash(1);
  EXPECT_TRUE(engine.view()->get("a0")->has_value());
  EXPECT_TRUE(engine.view()->get("a1")->has_value());
  EXPECT_FALSE(engine.view()->get("a2")->has_value());
}

TEST(MemoryEngine, ViewsAreOfTheirMoment) {
  MemoryEngine engine;
  Batch batch;
  batch.put("a", "1");
  batch.put("b", "1");
  ASSERT_TRUE(engine.write(batch, true));
  const auto before = engine.view();
  Batch change;
  change.put("a", "2");
  change.erase("b");
  ASSERT_TRUE(engine.write(change, true));
  EXPECT_EQ(before->get("a")->value(), "1");
  EXPECT_EQ(before->get("b")->value(), "1");
  EXPECT_EQ(engine.view()->get("a")->value(), "2");
  EXPECT_FALSE(engine.view()->get("b")->has_value());
}

TEST(MemoryEngine, FailsWritesOnDemand) {
  MemoryEngine engine;
  engine.fail_writes(Error{Code::kUnavailable, "disk full"});
  Batch batch;
  batch.put("a", "1");
  EXPECT_EQ(engine.write(batch, true).error().message, "disk full");
  engine.fail_writes(std::nullopt);
  EXPECT_FALSE(engine.view()->get("a")->has_value());
  EXPECT_TRUE(engine.write(batch, true));
}

}  // namespace
}  // namespace troupe::storage

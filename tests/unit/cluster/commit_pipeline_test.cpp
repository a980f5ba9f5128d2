#include "runtime/cluster/commit_pipeline.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/manual_time.h"

namespace troupe::cluster {
namespace {

using ::testing::ElementsAre;
using Kind = storage::Outcome::Kind;

storage::Outcome outcome(Kind kind, std::uint64_t last_sequence = 0) {
  storage::Outcome made;
  made.kind = kind;
  made.last_sequence = last_sequence;
  return made;
}

class CommitPipelines : public ::testing::Test {
 protected:
  struct Proposed {
    std::uint64_t sequence;
    Done<storage::Outcome> done;
  };

  void SetUp() override {
    pipeline = std::make_shared<CommitPipeline>(
        right, 0, clock, loop,
        [this](ShardId, const ProposedEntry& entry, Done<storage::Outcome> done) {
          const auto decoded = storage::decode_entry(entry.bytes.view());
          ASSERT_TRUE(decoded);
          const auto& turn = std::get<storage::TurnCommand>(decoded->command);
          EXPECT_EQ(turn.epoch, right->epoch);
          log.push_back(turn.sequence);
          proposed.push_back({turn.sequence, std::move(done)});
        });
  }
  // Its outcome is pushed to `known`, as its name.
  void submit(const std::string& name) {
    pipeline->submit(std::make_shared<storage::Entry>(),
                     [this, name](const Result<storage::Outcome>& result) {
                       known.push_back(name + (result ? "" : "!"));
                       if (!result) errors.push_back(result.error().code);
                     });
    run();
  }
  // To the oldest proposal of that number without an answer.
  void answer(std::uint64_t sequence, Result<storage::Outcome> result) {
    const auto found = std::ranges::find_if(
        proposed, [&](const Proposed& each) { return each.sequence == sequence && each.done; });
    ASSERT_NE(found, proposed.end());
    Done<storage::Outcome> done = std::move(found->done);
    proposed.erase(found);
    done(std::move(result));
    run();
  }
  void run() {
    while (loop.step()) {
    }
  }
  void pass(Duration duration) {
    clock.advance(duration);
    run();
  }

  testing::ManualClock clock;
  testing::ManualExecutor loop{clock};
  std::shared_ptr<actors::Right> right =
      std::make_shared<actors::Right>(ShardId{3}, "Cart", Epoch{7});
  std::shared_ptr<CommitPipeline> pipeline;
  std::vector<std::uint64_t> log;  // sequences proposed
  std::vector<Proposed> proposed;
  std::vector<std::string> known;
  std::vector<Code> errors;
};

TEST_F(CommitPipelines, NumbersByPlaceWithoutWaiting) {
  for (const char* name : {"a", "b", "c"}) submit(name);
  EXPECT_THAT(log, ElementsAre(1, 2, 3));
  answer(2, outcome(Kind::kApplied));
  answer(1, outcome(Kind::kApplied));
  EXPECT_THAT(known, ElementsAre("b", "a"));
  submit("d");
  EXPECT_THAT(log, ElementsAre(1, 2, 3, 4));
}

TEST_F(CommitPipelines, ARefusedEntryUsesNoNumberUpAndThoseBehindComeAgain) {
  for (const char* name : {"a", "b", "c"}) submit(name);
  answer(1, outcome(Kind::kRefused));
  EXPECT_THAT(known, ElementsAre("a"));
  answer(2, outcome(Kind::kGap, 0));
  answer(3, outcome(Kind::kGap, 0));
  EXPECT_THAT(log, ElementsAre(1, 2, 3, 1, 2));
  answer(1, outcome(Kind::kApplied));
  answer(2, outcome(Kind::kApplied));
  EXPECT_THAT(known, ElementsAre("a", "b", "c"));
}

TEST_F(CommitPipelines, AnUnknownOutcomeIsAskedAgainUnderTheSameNumber) {
  submit("a");
  answer(1, fail(Code::kUnknownOutcome, "the connection broke"));
  EXPECT_TRUE(known.empty());
  pass(CommitPipeline::kRetryInterval);
  EXPECT_THAT(log, ElementsAre(1, 1));
  answer(1, outcome(Kind::kGap, 1));
  EXPECT_THAT(known, ElementsAre("a")) << "the number was used: it had been applied";
  EXPECT_TRUE(errors.empty());
}

TEST_F(CommitPipelines, NothingIsSentWhileTheLeaderChanges) {
  submit("a");
  submit("b");
  answer(1, fail(Code::kUnavailable, "no leader"));
  submit("c");
  EXPECT_THAT(log, ElementsAre(1, 2));
  answer(2, fail(Code::kUnavailable, "no leader"));
  pass(CommitPipeline::kRetryInterval);
  EXPECT_THAT(log, ElementsAre(1, 2, 1, 2, 3));
}

TEST_F(CommitPipelines, AReplacedOwnerGivesUpAndSaysWhatMayHaveHappened) {
  submit("a");
  answer(1, fail(Code::kUnavailable, "no leader"));
  submit("b");
  pass(CommitPipeline::kRetryInterval);
  answer(1, outcome(Kind::kStaleEpoch));
  EXPECT_THAT(known, ElementsAre("a!", "b!"));
  EXPECT_THAT(errors, ElementsAre(Code::kPrecondition, Code::kUnknownOutcome));
  EXPECT_TRUE(right->ended());
  submit("c");
  EXPECT_THAT(errors.back(), Code::kPrecondition);
}

TEST_F(CommitPipelines, IsIdleOnceEverythingIsSettled) {
  bool idle = false;
  submit("a");
  submit("b");
  pipeline->when_idle([&] { idle = true; });
  answer(1, outcome(Kind::kApplied));
  EXPECT_FALSE(idle);
  answer(2, outcome(Kind::kRefused));
  EXPECT_TRUE(idle);
}

TEST_F(CommitPipelines, TakesNoMoreThanItsLimit) {
  for (std::size_t i = 0; i < CommitPipeline::kLengthMax; ++i) {
    pipeline->submit(std::make_shared<storage::Entry>(), [](const Result<storage::Outcome>&) {});
  }
  submit("one more");
  EXPECT_THAT(errors, ElementsAre(Code::kExhausted));
}

}  // namespace
}  // namespace troupe::cluster

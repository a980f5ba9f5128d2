#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/cluster/commit_pipeline.h"
#include "tests/support/manual_time.h"

namespace troupe::cluster {
namespace {

using storage::Outcome;
using testing::ManualClock;
using testing::ManualExecutor;

/// A pipeline whose proposals the test answers.
class Desk {
 public:
  struct Proposed {
    storage::TurnCommand command;
    Done<Outcome> done;
  };

  Desk() {
    pipeline = std::make_shared<CommitPipeline>(
        std::make_shared<actors::Right>(ShardId{3}, "Cart", Epoch{7}), 0, clock, loop,
        [this](ShardId, ProposedEntry entry, Done<Outcome> done) {
          proposed.push_back({.command = std::get<storage::TurnCommand>(entry.entry->command),
                              .done = std::move(done)});
        });
  }

  /// The outcome of the turn of actor `id` comes to that place of `outcomes`.
  void submit(const std::string& id) {
    storage::TurnCommand command;
    command.type = "Cart";
    command.id = id;
    const std::size_t place = outcomes.size();
    outcomes.emplace_back();
    pipeline->submit(std::make_shared<storage::Entry>(WallTime{}, std::move(command)),
                     [this, place](Result<Outcome> outcome) { outcomes[place] = outcome; });
  }
  void answer(std::size_t proposal, Result<Outcome> outcome) {
    std::exchange(proposed[proposal].done, nullptr)(std::move(outcome));
    run();
  }
  /// Until the pipeline tries again what failed.
  void pass_retry() {
    clock.advance(CommitPipeline::kRetryInterval);
    run();
  }
  void run() {
    while (loop.step()) {
    }
  }

  ManualClock clock;
  ManualExecutor loop{clock};
  std::vector<Proposed> proposed;
  std::vector<std::optional<Result<Outcome>>> outcomes;
  std::shared_ptr<CommitPipeline> pipeline;
};

Outcome of(Outcome::Kind kind, std::uint64_t last_sequence) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.last_sequence = last_sequence;
  return outcome;
}

Failure unknown() { return fail(Code::kUnknownOutcome, "the leader changed"); }

// The try of unknown outcome may turn up after the others: under another number, it would be
// applied a second time.
TEST(UnknownOutcome, AnEntryOfUnknownOutcomeKeepsItsNumberThoughOneBeforeItIsRefused) {
  Desk desk;
  for (const char* id : {"a", "b", "c"}) desk.submit(id);
  desk.answer(0, of(Outcome::Kind::kRefused, 0));
  desk.answer(1, unknown());
  desk.answer(2, of(Outcome::Kind::kGap, 0));
  desk.pass_retry();
  ASSERT_EQ(desk.proposed.size(), 6U);
  EXPECT_EQ(desk.proposed[3].command.id, "");  // uses up the number that became free
  EXPECT_EQ(desk.proposed[3].command.sequence, 1U);
  EXPECT_TRUE(desk.proposed[3].command.state.empty());
  EXPECT_EQ(desk.proposed[4].command.id, "b");
  EXPECT_EQ(desk.proposed[4].command.sequence, 2U);
  EXPECT_EQ(desk.proposed[5].command.id, "c");
  EXPECT_EQ(desk.proposed[5].command.sequence, 3U);
  for (std::size_t i = 3; i < 6; ++i) desk.answer(i, of(Outcome::Kind::kApplied, i - 2));
  EXPECT_EQ(desk.outcomes[1]->value().kind, Outcome::Kind::kApplied);
  EXPECT_EQ(desk.outcomes[2]->value().kind, Outcome::Kind::kApplied);
  EXPECT_TRUE(desk.pipeline->idle());
  desk.submit("d");
  EXPECT_EQ(desk.proposed.back().command.sequence, 4U);
}

TEST(UnknownOutcome, ARefusalCountsOnceNoEarlierTryCanBeApplied) {
  Desk desk;
  desk.submit("a");
  desk.answer(0, unknown());
  desk.pass_retry();
  desk.answer(1, of(Outcome::Kind::kRefused, 0));
  EXPECT_FALSE(desk.outcomes[0]);
  ASSERT_EQ(desk.proposed.size(), 3U);
  EXPECT_EQ(desk.proposed[2].command.id, "");
  EXPECT_EQ(desk.proposed[2].command.sequence, 1U);
  desk.answer(2, of(Outcome::Kind::kApplied, 1));
  EXPECT_EQ(desk.outcomes[0]->value().kind, Outcome::Kind::kRefused);
}

TEST(UnknownOutcome, ARefusedEntryWhoseEarlierTryWasAppliedIsApplied) {
  Desk desk;
  desk.submit("a");
  desk.answer(0, unknown());
  desk.pass_retry();
  desk.answer(1, of(Outcome::Kind::kRefused, 0));
  desk.answer(2, of(Outcome::Kind::kGap, 1));
  EXPECT_EQ(desk.outcomes[0]->value().kind, Outcome::Kind::kApplied);
}

TEST(UnknownOutcome, WhetherItWasAppliedIsUnknownIfTheEmptyEntryMayHaveBeen) {
  Desk desk;
  desk.submit("a");
  desk.answer(0, unknown());
  desk.pass_retry();
  desk.answer(1, of(Outcome::Kind::kRefused, 0));
  desk.answer(2, unknown());
  desk.pass_retry();
  desk.answer(3, of(Outcome::Kind::kGap, 1));
  EXPECT_EQ(desk.outcomes[0]->error().code, Code::kUnknownOutcome);
}

TEST(UnknownOutcome, AnEndGivesUpWhatIsNotKnownToBeApplied) {
  Desk desk;
  desk.submit("a");
  desk.submit("b");
  desk.answer(1, fail(Code::kPrecondition, "not the leader"));
  bool idle = false;
  desk.pipeline->when_idle([&] { idle = true; });
  desk.pipeline->end();
  desk.run();
  EXPECT_EQ(desk.outcomes[0]->error().code, Code::kUnknownOutcome);
  EXPECT_EQ(desk.outcomes[1]->error().code, Code::kPrecondition);
  EXPECT_TRUE(idle);
}

}  // namespace
}  // namespace troupe::cluster

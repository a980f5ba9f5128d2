// Every way in which the tries of a few commits may fare between their owner's pipeline and the
// shard's log: answered, refused, unanswered, and turning up late.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
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

/// How much may go wrong.
struct Scope {
  std::size_t commits = 2;
  int unknown = 2;     // tries whose outcome does not reach the owner
  int not_leader = 1;  // tries that certainly went nowhere
  int refusals = 1;    // conditions that do not hold
};

/// One way through, told by its choices; those not told are the first of each kind.
class Way {
 public:
  Way(Scope scope, std::vector<std::size_t> choices) : left_(scope), choices_(std::move(choices)) {
    pipeline_ = std::make_shared<CommitPipeline>(
        std::make_shared<actors::Right>(ShardId{3}, "Cart", Epoch{7}), 0, clock_, loop_,
        [this](ShardId, ProposedEntry entry, Done<Outcome> done) {
          const auto& turn = std::get<storage::TurnCommand>(entry.entry->command);
          tries_.push_back({.id = turn.id, .sequence = turn.sequence, .done = std::move(done)});
        });
    for (std::size_t i = 0; i < scope.commits; ++i)
      submit(std::string(1, static_cast<char>('a' + i)));
  }

  /// To the end. False if it takes too long to be right.
  bool go() {
    constexpr std::size_t kStepsMax = 100;
    for (std::size_t step = 0; step < kStepsMax; ++step) {
      if (!take_step()) return true;
    }
    return false;
  }
  /// How many there were at each choice.
  const std::vector<std::size_t>& options() const { return options_; }

  std::string violation() const {
    std::string order;
    for (const std::string& id : log_) order += id;
    for (const auto& [id, told] : told_) {
      const auto times = static_cast<std::size_t>(std::ranges::count(log_, id));
      if (times > 1) return id + " was applied twice: " + order;
      if (!told) return id + " has no outcome";
      const bool applied = told->has_value() && told->value().kind == Outcome::Kind::kApplied;
      const bool unknown = !told->has_value() && told->error().code == Code::kUnknownOutcome;
      if (applied && times == 0) return id + " was called applied";
      if (!applied && !unknown && times == 1) return id + " was called not applied";
    }
    if (!std::ranges::is_sorted(order)) return "not in their order: " + order;
    return "";
  }

 private:
  struct Try {
    std::string id;  // empty: only uses up a number
    std::uint64_t sequence = 0;
    Done<Outcome> done;  // null: answered
    bool late = false;   // may still turn up in the log

    bool open() const { return static_cast<bool>(done); }
  };
  enum class Fate { kAnswered, kRefused, kUnanswered, kLate, kNotLeader, kTimePasses };

  void submit(const std::string& id) {
    storage::TurnCommand command;
    command.type = "Cart";
    command.id = id;
    told_[id] = std::nullopt;
    pipeline_->submit(std::make_shared<storage::Entry>(WallTime{}, std::move(command)),
                      [this, id](Result<Outcome> outcome) { told_[id] = std::move(outcome); });
    run();
  }

  // False if nothing can happen any more.
  bool take_step() {
    std::vector<std::pair<std::size_t, Fate>> possible;
    for (std::size_t i = 0; i < tries_.size(); ++i) {
      if (tries_[i].late) possible.emplace_back(i, Fate::kUnanswered);
      if (!tries_[i].done) continue;
      possible.emplace_back(i, Fate::kAnswered);
      if (left_.refusals > 0 && !tries_[i].id.empty()) possible.emplace_back(i, Fate::kRefused);
      if (left_.unknown > 0) possible.emplace_back(i, Fate::kUnanswered);
      if (left_.unknown > 0) possible.emplace_back(i, Fate::kLate);
      if (left_.not_leader > 0) possible.emplace_back(i, Fate::kNotLeader);
    }
    const bool waits = !pipeline_->idle() && std::ranges::none_of(tries_, &Try::open);
    if (waits) possible.emplace_back(0, Fate::kTimePasses);
    if (possible.empty()) return false;
    const auto [which, fate] = possible[choose(possible.size())];
    if (fate == Fate::kTimePasses) {
      clock_.advance(CommitPipeline::kRetryInterval);
    } else {
      happens(which, fate);
    }
    run();
    return true;
  }

  std::size_t choose(std::size_t count) {
    options_.push_back(count);
    const std::size_t at = options_.size() - 1;
    return at < choices_.size() ? choices_[at] : 0;
  }

  void happens(std::size_t which, Fate fate) {
    Done<Outcome> done = std::exchange(tries_[which].done, nullptr);
    const bool late = std::exchange(tries_[which].late, false);
    if (fate == Fate::kNotLeader) {
      --left_.not_leader;
      return done(fail(Code::kPrecondition, "not the leader"));
    }
    if (fate == Fate::kLate) {
      tries_[which].late = true;
    } else {
      const Outcome outcome = apply(tries_[which], fate == Fate::kRefused);
      if (late) return;
      if (fate != Fate::kUnanswered) return done(outcome);
    }
    --left_.unknown;
    done(fail(Code::kUnknownOutcome, "the leader changed"));
  }

  Outcome apply(const Try& entry, bool refuse) {
    Outcome outcome;
    if (entry.sequence != last_sequence_ + 1) {
      outcome.kind = Outcome::Kind::kGap;
    } else if (refuse) {
      --left_.refusals;
      outcome.kind = Outcome::Kind::kRefused;
    } else {
      ++last_sequence_;
      if (!entry.id.empty()) log_.push_back(entry.id);
    }
    outcome.last_sequence = last_sequence_;
    return outcome;
  }

  void run() {
    while (loop_.step()) {
    }
  }

  Scope left_;
  std::vector<std::size_t> choices_;
  std::vector<std::size_t> options_;
  testing::ManualClock clock_;
  testing::ManualExecutor loop_{clock_};
  std::vector<Try> tries_;
  std::vector<std::string> log_;
  std::uint64_t last_sequence_ = 0;
  std::map<std::string, std::optional<Result<Outcome>>> told_;
  std::shared_ptr<CommitPipeline> pipeline_;
};

void expect_once_in_order(Scope scope) {
  std::size_t ways = 0;
  std::vector<std::size_t> choices;
  while (true) {
    Way way(scope, choices);
    const bool ends = way.go();
    ++ways;
    std::string told;
    for (const std::size_t choice : choices) told += std::to_string(choice) + " ";
    ASSERT_TRUE(ends) << told;
    ASSERT_EQ(way.violation(), "") << told;
    // The next way: the last choice that has another option takes it.
    const std::vector<std::size_t>& options = way.options();
    choices.resize(options.size(), 0);
    while (!choices.empty() && choices.back() + 1 == options[choices.size() - 1])
      choices.pop_back();
    if (choices.empty()) break;
    ++choices.back();
  }
  std::printf("%zu ways\n", ways);
  std::fflush(stdout);
}

TEST(CommitModel, TwoCommitsTakeEffectOnceAndInOrderInAnySchedule) {
  expect_once_in_order({.commits = 2, .unknown = 2, .not_leader = 1, .refusals = 1});
}

TEST(CommitModel, ThreeCommitsTakeEffectOnceAndInOrderInAnySchedule) {
  expect_once_in_order({.commits = 3, .unknown = 1, .not_leader = 0, .refusals = 1});
}

}  // namespace
}  // namespace troupe::cluster

// The real schedulers under load: what must hold whatever the threads do.
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "actors/activation/blocking_scheduler.h"
#include "actors/activation/caf_scheduler.h"
#include "actors/directory/actors.h"
#include "tests/support/fake_shards.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kActors = 50;
constexpr int kCallers = 4;
constexpr int kCallsEach = 2'000;

// Sees overlapping turns, and calls of one caller out of order.
class Watched final : public ActorInstance {
 public:
  explicit Watched(std::atomic<int>& faults) : faults_(faults) {}
  Result<void> load(std::optional<std::string_view> state) override {
    count_ = state && !state->empty() ? std::stoi(std::string(*state)) : 0;
    return {};
  }
  void run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) override {
    if (inside_.exchange(true)) ++faults_;
    const auto caller = static_cast<std::size_t>(std::stoi(message.method));
    const int number = std::stoi(std::string(message.body.view()));
    if (number <= last_.at(caller)) ++faults_;
    last_.at(caller) = number;
    ++count_;
    if (number % 16 != 0) return end(std::move(done));
    context.sleep(100us,
                  [this, done = std::move(done)](Result<void>) mutable { end(std::move(done)); });
  }
  void deactivate(TurnContext&, Done<TurnResult> done) override { done(TurnResult{}); }

 private:
  void end(Done<TurnResult> done) {
    TurnResult result;
    if (count_ % 8 == 0) result.state = std::to_string(count_);
    inside_.store(false);
    done(std::move(result));
  }

  std::atomic<int>& faults_;
  std::atomic<bool> inside_{false};
  std::vector<int> last_ = std::vector<int>(kCallers, -1);
  int count_ = 0;
};

class NoRouter final : public actors::Router {
 public:
  void route(actors::Call call) override { call.done(fail(Code::kNotFound, "")); }
  void returned(actors::Call call) override { call.done(fail(Code::kPrecondition, "")); }
};

void stress(actors::Scheduler& scheduler) {
  SystemClock clock;
  Loop loop(clock, "test-loop");
  FakeShards shards(loop);
  shards.own("Watched", Time::max());
  NoRouter router;
  actors::CallIds ids(NodeId{1, 1}, Generation{1});
  std::atomic<int> faults{0};
  auto type = std::make_shared<ActorType>();
  type->name = "Watched";
  type->options.mailbox_length_max = kCallers * kCallsEach;
  type->make = [&] { return std::make_unique<Watched>(faults); };
  actors::Actors host({.clock = clock,
                       .shards = shards,
                       .router = router,
                       .scheduler = scheduler,
                       .blocking = scheduler,
                       .timers = loop,
                       .ids = ids,
                       .log = Log(silent_log(), "test")},
                      {type});
  host.start();
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  std::atomic<int> callers_left{kCallers};
  ThreadPool callers(kCallers, kCallers, "test-callers");
  for (int caller = 0; caller < kCallers; ++caller) {
    ASSERT_TRUE(callers.post([&, caller] {
      for (int number = 0; number < kCallsEach; ++number) {
        actors::Call call;
        call.key = {.type = "Watched", .id = std::to_string(number % kActors)};
        call.method = std::to_string(caller);
        call.message = std::to_string(number);
        call.done = [&](Result<actors::Reply> reply) {
          if (!reply) ++refused;
          if (answered.fetch_add(1) + 1 == kCallers * kCallsEach) answered.notify_all();
        };
        host.deliver(std::move(call));
      }
      --callers_left;
    }));
  }
  for (int now = answered.load(); now < kCallers * kCallsEach; now = answered.load()) {
    answered.wait(now);
  }
  callers.stop();
  EXPECT_EQ(refused.load(), 0);
  EXPECT_EQ(faults.load(), 0);
  std::atomic<bool> stopped{false};
  host.stop(clock.now() + 60s, [&] {
    stopped.store(true);
    stopped.notify_all();
  });
  stopped.wait(false);
  EXPECT_TRUE(host.counts().empty());
  loop.stop();
}

// Runs what it is given, whenever woken.
class Sleeper final : public actors::Runnable, public std::enable_shared_from_this<Sleeper> {
 public:
  static std::shared_ptr<Sleeper> on(actors::Scheduler& scheduler, std::function<void()> work) {
    auto sleeper = std::make_shared<Sleeper>();
    sleeper->work_ = std::move(work);
    sleeper->slot_ = scheduler.attach(*sleeper);
    return sleeper;
  }
  void wake() { slot_->wake(shared_from_this()); }
  Outcome run() override {
    work_();
    return Outcome::kAsleep;
  }

 private:
  std::function<void()> work_;
  std::unique_ptr<actors::Slot> slot_;
};

TEST(CafScheduler, WhatIsWokenLastRunsNextOnTheSameThread) {
  actors::CafScheduler scheduler({.threads = 1});
  std::string order;
  std::promise<void> over;
  const auto other = Sleeper::on(scheduler, [&] {
    order += "other ";
    over.set_value();
  });
  const auto woken = Sleeper::on(scheduler, [&] { order += "woken "; });
  const auto waker = Sleeper::on(scheduler, [&] {
    other->wake();
    woken->wake();
    order += "waker ";
  });
  waker->wake();
  over.get_future().wait();
  scheduler.stop();
  EXPECT_EQ(order, "waker woken other ");
}

TEST(CafScheduler, WhatWasWokenDoesNotWaitForLongCodeOfTheWaker) {
  actors::CafScheduler scheduler({.threads = 2});
  std::promise<void> begun;
  std::promise<bool> in_time;
  const auto woken = Sleeper::on(scheduler, [&] { begun.set_value(); });
  const auto waker = Sleeper::on(scheduler, [&] {
    woken->wake();
    scheduler.share();
    in_time.set_value(begun.get_future().wait_for(30s) == std::future_status::ready);
  });
  waker->wake();
  EXPECT_TRUE(in_time.get_future().get());
  scheduler.stop();
}

TEST(CafScheduler, WhatAThreadHoldsBackRunsOnceItLetsGoOrIsMuch) {
  constexpr int kMany = 200;
  SystemClock clock;
  actors::CafScheduler scheduler({.threads = 2});
  std::atomic<int> ran{0};
  std::vector<std::shared_ptr<Sleeper>> sleepers;
  for (int i = 0; i <= kMany; ++i) {
    sleepers.push_back(Sleeper::on(scheduler, [&] {
      ++ran;
      ran.notify_all();
    }));
  }
  scheduler.hold();
  sleepers.back()->wake();
  std::promise<void> other;
  const auto free = Sleeper::on(scheduler, [&] { other.set_value(); });
  Loop another(clock, "another");
  another.post([&] { free->wake(); });
  other.get_future().wait();
  EXPECT_EQ(ran.load(), 0);
  for (int i = 0; i < kMany; ++i) sleepers.at(static_cast<std::size_t>(i))->wake();
  ran.wait(0);
  scheduler.release();
  for (int now = ran.load(); now <= kMany; now = ran.load()) ran.wait(now);
  scheduler.stop();
  EXPECT_EQ(ran.load(), kMany + 1);
}

TEST(CafScheduler, WhoHelpsRunsWhatItHasWokenAndWhatFollowsAPieceAtATime) {
  constexpr int kMany = 200;
  actors::CafScheduler scheduler({.threads = 2});
  const std::thread::id helper = std::this_thread::get_id();
  std::atomic<int> ran{0};
  std::atomic<int> ran_here{0};
  const auto count = [&] {
    if (std::this_thread::get_id() == helper) ++ran_here;
    ++ran;
    ran.notify_all();
  };
  const auto follower = Sleeper::on(scheduler, count);
  const auto first = Sleeper::on(scheduler, [&] {
    count();
    follower->wake();
  });
  std::vector<std::shared_ptr<Sleeper>> others;
  for (int i = 0; i < kMany; ++i) others.push_back(Sleeper::on(scheduler, count));
  scheduler.hold();
  first->wake();
  for (const auto& each : others) each->wake();
  while (scheduler.release_and_help()) scheduler.hold();
  for (int now = ran.load(); now < kMany + 2; now = ran.load()) ran.wait(now);
  EXPECT_GE(ran_here, 1);
  scheduler.stop();
  EXPECT_EQ(ran, kMany + 2);
}

// So many that count themselves in `ran` when they run.
std::vector<std::shared_ptr<Sleeper>> counted_in(std::atomic<int>& ran,
                                                 actors::CafScheduler& scheduler, int many) {
  std::vector<std::shared_ptr<Sleeper>> sleepers;
  for (int i = 0; i < many; ++i) {
    sleepers.push_back(Sleeper::on(scheduler, [&ran] {
      ++ran;
      ran.notify_all();
    }));
  }
  return sleepers;
}

// It has other things to do.
TEST(CafScheduler, WhoHelpsComesBackThoughThereIsMore) {
  constexpr int kMany = 50;
  actors::CafScheduler scheduler({.threads = 1});
  std::promise<void> kept;
  std::promise<void> let_go;
  const auto keeps_the_thread = Sleeper::on(scheduler, [&] {
    kept.set_value();
    let_go.get_future().wait();
  });
  keeps_the_thread->wake();
  kept.get_future().wait();
  std::atomic<int> ran{0};
  const auto sleepers = counted_in(ran, scheduler, kMany);
  scheduler.hold();
  for (const auto& each : sleepers) each->wake();
  EXPECT_TRUE(scheduler.release_and_help());
  EXPECT_GT(ran, 0);
  EXPECT_LT(ran, kMany);
  scheduler.release();
  let_go.set_value();
  for (int now = ran.load(); now < kMany; now = ran.load()) ran.wait(now);
  scheduler.stop();
}

TEST(CafScheduler, WhoHelpsAndStaysAwayLeavesTheRestToOthers) {
  constexpr int kMany = 200;
  actors::CafScheduler scheduler({.threads = 1});
  std::atomic<int> ran{0};
  const auto sleepers = counted_in(ran, scheduler, kMany);
  scheduler.hold();
  for (const auto& each : sleepers) each->wake();
  static_cast<void>(scheduler.release_and_help());
  for (int now = ran.load(); now < kMany; now = ran.load()) ran.wait(now);
  scheduler.release();
  scheduler.stop();
}

TEST(CafScheduler, ThoseThatWakeEachOtherLeaveOthersTheirShare) {
  actors::CafScheduler scheduler({.threads = 1});
  std::atomic<bool> third_ran{false};
  std::atomic<int> turns{0};
  std::promise<void> over;
  std::shared_ptr<Sleeper> second;
  const auto third = Sleeper::on(scheduler, [&] { third_ran = true; });
  const auto first = Sleeper::on(scheduler, [&] {
    if (third_ran || ++turns == 1'000'000) return over.set_value();
    if (turns == 1) third->wake();
    second->wake();
  });
  second = Sleeper::on(scheduler, [&] { first->wake(); });
  first->wake();
  over.get_future().wait();
  scheduler.stop();
  EXPECT_TRUE(third_ran);
}

TEST(CallIds, AreUniqueOverThreads) {
  actors::CallIds ids{NodeId{1, 1}, Generation{1}};
  constexpr std::size_t kEach = 1'000;
  std::vector<std::vector<std::uint64_t>> drawn(12);
  {
    std::vector<std::unique_ptr<Loop>> threads;
    SystemClock clock;
    for (auto& mine : drawn) {
      threads.push_back(std::make_unique<Loop>(clock, "ids"));
      threads.back()->post([&ids, &mine] {
        for (std::size_t i = 0; i < kEach; ++i) mine.push_back(ids.next().sequence);
      });
    }
    for (const auto& each : threads) {
      std::promise<void> drained;
      each->post([&] { drained.set_value(); });
      drained.get_future().wait();
      each->stop();
    }
  }
  std::set<std::uint64_t> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), drawn.size() * kEach);
  EXPECT_FALSE(all.contains(0));
}

TEST(ActorStress, TurnsNeverOverlapAndKeepEachCallersOrderOnCaf) {
  actors::CafScheduler scheduler({.threads = 4});
  stress(scheduler);
  scheduler.stop();
}

TEST(ActorStress, TurnsNeverOverlapAndKeepEachCallersOrderOnCafStealing) {
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "half of CAF's queues is in its library, whose locks the sanitizer does not see";
#endif
  actors::CafScheduler scheduler(
      {.threads = 4, .policy = actors::CafSchedulerOptions::Policy::kStealing});
  stress(scheduler);
  scheduler.stop();
}

TEST(ActorStress, TurnsNeverOverlapAndKeepEachCallersOrderOnTheBlockingPool) {
  actors::BlockingScheduler scheduler(4);
  stress(scheduler);
  scheduler.stop();
}

}  // namespace
}  // namespace troupe::testing

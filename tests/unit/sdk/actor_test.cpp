#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <troupe/troupe.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// Remembers what the turn asked for; the test answers when it likes.
class FakeContext final : public TurnContext {
 public:
  const ActorKey& self() const override { return key; }
  WallTime now() const override { return WallTime(1s); }
  Time deadline() const override { return Time(60s); }
  Duration time_left() const override { return 30s; }
  std::uint64_t fencing_token() const override { return 7; }
  std::string_view traceparent() const override { return "00-1-2-01"; }
  void call(NestedCall call, Done<Payload> done) override {
    calls.push_back(std::move(call));
    replies.push_back(std::move(done));
  }
  void sleep(Duration duration, Done<void> done) override {
    slept.push_back(duration);
    wakes.push_back(std::move(done));
  }

  ActorKey key{"Probe", "p"};
  std::vector<NestedCall> calls;
  std::vector<Done<Payload>> replies;
  std::vector<Duration> slept;
  std::vector<Done<void>> wakes;
};

struct ProbeState {
  int number = 0;
  std::string last;
};

class Other : public Actor<> {
 public:
  static constexpr std::string_view kType = "shop||other";
  int twice(int number) { return 2 * number; }
  void note(const std::string&) {}
  using Methods = troupe::Methods<&Other::twice, one_way<&Other::note>>;
};

class Probe : public Actor<ProbeState> {
 public:
  static constexpr ActorOptions kOptions{.reentrant = true};

  void on_activate() { state.last = "activated"; }
  Task<> on_deactivate() {
    co_await sleep(1ms);
    state.last = "deactivated";
  }

  int set(int number) { return state.number = number; }
  int number() const { return state.number; }
  int peek() const noexcept { return state.number; }
  Task<int> ask(int number) {
    const auto other = actor<Other>("o");
    state.number = co_await other.call<&Other::twice>(number).with_timeout(5s);
    state.last = id();
    co_return state.number;
  }
  Task<std::string> ask_gently() {
    const Result<int> twice = co_await actor<Other>("o").call<&Other::twice>(1).result();
    co_return twice ? "fine" : twice.error().message;
  }
  Task<> wait() {
    state.number = -1;
    co_await sleep(10ms);
    // The turn that runs now, although others ran meanwhile.
    actor<Other>("o").send<&Other::note>(id());
  }
  void refuse() {
    state.number = 99;
    throw ActorError(Code::kDenied, "not you");
  }
  void fail_const() const { throw std::out_of_range("far"); }
  void break_down() { throw 42; }
  void schedule() {
    set_timer<&Probe::set>({.every = 1min, .repeats = 3}, 5);
    cancel_timer<&Probe::set>();
    set_reminder<&Probe::schedule>({.cron = "0 30 9 * * MON", .catch_up = CatchUp::kAll});
    set_reminder<&Probe::set>({.after = 90min, .every = 1500ms, .name = "later"}, 6);
    cancel_reminder("gone");
    deactivate_when_idle();
  }
  void contradict() { set_reminder<&Probe::schedule>({.after = 1s, .due = "2s"}); }
  std::string concat(const std::vector<std::string>& parts) const {
    std::string all;
    for (const std::string& each : parts) all += each;
    return all;
  }
  std::string greet(const std::string& name) const { return "hello " + name; }
  std::string about() const {
    return to_string(key()) + " " + std::to_string(fencing_token()) + " " +
           std::string(traceparent());
  }

  using Methods =
      troupe::Methods<&Probe::set, &Probe::number, interleave<&Probe::peek>, &Probe::ask,
                      &Probe::ask_gently, &Probe::wait, &Probe::refuse, &Probe::fail_const,
                      &Probe::break_down, &Probe::schedule, &Probe::contradict, &Probe::concat,
                      &Probe::greet, named<"About", &Probe::about>>;
};

class Hasty : public Actor<> {
 public:
  Hasty() { deactivate_when_idle(); }
  using Methods = troupe::Methods<>;
};

/// One activation and its context.
class ProbeTest : public testing::Test {
 protected:
  /// Where the outcome of a turn arrives.
  using Outcome = std::shared_ptr<std::optional<Result<TurnResult>>>;

  Outcome begin(std::string method, std::string body = "", bool activates = false) {
    auto outcome = std::make_shared<std::optional<Result<TurnResult>>>();
    instance->run_turn({std::move(method), Payload(std::move(body)), "application/json", activates},
                       context, [outcome](Result<TurnResult> result) {
                         EXPECT_FALSE(*outcome) << "done was called twice";
                         *outcome = std::move(result);
                       });
    return outcome;
  }
  Result<TurnResult> run(std::string method, std::string body = "", bool activates = false) {
    Outcome outcome = begin(std::move(method), std::move(body), activates);
    if (!*outcome) return fail(Code::kInternal, "the turn waits");
    return std::move(**outcome);
  }
  /// The state that a turn leaves, without its tag.
  static std::string json(const TurnResult& result) {
    return result.state ? result.state->substr(1) : "none";
  }

  FakeContext context;
  ActorType type = actor_type_of<Probe>();
  std::unique_ptr<ActorInstance> instance = type.make();
};

TEST_F(ProbeTest, IsDescribedByItsClass) {
  EXPECT_EQ(type.name, "Probe");
  EXPECT_TRUE(type.options.reentrant);
  EXPECT_EQ(type.methods.size(), 14U);
  EXPECT_EQ(type.methods.front().name, "About");
  EXPECT_EQ(type.method("set")->access, Access::kWrite);
  EXPECT_EQ(type.method("number")->access, Access::kReadOnly);
  EXPECT_EQ(type.method("peek")->access, Access::kInterleave);
  EXPECT_EQ(type.method("about"), nullptr);
  const ActorType other = actor_type_of<Other>();
  EXPECT_EQ(other.name, "shop||other");
  EXPECT_NE(other.method("note"), nullptr);
}

TEST_F(ProbeTest, ATurnIsAReplyAndAState) {
  const Result<TurnResult> result = run("set", "5");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->reply.view(), "5");
  EXPECT_EQ(result->content_type, "application/json");
  EXPECT_EQ(json(*result), R"({"number":5,"last":""})");
}

TEST_F(ProbeTest, AReadOnlyTurnLeavesNoState) {
  ASSERT_TRUE(run("set", "5"));
  const Result<TurnResult> result = run("number");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->reply.view(), "5");
  EXPECT_FALSE(result->state);
}

TEST_F(ProbeTest, TheFirstTurnBeginsWithActivation) {
  const Result<TurnResult> result = run("number", "", true);
  ASSERT_TRUE(result);
  EXPECT_EQ(json(*result), R"({"number":0,"last":"activated"})");
}

TEST_F(ProbeTest, DeactivationIsATurn) {
  std::optional<Result<TurnResult>> outcome;
  instance->deactivate(context, [&](Result<TurnResult> result) { outcome = std::move(result); });
  ASSERT_FALSE(outcome);
  context.wakes[0]({});
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ(json(**outcome), R"({"number":0,"last":"deactivated"})");
}

TEST_F(ProbeTest, LoadsWhatATurnLeft) {
  const Result<TurnResult> result = run("set", "5");
  auto next = type.make();
  ASSERT_TRUE(next->load(*result->state));
  std::swap(instance, next);
  EXPECT_EQ(run("number")->reply.view(), "5");
  const Result<void> loaded = instance->load("\x01[1]");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kInvalid);
}

TEST_F(ProbeTest, AwaitsItsCalls) {
  const Outcome outcome = begin("ask", "4");
  ASSERT_FALSE(*outcome);
  ASSERT_EQ(context.calls.size(), 1U);
  EXPECT_EQ(to_string(context.calls[0].target), "shop||other/o");
  EXPECT_EQ(context.calls[0].method, "twice");
  EXPECT_EQ(context.calls[0].message.view(), "4");
  EXPECT_EQ(context.calls[0].timeout, 5s);
  context.replies[0](Payload("8"));
  ASSERT_TRUE(*outcome && **outcome);
  EXPECT_EQ((*outcome)->value().reply.view(), "8");
  EXPECT_EQ(json((*outcome)->value()), R"({"number":8,"last":"p"})");
}

TEST_F(ProbeTest, AFailedCallEndsTheTurnUnlessItIsCaught) {
  const Outcome outcome = begin("ask", "4");
  context.replies[0](fail(Code::kApplication, "not enough money"));
  ASSERT_TRUE(*outcome && !**outcome);
  EXPECT_EQ((*outcome)->error(), (Error{Code::kApplication, "not enough money"}));
  EXPECT_TRUE(instance->spoiled());
  instance = type.make();
  const Outcome gentle = begin("ask_gently");
  context.replies[1](fail(Code::kTimeout, "slow"));
  EXPECT_EQ((*gentle)->value().reply.view(), R"("slow")");
}

TEST_F(ProbeTest, AnUnreadableReplyNamesTheCallee) {
  const Outcome outcome = begin("ask", "4");
  context.replies[0](Payload("{"));
  ASSERT_TRUE(*outcome && !**outcome);
  EXPECT_NE((*outcome)->error().message.find("shop||other/o"), std::string::npos);
}

TEST_F(ProbeTest, EachOfInterleavedTurnsKeepsItsOwnEffects) {
  const Outcome first = begin("wait");
  const Outcome second = begin("wait");
  EXPECT_EQ(run("peek")->reply.view(), "-1");
  ASSERT_EQ(context.wakes.size(), 2U);
  context.wakes[1]({});
  ASSERT_TRUE(*second && !*first);
  context.wakes[0]({});
  ASSERT_TRUE(*first);
  EXPECT_EQ((*first)->value().outbox.size(), 1U);
  EXPECT_EQ((*second)->value().outbox.size(), 1U);
  EXPECT_EQ((*first)->value().outbox[0].message.view(), R"("p")");
}

TEST_F(ProbeTest, DestroyedWhileTurnsWaitIgnoresLateCompletions) {
  const Outcome outcome = begin("ask", "4");
  begin("wait");
  instance.reset();
  context.replies[0](Payload("8"));
  context.wakes[0]({});
  EXPECT_FALSE(*outcome);
}

TEST_F(ProbeTest, WhatAMethodThrowsReachesTheCaller) {
  EXPECT_EQ(run("refuse").error(), (Error{Code::kDenied, "not you"}));
  EXPECT_TRUE(instance->spoiled());
  instance = type.make();
  EXPECT_EQ(run("fail_const").error(), (Error{Code::kApplication, "std::out_of_range: far"}));
  EXPECT_FALSE(instance->spoiled());
  EXPECT_EQ(run("break_down").error(), (Error{Code::kApplication, "threw int"}));
}

TEST_F(ProbeTest, AnUnknownMethodIsAnsweredWithTheNearest) {
  const Error error = run("sett").error();
  EXPECT_EQ(error.code, Code::kUnimplemented);
  EXPECT_EQ(error.message.find("actor type 'Probe' has no method 'sett', did you mean 'set'?"), 0U)
      << error.message;
  EXPECT_FALSE(instance->spoiled());
}

TEST_F(ProbeTest, AnUnreadableMessageRunsNothing) {
  const Error error = run("set", R"("five")").error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_NE(error.message.find("'set' of Probe"), std::string::npos) << error.message;
  EXPECT_FALSE(instance->spoiled());
  EXPECT_EQ(run("number", "17").error().code, Code::kInvalid);
}

TEST_F(ProbeTest, AListOfOneIsTakenForTheArgument) {
  EXPECT_EQ(run("set", "[5]")->reply.view(), "5");
  EXPECT_EQ(run("set", " [ 5 ]\n")->reply.view(), "5");
  EXPECT_EQ(run("number", "[]")->reply.view(), "5");
  EXPECT_EQ(run("concat", R"([["a,","b]"]])").error().code, Code::kInvalid);
  EXPECT_EQ(run("concat", R"(["a,","b]"])")->reply.view(), R"("a,b]")");
  EXPECT_EQ(run("greet", R"(["a,\"]["])")->reply.view(), R"("hello a,\"][")");
  for (const char* body : {"[]", "[5,6]", "[5", "[[5]]", "[5],[6]", "[", "]"}) {
    EXPECT_EQ(run("set", body).error().code, Code::kInvalid) << body;
  }
}

TEST_F(ProbeTest, AFailedFirstTurnIsNotYetAnActivation) {
  EXPECT_FALSE(run("sett", "", true));
  EXPECT_TRUE(instance->spoiled());
}

TEST_F(ProbeTest, SchedulesAreEffectsOfTheTurn) {
  const Result<TurnResult> result = run("schedule");
  ASSERT_TRUE(result);
  ASSERT_EQ(result->timers.size(), 2U);
  EXPECT_EQ(result->timers[0].name, "set");
  EXPECT_EQ(result->timers[0].method, "set");
  EXPECT_EQ(result->timers[0].message.view(), "5");
  EXPECT_EQ(result->timers[0].after, 1min);
  EXPECT_EQ(result->timers[0].repeats, 3U);
  EXPECT_TRUE(result->timers[1].cancel);
  ASSERT_EQ(result->reminders.size(), 3U);
  EXPECT_EQ(result->reminders[0].name, "schedule");
  EXPECT_EQ(result->reminders[0].period, "0 30 9 * * MON");
  EXPECT_EQ(result->reminders[0].due, "");
  EXPECT_EQ(result->reminders[0].catch_up, CatchUp::kAll);
  EXPECT_EQ(result->reminders[1].name, "later");
  EXPECT_EQ(result->reminders[1].method, "set");
  EXPECT_EQ(result->reminders[1].due, "1h30m");
  EXPECT_EQ(result->reminders[1].period, "1500ms");
  EXPECT_TRUE(result->reminders[2].cancel);
  EXPECT_EQ(result->reminders[2].name, "gone");
  EXPECT_TRUE(result->deactivate_when_idle);
}

TEST_F(ProbeTest, AScheduleThatContradictsItselfFailsTheTurn) {
  const Error error = run("contradict").error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_EQ(error.message, "the schedule: only one of 'after', 'at' and 'due'");
}

TEST_F(ProbeTest, KnowsItself) {
  EXPECT_EQ(run("About")->reply.view(), R"("Probe/p 7 00-1-2-01")");
}

TEST(ActorBase, RefusesToWorkOutsideOfTurns) { EXPECT_THROW(Hasty(), std::logic_error); }

TEST(ScheduleTexts, AreWhatSchedulesRead) {
  EXPECT_EQ(to_text(Duration(24h)), "24h");
  EXPECT_EQ(to_text(Duration(90s)), "1m30s");
  EXPECT_EQ(to_text(Duration(250us)), "250us");
  EXPECT_EQ(to_text(Duration(0)), "0ms");
  const WallTime day = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31);
  EXPECT_EQ(to_text(day + 9h + 30min), "2026-01-31T09:30:00Z");
  EXPECT_EQ(to_text(day + 1500us), "2026-01-31T00:00:00.001500Z");
}

}  // namespace
}  // namespace troupe

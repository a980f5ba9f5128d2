#include "sdk/src/http_client_transport.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/guarded.h"
#include "runtime/base/log.h"
#include "runtime/net/http_server.h"
#include "sdk/examples/counter/counter.h"
#include <troupe/client.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

// Time stands still, but for pauses.
class StillClock final : public Clock {
 public:
  Time now() const override { return Time(Duration(now_.load())); }
  WallTime wall() const override { return WallTime(std::chrono::hours(1)); }
  void set(Time now) { now_ = now.time_since_epoch().count(); }

 private:
  std::atomic<Duration::rep> now_{Duration(std::chrono::hours(1)).count()};
};

// Ends every pause at once, and remembers how long it was to be.
class Pauses final : public Executor {
 public:
  explicit Pauses(StillClock& clock) : clock_(clock), loop_(clock, "pauses") {}

  void post(Work work) override { loop_.post(std::move(work)); }
  void post_at(Time when, Work work) override {
    lengths_.with([&](auto& lengths) { lengths.push_back(when - clock_.now()); });
    clock_.set(when);
    loop_.post(std::move(work));
  }
  std::vector<Duration> lengths() const {
    return lengths_.with([](const auto& lengths) { return lengths; });
  }

 private:
  StillClock& clock_;
  Guarded<std::vector<Duration>> lengths_;
  Loop loop_;
};

// Ticks when it is told to.
class Ticks final : public Executor {
 public:
  void post(Work work) override { post_at({}, std::move(work)); }
  void post_at(Time, Work work) override {
    waiting_.with([&](auto& waiting) { waiting.push_back(std::move(work)); });
  }
  void tick() {
    std::vector<Work> due = waiting_.with([](auto& waiting) { return std::exchange(waiting, {}); });
    for (Work& each : due) each();
  }
  std::size_t waiting() const {
    return waiting_.with([](const auto& waiting) { return waiting.size(); });
  }

 private:
  Guarded<std::vector<Work>> waiting_;
};

// A node that answers what the test says, and remembers what it was asked.
class FakeNode final : public net::HttpHandler {
 public:
  using Answers = std::function<net::HttpResponse(const net::HttpRequest&)>;
  // The status of an answer that does not come yet.
  static constexpr int kLate = -1;

  FakeNode(net::IoThreads& threads, Answers answers)
      : answers_(std::move(answers)), server_(threads, Log(silent_log(), "test"), {}, *this) {
    EXPECT_TRUE(server_.start());
  }
  ~FakeNode() override { server_.stop(0s); }
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  void handle(net::HttpRequest request, net::HttpResponder respond) override {
    net::HttpResponse answer = answers_(request);
    const bool late = answer.status == kLate;
    asked_.with([&](auto& asked) { asked.push_back(request); });
    if (!late) return respond(std::move(answer));
    late_.with([&](auto& all) { all.push_back(std::move(respond)); });
  }
  // What it owes is answered.
  void answer_late(const net::HttpResponse& answer) {
    std::vector<net::HttpResponder> owed =
        late_.with([](auto& all) { return std::exchange(all, {}); });
    for (net::HttpResponder& each : owed) each(answer);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  std::vector<net::HttpRequest> asked() const {
    return asked_.with([](const auto& asked) { return asked; });
  }

 private:
  Answers answers_;
  Guarded<std::vector<net::HttpRequest>> asked_;
  Guarded<std::vector<net::HttpResponder>> late_;
  net::HttpServer server_;
};

net::HttpResponse error(int status, const std::string& message) {
  return {.status = status,
          .content_type = "application/json",
          .body = R"({"errorCode":"ERR_ACTOR_INVOKE_METHOD","message":")" + message + "\"}"};
}

class HttpClientTransportTest : public testing::Test {
 protected:
  FakeNode& node(FakeNode::Answers answers) {
    return *nodes.emplace_back(std::make_unique<FakeNode>(threads, std::move(answers)));
  }
  FakeNode& node(const net::HttpResponse& always) {
    return node([always](const net::HttpRequest&) { return always; });
  }
  // An address where nobody listens.
  std::string nobody() {
    FakeNode gone(threads, [](const net::HttpRequest&) { return net::HttpResponse{}; });
    return gone.address();
  }
  std::shared_ptr<ClientTransport> transport(std::vector<std::string> addresses) {
    return std::make_shared<HttpClientTransport>(
        HttpClientTransportParts{clock, pauses, ticks, *http, *probes},
        HttpClientTransportOptions{.addresses = std::move(addresses), .token = "secret"});
  }
  Client client(std::vector<std::string> addresses) {
    return Client(transport(std::move(addresses)), 10s);
  }
  Result<int> count(const Client& client) {
    return client.actor<Counter>("a").call<&Counter::value>().result();
  }
  Result<int> add(const Client& client) {
    return client.actor<Counter>("a").call<&Counter::add>(1).result();
  }
  // Gives these answers, one after the other, and the last of them from then on.
  FakeNode& node(std::vector<net::HttpResponse> answers) {
    return node(
        [answers = std::move(answers), next = std::size_t{0}](const net::HttpRequest&) mutable {
          return answers[std::min(next++, answers.size() - 1)];
        });
  }

  StillClock clock;
  Pauses pauses{clock};
  Ticks ticks;
  net::IoThreads threads{clock, {.threads = 1, .tick = 1ms}};
  net::Resolver resolver;
  std::unique_ptr<net::HttpClient> http =
      std::make_unique<net::HttpClient>(threads, resolver, net::HttpClientOptions{});
  std::unique_ptr<net::HttpClient> probes =
      std::make_unique<net::HttpClient>(threads, resolver, net::HttpClientOptions{});
  std::vector<std::unique_ptr<FakeNode>> nodes;
};

TEST_F(HttpClientTransportTest, SendsACallAsTheApiWantsIt) {
  FakeNode& fake = node({.body = std::string("5")});
  EXPECT_EQ(client({fake.address()}).actor<Counter>("a/b c").call<&Counter::add>(5).get(), 5);
  ASSERT_EQ(fake.asked().size(), 1U);
  const net::HttpRequest asked = fake.asked()[0];
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.target, "/v1.0/actors/Counter/a%2Fb%20c/method/add");
  EXPECT_EQ(asked.body.view(), "5");
  EXPECT_EQ(asked.headers.find("Content-Type"), "application/json");
  EXPECT_EQ(asked.headers.find("dapr-api-token"), "secret");
  EXPECT_EQ(asked.headers.find("troupe-timeout-ms"), "10000");
}

TEST_F(HttpClientTransportTest, KeepsItsConnection) {
  FakeNode& fake = node([](const net::HttpRequest& request) {
    return net::HttpResponse{.body = std::to_string(request.peer.port)};
  });
  const Client calls = client({fake.address()});
  EXPECT_EQ(*count(calls), *count(calls));
}

TEST_F(HttpClientTransportTest, AsksTheNextAddressWhereNobodyListensAndStaysThere) {
  FakeNode& fake = node({.body = std::string("7")});
  const Client calls = client({nobody(), fake.address()});
  EXPECT_EQ(*count(calls), 7);
  EXPECT_TRUE(pauses.lengths().empty());
  EXPECT_EQ(*count(calls), 7);
  EXPECT_EQ(fake.asked().size(), 2U);
}

TEST_F(HttpClientTransportTest, ComesBackWithLongerAndLongerPauses) {
  int refusals = 3;
  FakeNode& fake = node([&](const net::HttpRequest&) {
    return refusals-- > 0 ? error(503, "no owner yet")
                          : net::HttpResponse{.body = std::string("1")};
  });
  EXPECT_EQ(*count(client({fake.address()})), 1);
  Duration longest = 50ms;
  for (const Duration length : pauses.lengths()) {
    EXPECT_LE(length, longest);
    EXPECT_GE(length, longest / 2);
    longest *= 2;
  }
  EXPECT_EQ(longest, 400ms) << "three pauses";
}

TEST_F(HttpClientTransportTest, CallersDoNotComeBackAtTheSameMoment) {
  std::set<Duration> lengths;
  for (int i = 0; i < 5; ++i) {
    FakeNode& fake = node({error(503, "no owner yet"), {.body = std::string("1")}});
    EXPECT_EQ(*count(client({fake.address()})), 1);
    lengths.insert(pauses.lengths().back());
  }
  EXPECT_GT(lengths.size(), 1U);
}

TEST_F(HttpClientTransportTest, AsksUntilTheTimeOutAndNamesTheLastReason) {
  FakeNode& fake = node(error(503, "no owner yet"));
  const Time began = clock.now();
  const Result<int> reply = add(client({fake.address()}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_EQ(reply.error().message, "Counter/a.add was given up after " +
                                       std::to_string(fake.asked().size()) + " attempts; last, " +
                                       fake.address() + ": no owner yet");
  EXPECT_EQ(clock.now() - began, 10s);
  for (const net::HttpRequest& asked : fake.asked()) {
    EXPECT_FALSE(asked.headers.contains("troupe-call-attempt")) << "none of them has run";
  }
}

TEST_F(HttpClientTransportTest, AsksNoMoreOftenThanItsUserWants) {
  FakeNode& fake = node(error(503, "no owner yet"));
  const Client calls(
      std::make_shared<HttpClientTransport>(
          HttpClientTransportParts{clock, pauses, ticks, *http, *probes},
          HttpClientTransportOptions{.addresses = {fake.address()}, .token = {}, .retries = 2}),
      10s);
  EXPECT_EQ(add(calls).error().code, Code::kUnavailable);
  EXPECT_EQ(fake.asked().size(), 3U);
}

TEST_F(HttpClientTransportTest, DoesNotWaitLongForNodesThatNobodyHasEverReached) {
  const Error gone = add(client({nobody()})).error();
  EXPECT_EQ(gone.code, Code::kUnavailable);
  EXPECT_EQ(pauses.lengths().size(), 3U);
}

TEST_F(HttpClientTransportTest, DoesNotInsistWhereNodesAreOverloaded) {
  FakeNode& fake = node(error(429, "slow down"));
  EXPECT_EQ(add(client({fake.address()})).error().code, Code::kExhausted);
  EXPECT_EQ(fake.asked().size(), 4U);
}

TEST_F(HttpClientTransportTest, AsksEveryAddressHoweverFewTheRetries) {
  std::vector<std::string> addresses(5);
  for (std::string& address : addresses) address = nobody();
  addresses.push_back(node({.body = std::string("1")}).address());
  EXPECT_EQ(*count(client(addresses)), 1);
}

TEST_F(HttpClientTransportTest, EachCallHasAKeyOfItsOwn) {
  FakeNode& fake = node({.body = std::string("1")});
  const Client calls = client({fake.address()});
  ASSERT_TRUE(add(calls) && add(calls) && add(client({fake.address()})));
  std::vector<std::string> keys;
  for (const net::HttpRequest& asked : fake.asked()) {
    keys.emplace_back(asked.headers.find("troupe-call-key").value_or("none"));
    EXPECT_FALSE(asked.headers.contains("troupe-call-attempt"));
  }
  ASSERT_EQ(keys.size(), 3U);
  const std::string caller = keys[0].substr(0, 32);
  EXPECT_EQ(caller.find_first_not_of("0123456789abcdef"), std::string::npos) << caller;
  EXPECT_EQ(keys[0], caller + "-1");
  EXPECT_EQ(keys[1], caller + "-2");
  EXPECT_NE(keys[2].substr(0, 32), caller);
}

TEST_F(HttpClientTransportTest, TellsWhichOfItsCallsItDoesNotSendAgain) {
  FakeNode& fake = node({error(500, "the answer was lost"), {.body = std::string("1")}});
  const Client calls = client({fake.address()});
  ASSERT_TRUE(add(calls) && add(calls));
  std::vector<std::string> done;
  for (const net::HttpRequest& asked : fake.asked()) {
    done.emplace_back(asked.headers.find("troupe-calls-done-below").value_or("none"));
  }
  EXPECT_EQ(done, (std::vector<std::string>{"1", "1", "2"})) << "the first was sent twice";
}

TEST_F(HttpClientTransportTest, RepeatsWhatMayHaveTakenEffectUnderItsKey) {
  FakeNode& fake = node(error(500, "the answer was lost"));
  FakeNode& other = node({.body = std::string("7")});
  EXPECT_EQ(*add(client({fake.address(), other.address()})), 7);
  ASSERT_EQ(fake.asked().size(), 1U);
  ASSERT_EQ(other.asked().size(), 1U);
  const net::HttpRequest first = fake.asked()[0];
  const net::HttpHeaders again = other.asked()[0].headers;
  EXPECT_EQ(again.find("troupe-call-key"), first.headers.find("troupe-call-key"));
  EXPECT_EQ(again.find("troupe-call-attempt"), "2");
}

TEST_F(HttpClientTransportTest, TellsTheTimeThatIsLeftToEachAttempt) {
  FakeNode& fake = node({error(500, "the answer was lost"), {.body = std::string("7")}});
  EXPECT_EQ(*add(client({fake.address()})), 7);
  ASSERT_EQ(fake.asked().size(), 2U);
  const auto left = std::chrono::floor<std::chrono::milliseconds>(10s - pauses.lengths()[0]);
  EXPECT_EQ(fake.asked()[1].headers.find("troupe-timeout-ms"), std::to_string(left.count()));
}

TEST_F(HttpClientTransportTest, SaysThatTheOutcomeIsUnknownIfNobodyCouldTellInTime) {
  FakeNode& fake = node({error(500, "the answer was lost"), error(503, "no owner yet")});
  const Result<int> reply = add(client({fake.address()}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnknownOutcome);
  EXPECT_TRUE(reply.error().message.ends_with(" attempts, and may have taken effect; last, " +
                                              fake.address() + ": no owner yet"))
      << reply.error().message;
}

TEST_F(HttpClientTransportTest, ARefusalIsNoProofThatAnEarlierAttemptHadNoEffect) {
  const net::HttpResponse refusal =
      error(500, "error invoke actor method: error from actor service: (500) not enough money");
  FakeNode& fake = node({error(500, "the answer was lost"), refusal});
  EXPECT_EQ(add(client({fake.address()})).error(),
            (Error{Code::kUnknownOutcome,
                   "Counter/a.add: an earlier attempt may have taken effect, and the last one "
                   "failed: not enough money"}));
  FakeNode& unready = node({error(503, "no owner yet"), refusal});
  EXPECT_EQ(add(client({unready.address()})).error(),
            (Error{Code::kApplication, "not enough money"}));
  FakeNode& strict = node({error(500, "the answer was lost"), error(400, "no such field")});
  EXPECT_EQ(add(client({strict.address()})).error().code, Code::kInvalid);
}

TEST_F(HttpClientTransportTest, ReadsAreRepeatedWithoutAKey) {
  FakeNode& fake = node({error(500, "the answer was lost"), {.body = std::string("7")}});
  EXPECT_EQ(*count(client({fake.address()})), 7);
  ASSERT_EQ(fake.asked().size(), 2U);
  EXPECT_FALSE(fake.asked()[1].headers.contains("troupe-call-key"));
}

TEST_F(HttpClientTransportTest, NeverRepeatsWhatMayHaveTakenEffectAndIsTooLongForAKey) {
  FakeNode& fake = node(error(500, "the answer was lost"));
  FakeNode& other = node({.body = std::string("1")});
  const Result<int> reply = client({fake.address(), other.address()})
                                .actor<Counter>("a")
                                .call<&Counter::add>(1)
                                .with_timeout(kKeyedTimeoutMax + 1ms)
                                .result();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), (Error{Code::kUnknownOutcome, "the answer was lost"}));
  EXPECT_EQ(fake.asked().size(), 1U);
  EXPECT_FALSE(fake.asked()[0].headers.contains("troupe-call-key"));
  EXPECT_TRUE(other.asked().empty());
}

TEST_F(HttpClientTransportTest, SaysThatAReplyWasTooLongToBeKept) {
  net::HttpResponse applied;
  applied.headers.add("troupe-applied-before", "true");
  FakeNode& fake = node({error(500, "the answer was lost"), applied});
  EXPECT_EQ(add(client({fake.address()})).error(),
            (Error{Code::kDataLoss, "it took effect, but its reply was longer than is kept"}));
}

TEST_F(HttpClientTransportTest, GivesWhatTheActorThrewAsItIs) {
  FakeNode& fake = node(
      error(500, "error invoke actor method: error from actor service: (500) not enough money"));
  EXPECT_EQ(count(client({fake.address()})).error(),
            (Error{Code::kApplication, "not enough money"}));
}

TEST_F(HttpClientTransportTest, BelievesTheCodeThatTheNodeNames) {
  net::HttpResponse answer = error(500, "bytes are missing");
  answer.headers.add("troupe-code", "data loss");
  FakeNode& fake = node(answer);
  EXPECT_EQ(count(client({fake.address()})).error(), (Error{Code::kDataLoss, "bytes are missing"}));
}

TEST_F(HttpClientTransportTest, GivesAStructuredErrorOfAnAppAsItsError) {
  net::HttpResponse answer{.body = std::string("the app's own words")};
  answer.headers.add("X-DaprErrorResponseHeader", "true");
  FakeNode& fake = node(answer);
  EXPECT_EQ(count(client({fake.address()})).error(),
            (Error{Code::kApplication, "the app's own words"}));
}

TEST_F(HttpClientTransportTest, ReadsAnErrorThatIsNotJson) {
  FakeNode& fake = node({.status = 401, .body = std::string("invalid api token")});
  EXPECT_EQ(count(client({fake.address()})).error(),
            (Error{Code::kUnauthenticated, "invalid api token"}));
}

TEST_F(HttpClientTransportTest, SendsNothingToWhatIsNoAddress) {
  const Error error = count(client({"nonsense"})).error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_EQ(error.message,
            "'nonsense' is no address of a node: it is host:port, such as 127.0.0.1:3500");
  EXPECT_EQ(count(client({})).error().code, Code::kInvalid);
}

TEST_F(HttpClientTransportTest, SendsNothingThatIsTooLate) {
  FakeNode& fake = node({.body = std::string("1")});
  const Result<int> reply = client({fake.address()})
                                .actor<Counter>("a")
                                .call<&Counter::value>()
                                .with_timeout(0s)
                                .result();
  EXPECT_EQ(reply.error().code, Code::kTimeout);
  EXPECT_TRUE(fake.asked().empty());
}

TEST_F(HttpClientTransportTest, NeedsOnlyAnAddressOfItsUser) {
  FakeNode& fake = node({.body = std::string("7")});
  const Client calls(ClientOptions{.addresses = {fake.address()}});
  EXPECT_EQ(*count(calls), 7);
}

bool is_probe(const net::HttpRequest& request) { return request.target == "/v1.0/healthz"; }

// Two nodes, the first of which owes an answer to a call.
class LateAnswers : public HttpClientTransportTest {
 protected:
  // Whether the first answers when it is asked whether it is there.
  enum class Health : std::uint8_t { kThere, kSilent };

  FakeNode& first_node(Health health) {
    return node([health](const net::HttpRequest& request) {
      const bool answers = is_probe(request) && health == Health::kThere;
      return net::HttpResponse{.status = answers ? 204 : FakeNode::kLate};
    });
  }
  static void until(const std::function<bool()>& holds) {
    const SystemClock real;
    const Time patience = real.now() + 20s;  // only a failing test waits so long
    while (!holds() && real.now() < patience) std::this_thread::yield();
    EXPECT_TRUE(holds());
  }
  static std::size_t count_of(const FakeNode& node, bool probes) {
    std::size_t count = 0;
    for (const net::HttpRequest& each : node.asked()) count += is_probe(each) == probes ? 1 : 0;
    return count;
  }
  // Lets a second pass, and waits until `node` has been probed for it.
  void probe(const FakeNode& node) {
    const std::size_t before = count_of(node, kProbes);
    clock.set(clock.now() + 1s);
    ticks.tick();
    until([&] { return count_of(node, kProbes) > before; });
    // The one thread of all sockets has seen to the answer, if there is one, when this is answered.
    FakeNode& after = this->node({.body = std::string("1")});
    EXPECT_TRUE(count(client({after.address()})));
  }

  static constexpr bool kProbes = true;
  static constexpr bool kCalls = false;
};

TEST_F(LateAnswers, ACallGoesOnElsewhereWhenItsNodeDoesNotSayThatItIsThere) {
  FakeNode& silent = first_node(Health::kSilent);
  FakeNode& other = node({.body = std::string("7")});
  const Client calls = client({silent.address(), other.address()});
  auto reply = std::async(std::launch::async, [&] { return add(calls); });
  until([&] { return count_of(silent, kCalls) == 1; });
  probe(silent);
  EXPECT_TRUE(other.asked().empty());
  clock.set(clock.now() + 1s);
  EXPECT_EQ(*reply.get(), 7);
  ASSERT_EQ(other.asked().size(), 1U);
  const net::HttpHeaders again = other.asked()[0].headers;
  EXPECT_EQ(again.find("troupe-call-key"), silent.asked()[0].headers.find("troupe-call-key"));
  EXPECT_EQ(again.find("troupe-call-attempt"), "2");
  EXPECT_EQ(again.find("troupe-timeout-ms"), "8000");
  EXPECT_TRUE(pauses.lengths().empty());
  silent.answer_late({.body = std::string("7")});
}

TEST_F(LateAnswers, ALongCallIsNeitherRepeatedNorCutWhereTheNodeSaysThatItIsThere) {
  FakeNode& busy = first_node(Health::kThere);
  FakeNode& other = node({.body = std::string("8")});
  const Client calls = client({busy.address(), other.address()});
  auto reply = std::async(std::launch::async, [&] { return add(calls); });
  until([&] { return count_of(busy, kCalls) == 1; });
  for (int i = 0; i < 5; ++i) probe(busy);
  busy.answer_late({.body = std::string("7")});
  EXPECT_EQ(*reply.get(), 7);
  EXPECT_EQ(count_of(busy, kCalls), 1U);
  EXPECT_TRUE(other.asked().empty());
  ticks.tick();
  EXPECT_EQ(ticks.waiting(), 0U) << "nobody waits";
}

TEST_F(LateAnswers, NothingIsAskedOfTheOnlyAddressThereIs) {
  FakeNode& only = first_node(Health::kSilent);
  const Client calls = client({only.address()});
  auto reply = std::async(std::launch::async, [&] { return add(calls); });
  until([&] { return count_of(only, kCalls) == 1; });
  EXPECT_EQ(ticks.waiting(), 0U);
  only.answer_late({.body = std::string("7")});
  EXPECT_EQ(*reply.get(), 7);
}

TEST_F(LateAnswers, WhatMayNotBeSentAgainWaitsOn) {
  FakeNode& silent = first_node(Health::kSilent);
  FakeNode& other = node({.body = std::string("8")});
  const Client calls = client({silent.address(), other.address()});
  auto reply = std::async(std::launch::async, [&] {
    return calls.actor<Counter>("a").call<&Counter::add>(1).with_timeout(1h).result();
  });
  until([&] { return count_of(silent, kCalls) == 1; });
  EXPECT_EQ(ticks.waiting(), 0U);
  silent.answer_late({.body = std::string("7")});
  EXPECT_EQ(*reply.get(), 7);
}

}  // namespace
}  // namespace troupe

#include "sdk/src/http_client_transport.h"

#include <gtest/gtest.h>

#include "tests/unit/sdk/client_bench.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

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

}  // namespace
}  // namespace troupe

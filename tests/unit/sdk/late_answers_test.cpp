#include <gtest/gtest.h>

#include "tests/unit/sdk/client_bench.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

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

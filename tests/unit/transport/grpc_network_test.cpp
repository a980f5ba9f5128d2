#include "runtime/transport/grpc_network.h"

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/guarded.h"
#include "tests/unit/transport/test_node.h"

namespace troupe::transport {
namespace {

// Both know one another and are connected.
void connect(TestNode& a, TestNode& b) {
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  a.know(b);
  b.know(a);
  ASSERT_TRUE(a.wait_connected(b));
  ASSERT_TRUE(b.wait_connected(a));
}

Result<std::string> ask(TestNode& asker, const std::string& address, std::string question) {
  std::promise<Result<std::string>> answer;
  std::future<Result<std::string>> answered = answer.get_future();
  asker.network.introduce(address, std::move(question),
                          [answer = std::move(answer)](Result<std::string> result) mutable {
                            answer.set_value(std::move(result));
                          });
  return answered.get();
}

std::string numbered(const std::string& name, int number) {
  return name + " " + std::to_string(number);
}

TEST(GrpcNetwork, FramesOfALaneArriveInOrderInBothDirections) {
  constexpr int kFrames = 5'000;
  TestNode a(1);
  TestNode b(2);
  connect(a, b);
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(a.network.send(b.id, Lane::kControl, numbered("a", i)));
    ASSERT_TRUE(b.network.send(a.id, Lane::kControl, numbered("b", i)));
  }
  ASSERT_TRUE(a.wait_frames(b, kFrames));
  ASSERT_TRUE(b.wait_frames(a, kFrames));
  const std::vector<std::string> at_a = a.frames(b);
  const std::vector<std::string> at_b = b.frames(a);
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_EQ(at_a[static_cast<std::size_t>(i)], numbered("b", i));
    ASSERT_EQ(at_b[static_cast<std::size_t>(i)], numbered("a", i));
  }
}

TEST(GrpcNetwork, WhatGathersGoesOutTogether) {
  TestNode a(1);
  TestNode b(2);
  connect(a, b);
  constexpr std::size_t kFrames = 20'000;
  for (std::size_t i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(a.network.send(b.id, Lane::kControl, "tick"));
  }
  ASSERT_TRUE(b.wait_frames(a, kFrames));
  EXPECT_EQ(a.network.metrics().frames_sent, kFrames);
  EXPECT_LT(a.network.metrics().batches_sent, kFrames / 2);
  EXPECT_EQ(b.network.metrics().bytes_received, a.network.metrics().bytes_sent);
}

TEST(GrpcNetwork, FramesComeWithinBatchesThatEnd) {
  TestNode a(1);
  TestNode b(2);
  connect(a, b);
  const std::string large(200'000, 'x');
  for (const std::string& frame : {std::string("first"), large, std::string("last")}) {
    ASSERT_TRUE(a.network.send(b.id, Lane::kControl, frame));
  }
  ASSERT_TRUE(b.wait_frames(a, 3));
  EXPECT_TRUE(b.recorder.wait([&](const auto& heard) {
    return heard.open_batches == 0 && heard.batches >= a.network.metrics().batches_sent;
  }));
  EXPECT_EQ(b.recorder.look([](const auto& heard) { return heard.frames_outside; }), 0);
}

TEST(GrpcNetwork, AListenerThatStaysForLongHoldsUpNobodyAndIsLentNoOtherThread) {
  TestNode a(1);
  TestNode b(2);
  std::atomic<bool> first = true;
  std::atomic<int> lent = 0;
  b.recorder.on_end = [&](bool may_stay) {
    if (!may_stay || !b.recorder.look([&](auto& heard) { return heard.frames.contains(a.id); })) {
      return false;
    }
    ++lent;
    if (first.exchange(false)) {
      EXPECT_TRUE(b.wait_frames(a, 2));
      EXPECT_EQ(lent, 1);
    }
    return false;
  };
  connect(a, b);
  ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "keeps the thread"));
  while (lent == 0) std::this_thread::yield();
  ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "comes all the same"));
  ASSERT_TRUE(b.wait_frames(a, 2));
  while (lent < 2) {  // lent again, once the first is back
    ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "more"));
    std::this_thread::yield();
  }
  b.network.stop();
}

TEST(GrpcNetwork, AListenerThatWantsToGoOnIsAskedAgainUntilItHasEnough) {
  constexpr int kTimes = 1'000;
  TestNode a(1);
  TestNode b(2);
  std::atomic<int> left = kTimes;
  std::atomic<bool> sent_away = false;
  b.recorder.on_end = [&](bool may_stay) {
    if (!may_stay) sent_away = true;
    return may_stay && --left > 0;
  };
  connect(a, b);
  while (left > 0) {
    // A busy machine lets its stay seem long, which ends it: until something comes, then.
    if (sent_away.exchange(false)) ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "more"));
    std::this_thread::yield();
  }
  ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "and still listens"));
  EXPECT_TRUE(b.recorder.wait([&](auto& heard) {
    return !heard.frames[a.id].empty() && heard.frames[a.id].back() == "and still listens";
  }));
  b.network.stop();
}

TEST(GrpcNetwork, LargeFramesArriveWholeAmongSmallOnes) {
  TestNode a(1);
  TestNode b(2);
  connect(a, b);
  const std::vector<std::string> sent = {
      "before", std::string(20'000'000, 'x'), "between", std::string(100'000, 'y'), "", "after"};
  for (const std::string& frame : sent) {
    ASSERT_TRUE(a.network.send(b.id, Lane::kControl, frame));
  }
  ASSERT_TRUE(b.wait_frames(a, sent.size()));
  EXPECT_EQ(b.frames(a), sent);
}

TEST(GrpcNetwork, SendingToWhomItIsNotConnectedIsRefused) {
  TestNode a(1);
  ASSERT_TRUE(a.network.start());
  EXPECT_FALSE(a.network.send(node_id(2), Lane::kCalls, "hello"));
}

TEST(GrpcNetwork, AFullLaneRefusesWhileTheOtherTakes) {
  TransportOptions options = TestNode::options_at(0);
  options.calls_queue_bytes_max = 100'000;
  options.stop_patience = std::chrono::milliseconds(1);
  std::promise<void> proceed;
  const std::shared_future<void> may_proceed = proceed.get_future().share();
  TestNode a(1, "blue", options);
  TestNode b(2);
  b.recorder.on_frame = [may_proceed](NodeId, std::string_view) { may_proceed.wait(); };
  connect(a, b);
  // The receiver stands still; what the system and gRPC hold back is bounded.
  int sent = 0;
  while (a.network.send(b.id, Lane::kCalls, std::string(1'000, 'x')) && sent < 100'000) ++sent;
  EXPECT_GT(sent, 0);
  EXPECT_LT(sent, 100'000);
  EXPECT_GT(a.network.metrics().frames_refused, 0u);
  EXPECT_TRUE(a.network.send(b.id, Lane::kControl, std::string(1'000'000, 'x')));
  proceed.set_value();
}

TEST(GrpcNetwork, APeerThatRestartsOnTheSamePortIsConnectedAgain) {
  TestNode a(1);
  auto b = std::make_unique<TestNode>(2);
  connect(a, *b);
  const std::uint16_t port = b->network.port();
  b.reset();
  ASSERT_TRUE(a.recorder.wait([](auto& heard) { return heard.disconnected[node_id(2)] == 1; }));
  b = std::make_unique<TestNode>(2, "blue", port);
  ASSERT_TRUE(b->network.start());
  b->know(a);
  ASSERT_TRUE(a.wait_connected(*b, 2));
  ASSERT_TRUE(a.network.send(b->id, Lane::kCalls, "again"));
  ASSERT_TRUE(b->wait_frames(a, 1));
  EXPECT_EQ(b->frames(a), std::vector<std::string>{"again"});
  EXPECT_EQ(a.recorder.look([&](auto& heard) { return heard.disconnected[b->id]; }), 1);
}

TEST(GrpcNetwork, TellsThatNobodyListensWhereAPeerWas) {
  TestNode a(1);
  auto b = std::make_unique<TestNode>(2);
  connect(a, *b);
  b.reset();
  EXPECT_TRUE(a.recorder.wait([](auto& heard) {
    return heard.disconnected[node_id(2)] == 1 && heard.nobody_listens[node_id(2)] >= 1;
  }));
}

TEST(GrpcNetwork, ALossOfTheOtherDirectionIsToldOnceAndMendedByItsReturn) {
  TestNode a(1);
  TestNode b(2);
  connect(a, b);
  // Everything of b to a must be there before it goes.
  ASSERT_TRUE(b.network.send(a.id, Lane::kCalls, "over calls"));
  ASSERT_TRUE(b.network.send(a.id, Lane::kControl, "over control"));
  ASSERT_TRUE(a.wait_frames(b, 2));
  b.network.forget(a.id);
  ASSERT_TRUE(a.wait_disconnected(b));
  // This way is open, but nobody would tell of its loss, and no answer could come.
  EXPECT_FALSE(a.network.send(b.id, Lane::kCalls, "lost"));
  b.know(a);
  ASSERT_TRUE(a.wait_connected(b, 2));
  EXPECT_TRUE(a.network.send(b.id, Lane::kCalls, "again"));
  EXPECT_EQ(a.recorder.look([&](auto& heard) { return heard.disconnected[b.id]; }), 1);
  EXPECT_EQ(a.recorder.look([&](auto& heard) { return heard.nobody_listens[b.id]; }), 0);
}

TEST(GrpcNetwork, WhatIsSentBeforeTheOtherDirectionReturnsIsToldToBeLost) {
  TestNode a(1);
  TestNode b(2);
  connect(a, b);
  b.network.forget(a.id);
  ASSERT_TRUE(a.wait_disconnected(b));
  // This way is there anew, before the other one is.
  a.network.forget(b.id);
  a.know(b);
  ASSERT_TRUE(a.wait_connected(b, 2));
  // If it had not noticed the loss yet, an answer of b would go to where a does not read any more.
  ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "question"));
  b.know(a);
  EXPECT_TRUE(a.wait_disconnected(b, 2));
  EXPECT_TRUE(a.wait_connected(b, 3));
  EXPECT_TRUE(a.network.send(b.id, Lane::kCalls, "once more"));
}

TEST(GrpcNetwork, AForgottenPeerIsSentNothing) {
  TestNode a(1);
  TestNode b(2);
  connect(a, b);
  a.network.forget(b.id);
  EXPECT_FALSE(a.network.send(b.id, Lane::kControl, "gone"));
  EXPECT_TRUE(a.wait_disconnected(b));
  EXPECT_TRUE(b.wait_disconnected(a));
}

TEST(GrpcNetwork, APeerKnownUnderANewAddressIsReachedThere) {
  TestNode a(1);
  auto b = std::make_unique<TestNode>(2);
  connect(a, *b);
  b.reset();
  b = std::make_unique<TestNode>(2);
  ASSERT_TRUE(b->network.start());
  a.know(*b);
  ASSERT_TRUE(a.wait_connected(*b, 2));
  ASSERT_TRUE(a.network.send(b->id, Lane::kCalls, "here?"));
  EXPECT_TRUE(b->wait_frames(a, 1));
}

// Counts what it is asked to write, and remembers the reasons.
class ReasonLog final : public LogSink {
 public:
  bool wants(LogLevel, std::string_view) const override { return true; }
  void write(LogLevel, std::string_view, std::string_view,
             std::initializer_list<LogField> fields) override {
    for (const LogField& field : fields) {
      if (field.name == "reason") reasons.with([&](auto& all) { all.push_back(field.value); });
    }
  }
  Guarded<std::vector<std::string>> reasons;
};

TEST(GrpcNetwork, AStrangerIsRefusedAndToldWhyOnce) {
  TransportOptions options = TestNode::options_at(0);
  options.retry_longest = std::chrono::milliseconds(1);
  options.retry_first = std::chrono::milliseconds(1);
  ReasonLog said;
  TestNode blue(1);
  ASSERT_TRUE(blue.network.start());
  SystemClock clock;
  net::IoThreads threads{clock, {.threads = 1}};
  net::Resolver resolver{1};
  Recorder recorder({.cluster = "red", .node = node_id(2), .generation = {}});
  {
    GrpcNetwork red({.threads = threads,
                     .resolver = resolver,
                     .clock = clock,
                     .log = Log(said, "transport"),
                     .listener = recorder},
                    options);
    ASSERT_TRUE(red.start());
    red.know(blue.id, blue.network.address());
    while (red.metrics().refused_by_peers < 3) std::this_thread::yield();
    red.stop();
  }
  EXPECT_EQ(said.reasons.with([](auto& all) { return all; }),
            std::vector<std::string>{"it is of cluster 'red', this node of 'blue'"});
  EXPECT_GE(blue.network.metrics().strangers_refused, 3u);
  EXPECT_TRUE(recorder.take().connected.empty());
  EXPECT_TRUE(blue.recorder.take().connected.empty());
}

TEST(GrpcNetwork, AnotherNodeAtThePeersAddressIsNotTakenForIt) {
  TestNode a(1);
  TestNode b(2);
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  a.network.know(node_id(3), b.network.address());
  while (a.network.metrics().refused_by_peers == 0) std::this_thread::yield();
  EXPECT_FALSE(a.network.send(node_id(3), Lane::kCalls, "hello"));
  EXPECT_TRUE(a.recorder.take().connected.empty());
}

TEST(GrpcNetwork, AnIntroductionIsAnsweredWithoutBeingKnown) {
  TestNode a(1, "");
  TestNode b(2);
  b.recorder.answer = [](const std::string& question) -> Result<std::string> {
    return question + "? yes";
  };
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  const Result<std::string> answer = ask(a, b.network.address(), "may I join");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, "may I join? yes");
}

TEST(GrpcNetwork, AnIntroductionThatIsRefusedSaysWhy) {
  TestNode a(1);
  TestNode b(2);
  b.recorder.answer = [](const std::string&) -> Result<std::string> {
    return fail(Code::kPrecondition, "the cluster is full");
  };
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  const Result<std::string> answer = ask(a, b.network.address(), "may I join");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), (Error{Code::kPrecondition, "the cluster is full"}));
}

TEST(GrpcNetwork, AnIntroductionWithoutAnAnswerTimesOut) {
  TransportOptions options = TestNode::options_at(0);
  options.introduce_timeout = std::chrono::milliseconds(50);
  TestNode a(1, "blue", options);
  TestNode b(2);
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  const Result<std::string> answer = ask(a, b.network.address(), "anyone");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kTimeout);
}

TEST(GrpcNetwork, AnAnswerThatIsDroppedOrNobodyThereIsUnavailable) {
  TestNode a(1);
  auto b = std::make_unique<TestNode>(2);
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b->network.start());
  const std::string address = b->network.address();
  std::promise<Result<std::string>> answer;
  a.network.introduce(address, "anyone",
                      [&](Result<std::string> result) { answer.set_value(std::move(result)); });
  ASSERT_TRUE(b->recorder.wait([](auto& heard) { return heard.kept.size() == 1; }));
  b->recorder.take();  // and forget it
  EXPECT_EQ(answer.get_future().get().error().code, Code::kUnavailable);
  b.reset();
  EXPECT_EQ(ask(a, address, "anyone").error().code, Code::kUnavailable);
}

TEST(GrpcNetwork, StoppingAnswersWhatIsAsked) {
  TestNode a(1);
  TestNode b(2);
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  std::promise<Result<std::string>> answer;
  a.network.introduce(b.network.address(), "anyone",
                      [&](Result<std::string> result) { answer.set_value(std::move(result)); });
  ASSERT_TRUE(b.recorder.wait([](auto& heard) { return heard.kept.size() == 1; }));
  a.network.stop();
  EXPECT_EQ(answer.get_future().get().error().code, Code::kUnavailable);
  EXPECT_FALSE(ask(a, b.network.address(), "once more"));
}

TEST(GrpcNetwork, AStopWaitsForACallThatHasComeAndThatNobodyHasLookedAt) {
  TestNode a(1);
  TestNode b(2);
  std::promise<void> came;
  std::promise<void> proceed;
  std::atomic<bool> first = true;
  b.recorder.on_begin = [&, may_proceed = proceed.get_future().share()] {
    if (!first.exchange(false)) return;
    came.set_value();
    may_proceed.wait();
  };
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  std::promise<Result<std::string>> answer;
  a.network.introduce(b.network.address(), "anyone",
                      [&](Result<std::string> result) { answer.set_value(std::move(result)); });
  came.get_future().wait();
  std::future<void> stopped = std::async(std::launch::async, [&] { b.network.stop(); });
  EXPECT_FALSE(answer.get_future().get());  // the server is shut down
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  proceed.set_value();  // its first read would end the process, were the queue shut down by now
  stopped.get();
}

TEST(GrpcNetwork, DatagramsArriveAtThePortOfTheStreams) {
  TestNode a(1);
  TestNode b(2);
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  const std::string by_name = "localhost:" + std::to_string(b.network.port());
  for (const std::string& address : {b.network.address(), by_name}) {
    a.network.send_datagram(address, "gossip for " + address);
    ASSERT_TRUE(b.recorder.wait([&](auto& heard) {
      return !heard.datagrams.empty() && heard.datagrams.back().second == "gossip for " + address;
    }));
  }
  EXPECT_EQ(b.recorder.take().datagrams.front().first, a.network.address());
  a.network.send_datagram("no address at all", "lost");
  EXPECT_EQ(a.network.metrics().datagrams_dropped, 1u);
}

TEST(GrpcNetwork, StopSendsWhatIsQueued) {
  constexpr std::size_t kFrames = 10'000;
  auto a = std::make_unique<TestNode>(1);
  TestNode b(2);
  connect(*a, b);
  for (std::size_t i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(a->network.send(b.id, Lane::kControl, std::string(1'000, 'x')));
  }
  a->network.stop();
  ASSERT_TRUE(b.wait_frames(*a, kFrames));
  EXPECT_FALSE(a->network.send(b.id, Lane::kControl, "late"));
  EXPECT_TRUE(a->recorder.take().disconnected.empty());
  a.reset();
}

TEST(GrpcNetwork, ATakenPortIsAnErrorThatNamesIt) {
  TestNode a(1);
  ASSERT_TRUE(a.network.start());
  TestNode b(2, "blue", a.network.port());
  const Result<void> started = b.network.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(),
            (Error{Code::kUnavailable, "cannot listen on " + a.network.address() +
                                           ": address already in use; choose another port"}));
}

TEST(GrpcNetwork, ThreeNodesSpeakWithOneAnotherFromManyThreads) {
  constexpr int kFrames = 1'000;
  TestNode a(1);
  TestNode b(2);
  TestNode c(3);
  std::vector<TestNode*> nodes = {&a, &b, &c};
  for (TestNode* node : nodes) ASSERT_TRUE(node->network.start());
  const auto each_pair = [&](auto use) {
    for (TestNode* from : nodes) {
      for (TestNode* to : nodes) {
        if (from != to) use(*from, *to);
      }
    }
  };
  each_pair([](TestNode& from, TestNode& to) { from.know(to); });
  each_pair([](TestNode& from, TestNode& to) { ASSERT_TRUE(from.wait_connected(to)); });
  std::vector<std::future<void>> senders;
  each_pair([&](TestNode& from, TestNode& to) {
    senders.push_back(std::async(std::launch::async, [&from, &to] {
      for (int i = 0; i < kFrames; ++i) {
        ASSERT_TRUE(from.network.send(to.id, i % 2 == 0 ? Lane::kControl : Lane::kCalls,
                                      numbered("frame", i)));
      }
    }));
  });
  for (std::future<void>& sender : senders) sender.get();
  each_pair([](TestNode& from, TestNode& to) { ASSERT_TRUE(to.wait_frames(from, kFrames)); });
}

TEST(IsLoopback, KnowsTheAddressesOfThisMachineAlone) {
  for (const char* host : {"localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"", "0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.evil"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace troupe::transport

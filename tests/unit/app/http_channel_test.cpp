// The way to an app, against a server in this process.
#include "runtime/app/http_channel.h"

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include "runtime/net/http_server.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using Answer = Result<net::HttpResponse>;

// Keeps what it is asked until the test answers.
class Server final : public net::HttpHandler {
 public:
  void handle(net::HttpRequest request, net::HttpResponder respond) override {
    if (request.path() == "/now") return respond({.body = Payload(std::string("now"))});
    if (request.path() == "/large") return respond({.body = Payload(std::string(2048, 'x'))});
    held.with([&](auto& all) { all.emplace_back(std::move(request), std::move(respond)); });
    ++arrived;
  }
  void answer_one() {
    auto first = held.with([](auto& all) {
      auto taken = std::move(all.front());
      all.erase(all.begin());
      return taken;
    });
    first.second({.status = 200});
  }

  Guarded<std::vector<std::pair<net::HttpRequest, net::HttpResponder>>> held;
  std::atomic<int> arrived{0};
};

class HttpChannelTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server.start()); }
  void TearDown() override {
    if (channel) channel->stop();
    server.stop(0s);
  }
  void open(HttpChannelOptions options = {}) {
    options.app = {"127.0.0.1", server.port()};
    channel.emplace(threads, resolver, std::move(options), [this] { ++troubles; });
  }
  std::future<Answer> ask(const std::string& target, Duration patience = 30s) {
    auto promise = std::make_shared<std::promise<Answer>>();
    std::future<Answer> answer = promise->get_future();
    channel->ask({.method = "PUT", .target = target}, clock.now() + patience,
                 [promise](Answer result) { promise->set_value(std::move(result)); });
    return answer;
  }
  bool arrive(int count) {
    const Time deadline = clock.now() + 30s;
    while (handler.arrived < count && clock.now() < deadline) std::this_thread::sleep_for(1ms);
    return handler.arrived >= count;
  }

  SystemClock clock;
  net::IoThreads threads{clock, {.threads = 2}};
  net::Resolver resolver{1};
  Server handler;
  net::HttpServer server{threads, Log(silent_log(), "app"), {}, handler};
  std::optional<HttpChannel> channel;
  std::atomic<int> troubles{0};
};

TEST_F(HttpChannelTest, ShowsTheTokenButNotWhenItAsksForHealth) {
  open({.token = "secret"});
  auto asked = ask("/held");
  ASSERT_TRUE(arrive(1));
  auto promise = std::make_shared<std::promise<Answer>>();
  channel->check("/health", clock.now() + 30s,
                 [promise](Answer result) { promise->set_value(std::move(result)); });
  ASSERT_TRUE(arrive(2));
  handler.held.with([](auto& all) {
    EXPECT_EQ(all[0].first.headers.find("dapr-api-token"), "secret");
    EXPECT_FALSE(all[1].first.headers.contains("dapr-api-token"));
    EXPECT_EQ(all[1].first.method, "GET");
  });
  handler.answer_one();
  handler.answer_one();
  EXPECT_TRUE(asked.get());
  EXPECT_TRUE(promise->get_future().get());
}

TEST_F(HttpChannelTest, LetsOnlySoManyIn) {
  open({.concurrency_max = 2, .queue_length_max = 1});
  auto first = ask("/1");
  auto second = ask("/2");
  ASSERT_TRUE(arrive(2));
  auto third = ask("/3");
  auto fourth = ask("/4").get();
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error().code, Code::kExhausted);
  EXPECT_EQ(handler.arrived, 2);
  handler.answer_one();
  EXPECT_TRUE(arrive(3));
  handler.answer_one();
  handler.answer_one();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_TRUE(third.get());
}

TEST_F(HttpChannelTest, SaysThatNobodyListensAndThatItIsInTrouble) {
  open();
  EXPECT_TRUE(ask("/now").get());
  EXPECT_EQ(troubles, 0);
  server.stop(0s);
  const Answer refused = ask("/now").get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_EQ(troubles, 1);
  std::promise<Result<void>> probed;
  channel->probe(clock.now() + 30s, [&](Result<void> result) { probed.set_value(result); });
  const Result<void> probe = probed.get_future().get();
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().code, Code::kUnavailable);
}

TEST_F(HttpChannelTest, FindsWhoListens) {
  open();
  std::promise<Result<void>> probed;
  channel->probe(clock.now() + 30s, [&](Result<void> result) { probed.set_value(result); });
  EXPECT_TRUE(probed.get_future().get());
}

TEST_F(HttpChannelTest, AnAnswerThatIsTooLargeIsAnOutcomeUnknown) {
  open({.body_size_max = 1024});
  const Answer large = ask("/large").get();
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Code::kUnknownOutcome);
}

TEST_F(HttpChannelTest, StoppingEndsWhatIsBegunAndWhatWaits) {
  open({.concurrency_max = 1});
  auto first = ask("/1");
  ASSERT_TRUE(arrive(1));
  auto second = ask("/2");
  channel->stop();
  EXPECT_EQ(first.get().error().code, Code::kUnknownOutcome);
  EXPECT_EQ(second.get().error().code, Code::kCancelled);
}

}  // namespace
}  // namespace troupe::app

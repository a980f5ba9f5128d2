// What the kit does not ask: Dapr's layout, and servers that are slow or die.
#include "runtime/blocks/state/redis.h"

#include <csignal>
#include <future>

#include <gtest/gtest.h>

#include "runtime/clients/redis/redis_client.h"
#include "tests/support/servers.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
using namespace blocks::state;
using clients::RedisCommand;
using clients::RedisReply;

class RedisState : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = RedisServer::missing(); !missing.empty())
      GTEST_SKIP() << missing;
    server.emplace();
    client.emplace(clock, options());
    components::Properties properties(
        {{"redisHost", "127.0.0.1:" + std::to_string(server->port())}});
    auto opened = RedisStore::open(properties, clock, 20s);
    ASSERT_TRUE(opened) << opened.error().message;
    store = *std::move(opened);
  }

  clients::RedisOptions options() const {
    clients::RedisOptions made;
    made.port = server->port();
    return made;
  }
  Result<std::vector<RedisReply>> ask(std::vector<RedisCommand> commands, bool repeatable = true,
                                      Duration patience = 20s) {
    auto answer = std::make_shared<std::promise<Result<std::vector<RedisReply>>>>();
    client->send(std::move(commands), repeatable, clock.now() + patience,
                 [answer](Result<std::vector<RedisReply>> replies) {
                   answer->set_value(std::move(replies));
                 });
    return answer->get_future().get();
  }
  std::string text(const RedisCommand& command) {
    const auto replies = ask({command});
    if (!replies) return replies.error().message;
    const RedisReply& reply = replies->front();
    return reply.kind == RedisReply::Kind::kInteger ? std::to_string(reply.integer) : reply.text;
  }
  Found read(const std::string& key) {
    auto answer = std::make_shared<std::promise<Found>>();
    store->read({{.key = key}}, clock.now() + 20s, [answer](Result<std::vector<Found>> found) {
      answer->set_value(std::move(found->front()));
    });
    return answer->get_future().get();
  }
  Result<void> write(Change change, Duration patience = 20s) {
    auto answer = std::make_shared<std::promise<Result<void>>>();
    std::vector<Change> changes;
    changes.push_back(std::move(change));
    store->write(std::move(changes), clock.now() + patience,
                 [answer](Result<std::vector<Result<void>>> outcomes) {
                   answer->set_value(outcomes->front());
                 });
    return answer->get_future().get();
  }

  SystemClock clock;
  std::optional<RedisServer> server;
  std::optional<clients::RedisClient> client;
  std::unique_ptr<Component> store;
};

TEST_F(RedisState, KeepsDaprsLayout) {
  ASSERT_TRUE(write(Set{.key = "app||a", .value = Payload(std::string("1")), .ttl_seconds = 100}));
  EXPECT_EQ(text({"HGET", "app||a", "data"}), "1");
  EXPECT_EQ(text({"HGET", "app||a", "version"}), "1");
  EXPECT_EQ(text({"HEXISTS", "app||a", "first-write"}), "0");
  EXPECT_EQ(text({"TTL", "app||a"}), "100");
  ASSERT_TRUE(write(Set{.key = "app||a", .value = Payload(std::string("2"))}));
  EXPECT_NE(text({"TTL", "app||a"}), "-1") << "without a time to live it stays as it was";
  ASSERT_TRUE(write(Set{.key = "app||a", .value = Payload(std::string("3")), .ttl_seconds = -1}));
  EXPECT_EQ(text({"TTL", "app||a"}), "-1");
}

TEST_F(RedisState, ReadsWhatDaprOrAnybodyElseHasWritten) {
  ASSERT_TRUE(ask(
      {{"HSET", "app||dapr", "data", "{\"a\":1}", "version", "7"}, {"SET", "app||plain", "p"}}));
  const Found dapr = read("app||dapr");
  EXPECT_EQ((*dapr)->data.view(), "{\"a\":1}");
  EXPECT_EQ((*dapr)->etag, "7");
  const Found plain = read("app||plain");
  EXPECT_EQ((*plain)->data.view(), "p");
  EXPECT_EQ((*plain)->etag, "");
  ASSERT_TRUE(write(Set{.key = "app||plain", .value = Payload(std::string("q"))}));
  EXPECT_EQ(text({"HGET", "app||plain", "data"}), "q");
}

TEST_F(RedisState, AfterAFirstWriteOnlyEtagsWrite) {
  ASSERT_TRUE(write(Set{
      .key = "k", .value = Payload(std::string("1")), .concurrency = Concurrency::kFirstWrite}));
  EXPECT_FALSE(write(Set{.key = "k", .value = Payload(std::string("2"))}));
  EXPECT_TRUE(write(Set{.key = "k", .value = Payload(std::string("2")), .etag = "1"}));
}

TEST_F(RedisState, ASlowServerIsGivenUpAtTheDeadlineAndServesAgainLater) {
  ASSERT_TRUE(write(Set{.key = "k", .value = Payload(std::string("1"))}));
  server->process().signal(SIGSTOP);
  const Result<void> slow = write(Set{.key = "k", .value = Payload(std::string("2"))}, 200ms);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Code::kUnknownOutcome) << slow.error().message;
  EXPECT_NE(slow.error().message.find("did not answer in time"), std::string::npos);
  server->process().signal(SIGCONT);
  EXPECT_TRUE(write(Set{.key = "k", .value = Payload(std::string("3"))}));
  EXPECT_EQ((*read("k"))->data.view(), "3");
}

TEST_F(RedisState, ADeadServerIsNamedAndFoundAgainWhenItIsBack) {
  ASSERT_TRUE(write(Set{.key = "k", .value = Payload(std::string("1"))}));
  server->process().kill();
  for (int i = 0; i < 3; ++i) {
    const Result<void> dead = write(Set{.key = "k", .value = Payload(std::string("2"))});
    ASSERT_FALSE(dead);
    EXPECT_NE(dead.error().message.find("redis 127.0.0.1:" + std::to_string(server->port())),
              std::string::npos)
        << dead.error().message;
  }
  server->start();
  for (int i = 0; i < 100 && !write(Set{.key = "k", .value = Payload(std::string("3"))}); ++i) {
  }
  EXPECT_EQ((*read("k"))->data.view(), "3");
}

TEST_F(RedisState, AServerThatIsNotThereOrRefusesFailsTheInitialisation) {
  const std::uint16_t nobody = free_port();
  components::Properties absent({{"redisHost", "127.0.0.1:" + std::to_string(nobody)}});
  const auto refused = RedisStore::open(absent, clock, 5s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "redis 127.0.0.1:" + std::to_string(nobody) + ": connection refused");
  RedisServer guarded("secret");
  components::Properties wrong({{"redisHost", "127.0.0.1"},
                                {"redisPort", std::to_string(guarded.port())},
                                {"redisPassword", "wrong"}});
  const auto denied = RedisStore::open(wrong, clock, 5s);
  ASSERT_FALSE(denied);
  EXPECT_NE(denied.error().message.find("WRONGPASS"), std::string::npos) << denied.error().message;
}

TEST_F(RedisState, StoppingAnswersWhatWaits) {
  server->process().signal(SIGSTOP);
  std::promise<Result<std::vector<RedisReply>>> answer;
  client->send({{"PING"}}, true, clock.now() + 60s, [&](Result<std::vector<RedisReply>> replies) {
    answer.set_value(std::move(replies));
  });
  client->stop();
  EXPECT_FALSE(answer.get_future().get());
  EXPECT_EQ(ask({{"PING"}}).error().code, Code::kExhausted);
}

TEST(RedisMetadata, SaysWhatIsNotServed) {
  const auto message = [](std::map<std::string, std::string> metadata) {
    components::Properties properties(metadata);
    const auto options = redis_options(properties);
    return options ? "fine" : options.error().message;
  };
  EXPECT_EQ(message({}), "metadata 'redisHost' is missing");
  EXPECT_EQ(
      message({{"redisHost", "a:1,b:2"}}),
      "metadata 'redisHost': several hosts (clusters, sentinels) are not served yet: name one");
  EXPECT_EQ(message({{"redisHost", "a:x"}}), "metadata 'redisHost': expected host:port, got 'a:x'");
  EXPECT_EQ(message({{"redisHost", "a"}, {"enableTLS", "true"}}),
            "metadata 'enableTLS': not served yet");
  components::Properties properties({{"redisHost", "[::1]:7"}});
  EXPECT_EQ(redis_options(properties)->host, "::1");
}

}  // namespace
}  // namespace troupe::testing

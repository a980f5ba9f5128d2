#include "sdk/src/http_client_transport.h"

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
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

// Time stands still, but for what a test says.
class StillClock final : public Clock {
 public:
  Time now() const override { return Time(std::chrono::hours(1)); }
  WallTime wall() const override { return WallTime(std::chrono::hours(1)); }
};

// Ends every pause at once, and remembers how long it was to be.
class Pauses final : public Executor {
 public:
  explicit Pauses(Clock& clock) : clock_(clock), loop_(clock, "pauses") {}

  void post(Work work) override { loop_.post(std::move(work)); }
  void post_at(Time when, Work work) override {
    lengths_.with([&](auto& lengths) { lengths.push_back(when - clock_.now()); });
    loop_.post(std::move(work));
  }
  std::vector<Duration> lengths() const {
    return lengths_.with([](const auto& lengths) { return lengths; });
  }

 private:
  Clock& clock_;
  Guarded<std::vector<Duration>> lengths_;
  Loop loop_;
};

// A node that answers what the test says, and remembers what it was asked.
class FakeNode final : public net::HttpHandler {
 public:
  using Answers = std::function<net::HttpResponse(const net::HttpRequest&)>;

  FakeNode(net::IoThreads& threads, Answers answers)
      : answers_(std::move(answers)), server_(threads, Log(silent_log(), "test"), {}, *this) {
    EXPECT_TRUE(server_.start());
  }
  ~FakeNode() override { server_.stop(0s); }
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  void handle(net::HttpRequest request, net::HttpResponder respond) override {
    asked_.with([&](auto& asked) { asked.push_back(request); });
    respond(answers_(request));
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  std::vector<net::HttpRequest> asked() const {
    return asked_.with([](const auto& asked) { return asked; });
  }

 private:
  Answers answers_;
  Guarded<std::vector<net::HttpRequest>> asked_;
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
        clock, pauses, *http,
        HttpClientTransportOptions{.addresses = std::move(addresses), .token = "secret"});
  }
  Client client(std::vector<std::string> addresses) {
    return Client(transport(std::move(addresses)), 10s);
  }
  Result<int> count(const Client& client) {
    return client.actor<Counter>("a").call<&Counter::value>().result();
  }

  StillClock clock;
  Pauses pauses{clock};
  net::IoThreads threads{clock, {.threads = 1, .tick = 1ms}};
  net::Resolver resolver;
  std::unique_ptr<net::HttpClient> http =
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
  EXPECT_EQ(pauses.lengths(), (std::vector<Duration>{50ms, 100ms, 200ms}));
}

TEST_F(HttpClientTransportTest, GivesUpNamingTheLastReason) {
  FakeNode& fake = node(error(503, "no owner yet"));
  const Result<int> reply = count(client({fake.address()}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_EQ(reply.error().message, "Counter/a.value was given up after 4 attempts; last, " +
                                       fake.address() + ": no owner yet");
  EXPECT_EQ(fake.asked().size(), 4U);
}

TEST_F(HttpClientTransportTest, AsksEveryAddressHoweverFewTheRetries) {
  std::vector<std::string> addresses(5);
  for (std::string& address : addresses) address = nobody();
  addresses.push_back(node({.body = std::string("1")}).address());
  EXPECT_EQ(*count(client(addresses)), 1);
}

TEST_F(HttpClientTransportTest, NeverRepeatsWhatMayHaveTakenEffect) {
  FakeNode& fake = node(error(500, "the answer was lost"));
  FakeNode& other = node({.body = std::string("1")});
  const Result<int> reply = count(client({fake.address(), other.address()}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), (Error{Code::kUnknownOutcome, "the answer was lost"}));
  EXPECT_EQ(fake.asked().size(), 1U);
  EXPECT_TRUE(other.asked().empty());
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

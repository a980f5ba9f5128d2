#include "runtime/net/http_client.h"

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/net/http_server.h"
#include "tests/unit/net/test_socket.h"

namespace troupe::net {
namespace {

using namespace std::chrono_literals;

// A server whose every byte the test says.
class ScriptedServer {
 public:
  ScriptedServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const SystemAddress at = to_system(parse_numeric_host("127.0.0.1", 0).value());
    check(::bind(socket_, at.pointer(), at.size) == 0 && ::listen(socket_, 16) == 0, "listens");
  }
  ~ScriptedServer() { close(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  HttpOrigin origin() const { return {.where = {"127.0.0.1", local_address(socket_).port}}; }
  TestSocket accept() const { return TestSocket(::accept(socket_, nullptr, nullptr)); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

 private:
  int socket_;
};

class Echo final : public HttpHandler {
 public:
  void handle(HttpRequest request, HttpResponder respond) override {
    HttpResponse response{.status = 201, .content_type = "text/x", .body = request.body};
    response.headers.add("X-Target", request.method + " " + request.target);
    response.headers.add("X-Host", request.headers.find("Host").value_or(""));
    response.headers.add("X-Given", request.headers.find("X-Given").value_or(""));
    respond(std::move(response));
  }
};

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class HttpClientTest : public testing::Test {
 protected:
  using Answer = Result<HttpResponse>;

  void start(HttpClientOptions options = {}) { client.emplace(threads, resolver, options); }

  std::future<Answer> send(const HttpOrigin& origin, HttpRequest request = {},
                           HttpSendOptions options = {}, Duration patience = 60s) {
    if (!client) start();
    auto promise = std::make_shared<std::promise<Answer>>();
    client->send(
        origin, std::move(request), clock.now() + patience,
        [promise](Answer answer) { promise->set_value(std::move(answer)); }, options);
    return promise->get_future();
  }

  TestClock clock;
  IoThreads threads{clock, {.threads = 1, .tick = 1ms}};
  Resolver resolver;
  std::optional<HttpClient> client;
};

TEST_F(HttpClientTest, AsksAndIsAnswered) {
  Echo echo;
  HttpServer server(threads, Log(silent_log(), "test"), {.addresses = {"127.0.0.1", "::1"}}, echo);
  ASSERT_TRUE(server.start());
  for (const char* host : {"127.0.0.1", "::1", "localhost"}) {
    const HttpOrigin origin{.where = {host, server.port()}};
    for (const std::string& body :
         {std::string(), std::string("abc"), std::string(3'000'000, 'x')}) {
      HttpRequest request{.method = "PUT", .target = "/a?b", .body = body};
      request.headers = {{"X-Given", "1"}, {"Connection", "close"}, {"Content-Length", "77"}};
      const Answer answer = send(origin, request).get();
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->status, 201);
      EXPECT_EQ(answer->content_type, "text/x");
      EXPECT_EQ(answer->headers.find("x-target"), "PUT /a?b");
      EXPECT_EQ(answer->headers.find("x-host"), to_string(origin.where));
      EXPECT_EQ(answer->headers.find("x-given"), "1");
      EXPECT_TRUE(answer->body.view() == body);
    }
  }
  const Answer head =
      send({.where = {"127.0.0.1", server.port()}}, {.method = "HEAD", .body = std::string("abc")})
          .get();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->headers.find("Content-Length"), "3");
  client->stop();
  server.stop(60s);
}

TEST_F(HttpClientTest, AsksAUnixSocket) {
  const std::string path = testing::TempDir() + "troupe-client-" + std::to_string(getpid());
  Echo echo;
  HttpServer server(threads, Log(silent_log(), "test"), {.addresses = {}, .unix_path = path}, echo);
  ASSERT_TRUE(server.start());
  const Answer answer = send({.unix_path = path}, {.body = std::string("abc")}).get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.view(), "abc");
}

TEST_F(HttpClientTest, ManyCallsFromManyThreads) {
  IoThreads servers(clock, {.threads = 2});
  Echo echo;
  HttpServer server(servers, Log(silent_log(), "test"), {}, echo);
  ASSERT_TRUE(server.start());
  start({.connections_per_origin_max = 4});
  std::vector<std::thread> callers;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&, i] {
      std::vector<std::future<Answer>> answers;
      for (int j = 0; j < 500; ++j) {
        answers.push_back(
            send({.where = {"127.0.0.1", server.port()}}, {.body = std::to_string(i * 1000 + j)}));
      }
      for (int j = 0; j < 500; ++j) {
        const Answer answer = answers[static_cast<std::size_t>(j)].get();
        if (answer && answer->body.view() == std::to_string(i * 1000 + j)) ++good;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(good, 2'000);
  EXPECT_LE(server.connections(), 4U);
}

TEST_F(HttpClientTest, KeepsTheConnectionForTheNextCall) {
  ScriptedServer server;
  auto first = send(server.origin());
  TestSocket connection = server.accept();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        connection.receive_until("\r\n\r\n").starts_with("GET / HTTP/1.1\r\nHost: 127.0.0.1:"));
    connection.send(kOk);
    EXPECT_EQ(first.get()->body.view(), "ok");
    first = send(server.origin());
  }
  connection.receive_until("\r\n\r\n");
  connection.send(kOk);
  EXPECT_TRUE(first.get());
}

TEST_F(HttpClientTest, AConnectionThatTheServerClosedIsNotUsedAgain) {
  ScriptedServer server;
  for (int i = 0; i < 3; ++i) {
    auto answer = send(server.origin());
    TestSocket connection = server.accept();
    connection.receive_until("\r\n\r\n");
    connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    connection.close();
    EXPECT_EQ(answer.get()->body.view(), "abc");
  }
}

TEST_F(HttpClientTest, ACallThatMayHaveRunIsNotSentAgain) {
  ScriptedServer server;
  auto answer = send(server.origin());
  TestSocket connection = server.accept();
  connection.receive_until("\r\n\r\n");
  connection.close();
  EXPECT_EQ(answer.get().error().code, Code::kUnknownOutcome);
}

TEST_F(HttpClientTest, ARepeatableCallIsSentAgainButNotForEver) {
  ScriptedServer server;
  auto answer = send(server.origin(), {}, {.repeatable = true});
  for (int i = 0; i < 2; ++i) {
    TestSocket connection = server.accept();
    connection.receive_until("\r\n\r\n");
  }
  TestSocket last = server.accept();
  last.receive_until("\r\n\r\n");
  last.send(kOk);
  EXPECT_TRUE(answer.get());

  auto hopeless = send(server.origin(), {}, {.repeatable = true});
  last.receive_until("\r\n\r\n");
  last.close();
  for (int i = 0; i < 2; ++i) server.accept().receive_until("\r\n\r\n");
  EXPECT_EQ(hopeless.get().error().code, Code::kUnknownOutcome);
}

TEST_F(HttpClientTest, AnAnswerCutShortIsNotRepeated) {
  ScriptedServer server;
  auto answer = send(server.origin(), {}, {.repeatable = true});
  TestSocket connection = server.accept();
  connection.receive_until("\r\n\r\n");
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  connection.close();
  EXPECT_EQ(answer.get().error().code, Code::kUnknownOutcome);
}

TEST_F(HttpClientTest, NonsenseAndTooMuchAreErrors) {
  start({.body_size_max = 10, .header_size_max = 100});
  for (const std::string& said : {std::string("nonsense\r\n\r\n"),
                                  std::string("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"),
                                  "HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x') + "\r\n\r\n"}) {
    ScriptedServer server;
    auto answer = send(server.origin());
    TestSocket connection = server.accept();
    connection.receive_until("\r\n\r\n");
    connection.send(said);
    EXPECT_EQ(answer.get().error().code, Code::kUnknownOutcome) << said;
    EXPECT_EQ(connection.receive_all(), "");  // closed
  }
}

TEST_F(HttpClientTest, AnEarlyAnswerCountsThoughTheBodyIsNotAllSent) {
  ScriptedServer server;
  auto answer = send(server.origin(), {.method = "POST", .body = std::string(50'000'000, 'x')});
  TestSocket connection = server.accept();
  connection.receive_until("\r\n\r\n");
  connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(answer.get()->status, 413);
  connection.receive_all();
}

TEST_F(HttpClientTest, WhenNobodyListensItSaysSo) {
  ScriptedServer server;
  const HttpOrigin origin = server.origin();
  server.close();
  const Answer answer = send(origin).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(),
            (Error{Code::kUnavailable,
                   "cannot connect to " + to_string(origin.where) + ": connection refused"}));
  EXPECT_EQ(send({.unix_path = "/nonexistent/socket"}).get().error().code, Code::kUnavailable);
  EXPECT_EQ(send({.where = {"no-such-host.invalid", 1}}).get().error().code, Code::kUnavailable);
}

TEST_F(HttpClientTest, TheDeadlineTellsWhetherTheServerWasAsked) {
  start({.connections_per_origin_max = 1});
  ScriptedServer server;
  auto asked = send(server.origin());
  auto waiting = send(server.origin());
  TestSocket connection = server.accept();
  connection.receive_until("\r\n\r\n");
  clock.advance(61s);
  const Code first = asked.get().error().code;
  const Code second = waiting.get().error().code;
  EXPECT_EQ(first, Code::kUnknownOutcome);
  // Freed by the first, the connection may be replaced and the second sent in the same tick.
  EXPECT_TRUE(second == Code::kTimeout || second == Code::kUnknownOutcome);
  auto late = send(server.origin(), {}, {}, -1s);
  EXPECT_EQ(late.get().error().code, Code::kTimeout);
}

TEST_F(HttpClientTest, AFullQueueRefusesAtOnce) {
  start({.connections_per_origin_max = 1, .queue_length_max = 2});
  ScriptedServer server;
  std::vector<std::future<Answer>> begun;
  begun.push_back(send(server.origin()));
  TestSocket connection = server.accept();
  connection.receive_until("\r\n\r\n");  // so it does not wait any more
  for (int i = 0; i < 2; ++i) begun.push_back(send(server.origin()));
  EXPECT_EQ(send(server.origin()).get().error().code, Code::kExhausted);
  for (auto& answer : begun) {
    connection.send(kOk);
    EXPECT_TRUE(answer.get());
    if (&answer != &begun.back()) connection.receive_until("\r\n\r\n");
  }
}

TEST_F(HttpClientTest, RequestsThatCouldBeReadAsTwoAreRefused) {
  EXPECT_EQ(send({.where = {"127.0.0.1", 1}}, {.target = "/a b"}).get().error().code,
            Code::kInvalid);
}

TEST_F(HttpClientTest, AnIdleConnectionIsClosedInTime) {
  start({.idle_timeout = 10s});
  ScriptedServer server;
  auto answer = send(server.origin());
  TestSocket connection = server.accept();
  connection.receive_until("\r\n\r\n");
  connection.send(kOk);
  EXPECT_TRUE(answer.get());
  clock.advance(11s);
  EXPECT_EQ(connection.receive_all(), "");
}

TEST_F(HttpClientTest, StoppingEndsWhatIsBegunAndWhatWaits) {
  start({.connections_per_origin_max = 1});
  ScriptedServer server;
  auto asked = send(server.origin());
  auto waiting = send(server.origin());
  TestSocket connection = server.accept();
  connection.receive_until("\r\n\r\n");
  client->stop();
  EXPECT_EQ(asked.get().error().code, Code::kUnknownOutcome);
  EXPECT_EQ(waiting.get().error().code, Code::kCancelled);
  EXPECT_EQ(send(server.origin()).get().error().code, Code::kCancelled);
  threads.stop();
  EXPECT_EQ(send(server.origin()).get().error().code, Code::kCancelled);
}

}  // namespace
}  // namespace troupe::net

#include "runtime/net/http_server.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/guarded.h"
#include "tests/unit/net/test_socket.h"

namespace troupe::net {
namespace {

using namespace std::chrono_literals;

// Answers at once, except below /later: those wait to be released; and /drop, which nobody answers.
class TestHandler final : public HttpHandler {
 public:
  void handle(HttpRequest request, HttpResponder respond) override {
    ++handled;
    if (request.path() == "/drop") return;
    if (request.path() == "/later") {
      later.with([&](auto& all) { all.emplace_back(std::move(respond)); });
      waiting.set_value();
      return;
    }
    if (request.path() == "/large") {
      respond({.body = std::string(std::stoul(std::string(request.query_text())), 'x')});
      return;
    }
    if (request.path() == "/peer") return respond({.body = host_text(request.peer)});
    if (request.path() == "/empty") return respond({.status = 204});
    HttpResponse response{
        .content_type = "text/plain",
        .body = request.method + " " + request.target + " " + std::string(request.body.view())};
    response.headers.add("X-Answer", "1");
    respond(std::move(response));
  }

  // Requires that a request below /later has come.
  HttpResponder take_later() {
    waiting.get_future().wait();
    waiting = {};
    return later.with([](auto& all) {
      HttpResponder responder = std::move(all.back());
      all.pop_back();
      return responder;
    });
  }

  std::atomic<int> handled = 0;
  std::promise<void> waiting;
  Guarded<std::vector<HttpResponder>> later;
};

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
         "X-Answer: 1\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpServerOptions options = {}) {
    server.emplace(threads, Log(silent_log(), "test"), std::move(options), handler);
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  TestSocket connect() { return TestSocket::connect(server->port()); }

  // What a client is told that sends `bytes` and then nothing more.
  std::string exchange(const std::string& bytes) {
    TestSocket client = connect();
    client.send(bytes);
    client.end_sending();
    return client.receive_all();
  }

  TestClock clock;
  IoThreads threads{clock, {.threads = 2, .tick = 1ms}};
  TestHandler handler;
  std::optional<HttpServer> server;
};

TEST_F(HttpServerTest, AnswersOnAKeptConnection) {
  start();
  TestSocket client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(client.receive_answer(), answer("POST /a abc"));
  }
}

TEST_F(HttpServerTest, ARequestMayComeInPieces) {
  start();
  TestSocket client = connect();
  const std::string bytes = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  for (const char c : bytes) client.send(std::string(1, c));
  EXPECT_EQ(client.receive_answer(), answer("POST /a abc"));
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  start();
  TestSocket client = connect();
  client.send(get("/1") + get("/later") + get("/3") + get("/4"));
  EXPECT_EQ(client.receive_answer(), answer("GET /1 "));
  HttpResponder later = handler.take_later();
  EXPECT_EQ(handler.handled, 2);
  later({.body = std::string("2")});
  EXPECT_TRUE(client.receive_answer().ends_with("\r\n\r\n2"));
  EXPECT_EQ(client.receive_answer(), answer("GET /3 "));
  EXPECT_EQ(client.receive_answer(), answer("GET /4 "));
}

TEST_F(HttpServerTest, ThousandsOfPipelinedRequestsNeedNoStack) {
  start();
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += get("/empty");
  TestSocket client = connect();
  std::thread sender([&] { client.send(bytes); });
  const std::string one = "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
  EXPECT_EQ(client.receive(20'000 * one.size()).size(), 20'000 * one.size());
  sender.join();
}

TEST_F(HttpServerTest, ChunkedBodiesAreJoined) {
  start();
  EXPECT_TRUE(exchange("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
                  .ends_with("\r\n\r\nPOST /a abc"));
}

TEST_F(HttpServerTest, SaysContinueToWhomWaitsForIt) {
  start();
  TestSocket client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.receive_answer(), answer("POST /a abc"));
}

TEST_F(HttpServerTest, HeadGetsTheHeadersOfTheAnswerOnly) {
  start();
  TestSocket client = connect();
  client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b"));
  const std::string head = client.receive_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_EQ(client.receive_answer(), answer("GET /b "));
}

TEST_F(HttpServerTest, ClosesWhereTheClientAsksForIt) {
  start();
  TestSocket client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string all = client.receive_all();
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("GET /a "));
  TestSocket old = connect();
  old.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.receive_all().ends_with("GET /a "));
}

TEST_F(HttpServerTest, RefusalsCarryTheOwnersBodyAndEndTheConnection) {
  HttpServerOptions options{.body_size_max = 10, .header_size_max = 200};
  options.error_body = [](int status, std::string_view message) {
    return HttpResponse{
        .content_type = "application/json",
        .body = "{\"" + std::to_string(status) + "\":\"" + std::string(message) + "\"}"};
  };
  start(options);
  // The client is still sending when it is refused, and sees the answer all the same.
  const std::string large = exchange(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_TRUE(large.starts_with("HTTP/1.1 413 Content Too Large\r\n")) << large;
  EXPECT_TRUE(large.ends_with("{\"413\":\"body larger than 10 bytes\"}")) << large;
  EXPECT_NE(large.find("Connection: close\r\nContent"), large.find("Connection: close\r\n"));
  const std::string head =
      exchange("GET / HTTP/1.1\r\nHost: " + std::string(300, 'h') + "\r\n\r\n");
  EXPECT_TRUE(head.ends_with("{\"431\":\"header fields larger than 200 bytes\"}")) << head;
  const std::string bad = exchange("nonsense\r\n\r\n");
  EXPECT_TRUE(bad.starts_with("HTTP/1.1 400 Bad Request\r\n")) << bad;
  const std::string dropped = exchange(get("/drop"));
  EXPECT_TRUE(dropped.starts_with("HTTP/1.1 500 Internal Server Error\r\n")) << dropped;
  EXPECT_NE(dropped.find("{\"500\""), std::string::npos);
}

TEST_F(HttpServerTest, ADroppedResponderLeavesTheConnectionOpen) {
  start();
  TestSocket client = connect();
  client.send(get("/drop") + get("/b"));
  EXPECT_TRUE(client.receive_answer().starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(client.receive_answer(), answer("GET /b "));
}

TEST_F(HttpServerTest, LargeAnswersGoOutToASlowReader) {
  start();
  TestSocket client = connect();
  client.send(get("/large?20000000") + get("/b"));
  EXPECT_TRUE(client.receive_until("\r\n\r\n").find("Content-Length: 20000000") !=
              std::string::npos);
  EXPECT_EQ(client.receive(20'000'000), std::string(20'000'000, 'x'));
  EXPECT_EQ(client.receive_answer(), answer("GET /b "));
}

TEST_F(HttpServerTest, LargeBodiesComeIn) {
  start({.body_size_max = 5'000'000});
  TestSocket client = connect();
  const std::string body(5'000'000, 'y');
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" + body);
  EXPECT_TRUE(client.receive_answer() == answer("POST /a " + body));
}

TEST_F(HttpServerTest, AClientMayLeaveAtAnyTime) {
  start();
  connect().close();
  TestSocket within = connect();
  within.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Le");
  within.close();
  TestSocket reset = connect();
  reset.send(get("/large?20000000"));
  reset.receive(1);
  reset.reset();
  TestSocket before_answer = connect();
  before_answer.send(get("/later"));
  HttpResponder later = handler.take_later();
  before_answer.reset();
  later({.body = std::string(1'000'000, 'x')});
  EXPECT_TRUE(exchange(get("/b")).ends_with("GET /b "));
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedInTime) {
  start({.idle_timeout = 60s});
  TestSocket client = connect();
  client.send(get("/a"));
  EXPECT_EQ(client.receive_answer(), answer("GET /a "));
  clock.advance(61s);
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpServerTest, ARequestThatTricklesInIsRefusedInTime) {
  start({.read_timeout = 10s});
  TestSocket client = connect();
  client.send(get("/a") + "GET /b HT");
  EXPECT_EQ(client.receive_answer(), answer("GET /a "));
  // Each byte is progress, but not enough of it.
  TestSocket other = connect();
  for (int i = 0; i < 5; ++i) {
    client.send("x");
    other.send(get("/other"));  // what was sent before is read by now, or soon
    EXPECT_EQ(other.receive_answer(), answer("GET /other "));
    clock.advance(3s);
  }
  const std::string refusal = client.receive_all();
  EXPECT_TRUE(refusal.empty() || refusal.starts_with("HTTP/1.1 408 ")) << refusal;
}

TEST_F(HttpServerTest, AReaderThatTakesNothingIsClosedInTime) {
  start({.write_timeout = 10s});
  TestSocket client = connect();
  client.send(get("/large?50000000"));
  client.receive(1);
  // The server waits for room; when exactly it began to is not ours to see.
  while (server->connections() > 0) {
    clock.advance(11s);
    std::this_thread::yield();
  }
  EXPECT_LT(client.receive_all().size(), 50'000'000U);
}

TEST_F(HttpServerTest, MoreConnectionsThanAllowedAreRefused) {
  start({.connections_max = 2});
  TestSocket first = connect();
  first.send(get("/a"));
  first.receive_answer();
  TestSocket second = connect();
  second.send(get("/a"));
  second.receive_answer();
  EXPECT_TRUE(connect().receive_all().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  first.send(get("/b"));
  EXPECT_EQ(first.receive_answer(), answer("GET /b "));
}

TEST_F(HttpServerTest, ConnectionsAreServedSideBySide) {
  start();
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      TestSocket client = connect();
      const std::string target = "/" + std::to_string(i);
      for (int j = 0; j < 500; ++j) {
        client.send(get(target));
        if (client.receive_answer() == answer("GET " + target + " ")) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 4'000);
  EXPECT_EQ(handler.handled, 4'000);
}

TEST_F(HttpServerTest, StoppingFinishesTheBegunAndRefusesTheNew) {
  start();
  TestSocket busy = connect();
  busy.send(get("/later"));
  HttpResponder later = handler.take_later();
  // Dealt to the second thread, which is told to drain after the first.
  TestSocket idle = connect();
  idle.send(get("/a"));
  idle.receive_answer();
  std::thread stopper([&] { server->stop(60s); });
  EXPECT_EQ(idle.receive_all(), "");  // closed, so it is stopping
  later({.body = std::string("done")});
  const std::string last = busy.receive_all();
  EXPECT_NE(last.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(last.ends_with("\r\n\r\ndone"));
  busy.close();
  stopper.join();
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(HttpServerTest, StoppingWaitsNoLongerThanItsPatience) {
  start();
  TestSocket busy = connect();
  busy.send(get("/later"));
  HttpResponder later = handler.take_later();
  server->stop(1ms);
  EXPECT_EQ(busy.receive_all(), "");
  server.reset();
  threads.stop();
  later({.body = std::string("nobody hears")});
}

TEST_F(HttpServerTest, ATakenPortIsSaidWithAddressAndPort) {
  start();
  HttpServer second(threads, Log(silent_log(), "test"), {.port = server->port()}, handler);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), (Error{Code::kUnavailable,
                                    "cannot listen on 127.0.0.1:" + std::to_string(server->port()) +
                                        ": address already in use; choose another port"}));
}

TEST_F(HttpServerTest, AForeignAddressIsSaid) {
  HttpServer other(threads, Log(silent_log(), "test"), {.addresses = {"192.0.2.1"}, .port = 1234},
                   handler);
  const auto started = other.start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().message.starts_with("cannot listen on 192.0.2.1:1234: "));
}

TEST_F(HttpServerTest, ServesIpv6AndEveryInterface) {
  start({.addresses = {"127.0.0.1", "::1"}});
  for (const char* host : {"127.0.0.1", "::1"}) {
    TestSocket client = TestSocket::connect(server->port(), host);
    client.send(get("/peer"));
    EXPECT_TRUE(client.receive_answer().ends_with(std::string("\r\n\r\n") + host));
  }
  server.reset();
  start({.addresses = {""}});
  for (const char* host : {"127.0.0.1", "::1"}) {
    TestSocket client = TestSocket::connect(server->port(), host);
    client.send(get("/b"));
    EXPECT_EQ(client.receive_answer(), answer("GET /b "));
  }
}

TEST_F(HttpServerTest, ServesAUnixSocketAndReplacesADeadOne) {
  const std::string path = testing::TempDir() + "troupe-http-" + std::to_string(getpid());
  const HttpServerOptions options{.addresses = {}, .unix_path = path};
  start(options);
  {
    TestSocket client = TestSocket::connect_unix(path);
    client.send(get("/peer"));
    EXPECT_TRUE(client.receive_answer().ends_with("\r\n\r\nunix"));
    HttpServer second(threads, Log(silent_log(), "test"), options, handler);
    const auto started = second.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().message,
              "cannot listen on unix socket " + path + ": address already in use");
  }
  // A process that died leaves its file: bound, and nobody listens.
  server->stop(0s);
  EXPECT_FALSE(std::filesystem::exists(path));
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ::close(dead);
  start(options);
  TestSocket client = TestSocket::connect_unix(path);
  client.send(get("/b"));
  EXPECT_EQ(client.receive_answer(), answer("GET /b "));
}

}  // namespace
}  // namespace troupe::net

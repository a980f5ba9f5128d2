#pragma once

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
#include "sdk/src/http_client_transport.h"
#include <troupe/client.h>

namespace troupe {

/// Time stands still, but for pauses.
class StillClock final : public Clock {
 public:
  Time now() const override { return Time(Duration(now_.load())); }
  WallTime wall() const override { return WallTime(std::chrono::hours(1)); }
  void set(Time now) { now_ = now.time_since_epoch().count(); }

 private:
  std::atomic<Duration::rep> now_{Duration(std::chrono::hours(1)).count()};
};

/// Ends every pause at once, and remembers how long it was to be.
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

/// Ticks when it is told to.
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

/// A node that answers what the test says, and remembers what it was asked.
class FakeNode final : public net::HttpHandler {
 public:
  using Answers = std::function<net::HttpResponse(const net::HttpRequest&)>;
  // The status of an answer that does not come yet.
  static constexpr int kLate = -1;

  FakeNode(net::IoThreads& threads, Answers answers)
      : answers_(std::move(answers)), server_(threads, Log(silent_log(), "test"), {}, *this) {
    EXPECT_TRUE(server_.start());
  }
  ~FakeNode() override { server_.stop(std::chrono::seconds(0)); }
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

inline net::HttpResponse error(int status, const std::string& message) {
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
    return Client(transport(std::move(addresses)), std::chrono::seconds(10));
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
  net::IoThreads threads{clock, {.threads = 1, .tick = std::chrono::milliseconds(1)}};
  net::Resolver resolver;
  std::unique_ptr<net::HttpClient> http =
      std::make_unique<net::HttpClient>(threads, resolver, net::HttpClientOptions{});
  std::unique_ptr<net::HttpClient> probes =
      std::make_unique<net::HttpClient>(threads, resolver, net::HttpClientOptions{});
  std::vector<std::unique_ptr<FakeNode>> nodes;
};

}  // namespace troupe

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/api/http/http_api.h"
#include "tests/support/manual_time.h"

namespace troupe::testing {

/// Keeps calls, and answers each at once with what the test says.
class FakeRouter final : public actors::Router {
 public:
  void route(actors::Call call) override {
    Done<actors::Reply> done = std::move(call.done);
    calls.push_back(std::move(call));
    done(answer ? answer(calls.back()) : Result<actors::Reply>(actors::Reply{}));
  }
  void returned(actors::Call call) override { route(std::move(call)); }

  std::vector<actors::Call> calls;
  std::function<Result<actors::Reply>(const actors::Call&)> answer;
};

class FakeBackend final : public api::Backend {
 public:
  bool ready() const override { return is_ready; }
  actors::Router& router() override { return routed; }
  actors::CallIds& ids() override { return issued; }
  std::vector<api::TypeCount> hosted() const override { return {{"Cart", 2}, {"Wallet", 0}}; }

  bool settled() const override { return is_settled; }
  void when_settled(Time /*deadline*/, Function<void(bool)> then) override {
    unsettled.push_back(std::move(then));
  }
  bool runs_outside(std::string_view type) const override { return type == outside; }
  bool deliver_here(actors::Call& call) override {
    if (is_here) here.route(std::move(call));
    return is_here;
  }

  bool is_ready = true;
  bool is_settled = true;
  bool is_here = true;
  std::string outside;  // a type that an app runs
  FakeRouter here;      // what is taken to the activation on this node
  std::vector<Function<void(bool)>> unsettled;
  FakeRouter routed;
  actors::CallIds issued{NodeId{1, 1}, Generation{4}};
};

/// Writes down what it was asked, and answers with `failure`, or something recognisable.
class FakeAdmin final : public api::Admin {
 public:
  void status(Done<api::StatusFacts> done) override {
    give(std::move(done), api::StatusFacts{.cluster = "c", .node = "n", .status = "ready"});
  }
  void status_here(Done<api::StatusFacts> done) override { status(std::move(done)); }
  void nodes(Done<std::vector<api::NodeFacts>> done) override {
    give(std::move(done), std::vector<api::NodeFacts>(1));
  }
  void shards(Done<std::vector<api::ShardFacts>> done) override {
    give(std::move(done), std::vector<api::ShardFacts>(2));
  }
  void replicas(std::uint32_t shard, Done<std::vector<api::ReplicaView>> done) override {
    asked = std::to_string(shard);
    give(std::move(done), std::vector<api::ReplicaView>());
  }
  void activations(api::ActivationsQuery query, Done<api::ActivationsView> done) override {
    asked = query.type + " " + std::to_string(query.limit) + (query.all ? " all" : "");
    give(std::move(done), api::ActivationsView{});
  }
  void ids(std::string type, std::optional<std::string> after, std::uint64_t limit,
           Done<api::IdsView> done) override {
    asked = type + " " + after.value_or("-") + " " + std::to_string(limit);
    give(std::move(done), api::IdsView{.ids = {"a", "b"}, .next = "b"});
  }
  void state(ActorKey key, Done<std::vector<api::ValueView>> done) override {
    asked = to_string(key);
    give(std::move(done), std::vector<api::ValueView>());
  }
  void reminders(ActorKey key, std::uint64_t limit,
                 Done<std::vector<api::ReminderView>> done) override {
    asked = to_string(key) + " " + std::to_string(limit);
    give(std::move(done), stored);
  }
  void drain(std::string node, bool draining, Done<void> done) override {
    asked = node + (draining ? " drains" : " stays");
    if (failure) return done(fail(*failure));
    done({});
  }

  void begin_backup(std::string backup, Done<api::BackupPlan> done) override {
    asked = "backup " + backup;
    give(std::move(done), api::BackupPlan{.backup = backup});
  }
  void backup_part(std::string backup, api::BackupCut cut, std::uint64_t part,
                   Done<std::string> done) override {
    asked = backup + " " + cut.node + " " + std::to_string(cut.shard) + " " + std::to_string(part);
    give(std::move(done), std::string("\0bytes", 6));
  }
  void end_backup(std::string backup, Done<void> done) override {
    asked = "end " + backup;
    if (failure) return done(fail(*failure));
    done({});
  }
  void contents(Done<api::ContentsView> done) override {
    give(std::move(done), api::ContentsView{.cluster = "c"});
  }
  void restore(api::RestoreStep step, Done<void> done) override {
    asked = step.restore + " " + std::to_string(static_cast<int>(step.kind)) + " " +
            std::to_string(step.shard) + " " + std::to_string(step.part) + " " + step.rows;
    if (failure) return done(fail(*failure));
    done({});
  }

  std::string asked;
  std::optional<Error> failure;
  std::vector<api::ReminderView> stored;

 private:
  template <class T>
  void give(Done<T> done, T value) {
    if (failure) return done(fail(*failure));
    done(std::move(value));
  }
};

class KeptResponse final : public net::HttpResponseSink {
 public:
  void respond(net::HttpResponse given) override { response = std::move(given); }
  void abandon() override { abandoned = true; }

  std::optional<net::HttpResponse> response;
  bool abandoned = false;
};

/// The API of a node that is not there.
class ApiWorld {
 public:
  explicit ApiWorld(std::string token = {})
      : http({.service = service,
              .admin = admin,
              .traces = traces,
              .shutdown = [this](bool force) { stopped = force ? "at once" : "in order"; }},
             {.api_token = std::move(token)}) {}

  net::HttpResponse request(const std::string& method, const std::string& target,
                            const std::string& body = {}, net::HttpHeaders headers = {}) {
    const auto sink = std::make_shared<KeptResponse>();
    http.handle({.method = method, .target = target, .headers = std::move(headers), .body = body},
                net::HttpResponder(sink));
    return sink->response.value_or(net::HttpResponse{.status = 0});
  }
  /// The status and the body: `204 `, `200 {"n":1}`.
  std::string ask(const std::string& method, const std::string& target,
                  const std::string& body = {}, net::HttpHeaders headers = {}) {
    const net::HttpResponse response = request(method, target, body, std::move(headers));
    return std::to_string(response.status) + " " + std::string(response.body.view());
  }
  /// Has every call fail.
  void refuse(Code code, const std::string& message) {
    backend.routed.answer = [code, message](const actors::Call&) -> Result<actors::Reply> {
      return fail(code, message);
    };
  }
  /// Has every call answered with `body`.
  void reply(const std::string& body) {
    backend.routed.answer = [body](const actors::Call&) -> Result<actors::Reply> {
      return actors::Reply{.body = body, .content_type = {}, .metadata = {}};
    };
  }
  const actors::Call& call() const { return backend.routed.calls.back(); }

  ManualClock clock;
  FakeBackend backend;
  FakeAdmin admin;
  api::Traces traces{7};
  api::Service service{{.clock = clock, .backend = backend, .admin = admin, .traces = traces},
                       {.app_id = "shop"}};
  std::string stopped;
  api::HttpApi http;
};

/// The body of an error as Dapr writes it.
inline std::string error_json(const std::string& code, const std::string& message) {
  return R"({"errorCode":")" + code + R"(","message":")" + message + R"("})";
}

}  // namespace troupe::testing

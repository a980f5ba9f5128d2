#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/blocks/state/in_memory.h"
#include "tests/unit/api/api_world.h"

namespace troupe::testing {

/// A store in memory that can be told to fail.
class FailingStore final : public blocks::state::Component {
 public:
  explicit FailingStore(Clock& clock) : kept_(clock) {}

  blocks::state::Features features() const override { return offered; }
  void read(std::vector<blocks::state::Read> reads, Time deadline,
            Done<std::vector<blocks::state::Found>> done) override {
    if (failure) return done(fail(*failure));
    kept_.read(std::move(reads), deadline, std::move(done));
  }
  void write(std::vector<blocks::state::Change> changes, Time deadline,
             Done<std::vector<Result<void>>> done) override {
    if (failure) return done(fail(*failure));
    kept_.write(std::move(changes), deadline, std::move(done));
  }
  void transact(std::vector<blocks::state::Change> changes, Time deadline,
                Done<void> done) override {
    if (failure) return done(fail(*failure));
    kept_.transact(std::move(changes), deadline, std::move(done));
  }
  void query(std::string query, std::string_view key_prefix, Time /*deadline*/,
             Done<blocks::state::QueryResult> done) override {
    if (failure) return done(fail(*failure));
    blocks::state::QueryResult result{.items = {}, .token = query};
    result.items.push_back({.key = std::string(key_prefix) + "found",
                            .value = {.data = Payload(std::string("7")), .etag = "3"}});
    done(query == "none" ? blocks::state::QueryResult{} : std::move(result));
  }
  void stop() override {}

  blocks::state::Features offered;
  std::optional<Error> failure;

 private:
  blocks::state::InMemoryStore kept_;
};

/// The API of a node with a store named `st`, if it has any.
class StateWorld {
 public:
  explicit StateWorld(bool has_store = true) {
    if (!has_store) return;
    auto component = std::make_unique<FailingStore>(world.clock);
    store = component.get();
    stores.put(std::make_shared<const blocks::state::Store>(
        blocks::state::Store{.name = "st",
                             .type = "state.in-memory",
                             .version = "v1",
                             .prefix = *blocks::state::KeyPrefix::of("", {.app_id = "shop"}),
                             .component = std::move(component)}));
  }

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

  ApiWorld world;
  FailingStore* store = nullptr;
  blocks::state::Stores stores;
  api::Service service{{.clock = world.clock,
                        .backend = world.backend,
                        .admin = world.admin,
                        .traces = world.traces,
                        .stores = &stores},
                       {.app_id = "shop"}};
  api::HttpApi http{
      {.service = service, .admin = world.admin, .traces = world.traces, .shutdown = [](bool) {}},
      {.api_token = {}}};
};

}  // namespace troupe::testing

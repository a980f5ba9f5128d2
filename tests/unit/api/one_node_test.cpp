// The API over a whole cluster of one node: real groups, real actors, a disk in memory, virtual
// time.
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/activation/inline_scheduler.h"
#include "actors/directory/actors.h"
#include "runtime/api/api.h"
#include "runtime/api/service.h"
#include "runtime/cluster/cluster.h"
#include "sdk/examples/counter/counter.h"
#include "storage/backup/backup_file.h"
#include "storage/backup/row.h"
#include "tests/support/manual_disk.h"
#include "tests/support/manual_time.h"
#include "tests/unit/api/api_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

/// Nobody else is there.
class NoNetwork final : public Network {
 public:
  void know(NodeId /*node*/, std::string /*address*/) override {}
  void forget(NodeId /*node*/) override {}
  bool send(NodeId /*to*/, Lane /*lane*/, std::string /*frame*/) override { return false; }
  void introduce(const std::string& /*address*/, std::string /*question*/,
                 Done<std::string> done) override {
    done(fail(Code::kUnavailable, "nobody there"));
  }
  void send_datagram(const std::string& /*address*/, std::string /*bytes*/) override {}
};

class OneNode : public ::testing::Test, private cluster::Hosting {
 protected:
  OneNode() {
    cluster.start([this](Generation) {
      actors = std::make_unique<actors::Actors>(
          actors::ActorsDependencies{.clock = clock,
                                     .shards = cluster,
                                     .router = cluster.router(),
                                     .scheduler = scheduler,
                                     .blocking = scheduler,
                                     .timers = loop,
                                     .ids = cluster.ids(),
                                     .log = Log(silent_log(), "actors")},
          std::vector{std::make_shared<const ActorType>(actor_type_of<Counter>())});
      api.serve(*actors, {"Counter"});
      cluster.host(*this, {"Counter"});
    });
  }
  ~OneNode() override {
    bool stopped = false;
    if (actors) actors->stop(clock.now() + 1s, [&] { stopped = true; });
    pass(5s);
    EXPECT_TRUE(stopped);
    cluster.stop([] {});
    pass(10s);
  }

  void deliver(actors::Call call) override { actors->deliver(std::move(call)); }
  void drain(const std::shared_ptr<actors::Right>& right, Function<void()> done) override {
    actors->drain(right, std::move(done));
  }

  void run() {
    for (;;) {
      if (scheduler.step() || loop.step() || disk.read_one()) continue;
      if (!disk.busy()) return;
      disk.complete();
    }
  }
  void pass(Duration duration) {
    const Time end = clock.now() + duration;
    run();
    while (loop.next() <= end) {
      if (loop.next() > clock.now()) clock.advance(loop.next() - clock.now());
      run();
    }
    if (end > clock.now()) clock.advance(end - clock.now());
    run();
  }
  /// The answer, for which 5 s may pass: `204 `, `200 {"n":1}`.
  std::string ask(const std::string& method, const std::string& target,
                  const std::string& body = {}) {
    const auto sink = std::make_shared<KeptResponse>();
    api.http().handle({.method = method, .target = target, .body = body}, net::HttpResponder(sink));
    for (int i = 0; i < 50 && !sink->response; ++i) pass(100ms);
    if (!sink->response) return "nothing";
    return std::to_string(sink->response->status) + " " + std::string(sink->response->body.view());
  }

  static cluster::ClusterOptions options() {
    cluster::ClusterOptions options;
    options.self.id = {1, 1};
    options.self.address = {"127.0.0.1", 7400};
    options.founding = {
        .self = {1, 1}, .address = "127.0.0.1:7400", .seeds = {}, .expect = 1, .shard_count = 4};
    return options;
  }

  ManualClock clock;
  ManualExecutor loop{clock};
  storage::ManualDisk disk;
  actors::InlineScheduler scheduler;
  NoNetwork network;
  Random random{1};
  std::unique_ptr<actors::Actors> actors;
  cluster::Cluster cluster{options(),
                           {.clock = clock,
                            .loop = loop,
                            .network = network,
                            .disk = disk,
                            .random = random,
                            .log = Log(silent_log(), "cluster"),
                            .fatal = [](const Error& error) { ADD_FAILURE() << error.message; },
                            .joined = [](const std::string&) {}}};
  api::Api api{{.cluster = cluster,
                .loop = loop,
                .clock = clock,
                .log = Log(silent_log(), "api"),
                .shutdown = [](bool) {}},
               {.app_id = "shop", .api_token = {}}};
};

TEST_F(OneNode, IsNotReadyBeforeItIsAMember) {
  EXPECT_TRUE(ask("GET", "/v1.0/healthz").starts_with("500 "));
  pass(10s);
  EXPECT_EQ(ask("GET", "/v1.0/healthz"), "204 ");
}

TEST_F(OneNode, CallsActorsAndReadsTheirStateWithoutWakingThem) {
  pass(10s);
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/method/add", "2"), "200 2");
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/method/add", "3"), "200 5");
  EXPECT_TRUE(ask("POST", "/v1.0/actors/Counter/a/method/nope").starts_with("500 "));
  EXPECT_TRUE(ask("POST", "/v1.0/actors/Cat/a/method/add", "1").starts_with("500 "));
  EXPECT_TRUE(ask("POST", "/v1.0/actors/Counter/a/method/add", "no").starts_with("400 "));
  const std::string state = ask("GET", "/troupe/v1/state/Counter/a");
  EXPECT_NE(state.find(R"("format":"json","value":5)"), std::string::npos) << state;
  EXPECT_EQ(ask("GET", "/troupe/v1/state/Counter/sleeper"), "200 []");
  EXPECT_EQ(actors->counts().at("Counter"), 1U);
}

TEST_F(OneNode, ListsTheIdsOfAllShards) {
  pass(10s);
  for (const char* id : {"d", "b", "a", "c"}) {
    ask("POST", std::string("/v1.0/actors/Counter/") + id + "/method/add", "1");
  }
  EXPECT_EQ(ask("GET", "/troupe/v1/actors/Counter/ids?limit=3"),
            R"(200 {"ids":["a","b","c"],"next":"c"})");
  EXPECT_EQ(ask("GET", "/troupe/v1/actors/Counter/ids?limit=3&after=c"),
            R"(200 {"ids":["d"],"next":""})");
}

TEST_F(OneNode, KeepsNamedValuesBesideTheState) {
  pass(10s);
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/state",
                R"([{"operation":"upsert","request":{"key":"k","value":{"a":1}}}])"),
            "204 ");
  EXPECT_EQ(ask("GET", "/v1.0/actors/Counter/a/state/k"), R"(200 {"a":1})");
  EXPECT_EQ(ask("GET", "/v1.0/actors/Counter/a/state/none"), "204 ");
  EXPECT_TRUE(ask("POST", "/v1.0/actors/Counter/a/state",
                  R"([{"operation":"delete","request":{"key":"k","etag":"1"}}])")
                  .starts_with("409 "));
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/method/add", "2"), "200 2");
}

TEST_F(OneNode, RegistersShowsAndDeletesReminders) {
  pass(10s);
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/reminders/add",
                R"({"dueTime":"1h","period":"1m","data":7})"),
            "204 ");
  EXPECT_EQ(ask("GET", "/v1.0/actors/Counter/a/reminders/add"),
            R"(200 {"actorID":"a","actorType":"Counter","data":7,"dueTime":"1h",)"
            R"("period":"@every 1m0s"})");
  EXPECT_TRUE(
      ask("POST", "/v1.0/actors/Counter/a/reminders/add", R"({"dueTime":"1h","overwrite":false})")
          .starts_with("409 "));
  EXPECT_NE(ask("GET", "/troupe/v1/reminders/Counter").find(R"("name":"add")"), std::string::npos);
  EXPECT_EQ(ask("DELETE", "/troupe/v1/reminders/Counter"), "204 ");
  EXPECT_TRUE(ask("GET", "/v1.0/actors/Counter/a/reminders/add").starts_with("404 "));
}

TEST_F(OneNode, RemindersOfTheApiCallTheMethodOfTheirName) {
  pass(10s);
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/reminders/add", R"({"dueTime":"20s","data":7})"),
            "204 ");
  pass(30s);
  EXPECT_EQ(ask("GET", "/v1.0/actors/Counter/a/method/value"), "200 7");
}

TEST_F(OneNode, TimersOfTheApiCallTheirCallback) {
  pass(10s);
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/timers/t",
                R"({"dueTime":"10s","period":"R2/PT10S","callback":"add","data":5})"),
            "204 ");
  pass(60s);
  EXPECT_EQ(ask("GET", "/v1.0/actors/Counter/a/method/value"), "200 10");
  EXPECT_EQ(ask("DELETE", "/v1.0/actors/Counter/a/timers/t"), "204 ");
}

TEST_F(OneNode, TellsAboutItselfAndItsShards) {
  pass(10s);
  ask("POST", "/v1.0/actors/Counter/a/method/add", "1");
  const std::string status = ask("GET", "/troupe/v1/status");
  EXPECT_NE(status.find(R"("ready":true,"shards":4,"shards_without_leader":0,)"
                        R"("shards_under_replicated":0,"replicas_here":5,"leaders_here":4,)"
                        R"("nodes_alive":1)"),
            std::string::npos)
      << status;
  const std::string nodes = ask("GET", "/troupe/v1/nodes");
  EXPECT_NE(nodes.find(R"("replicas":4,"leads":4)"), std::string::npos) << nodes;
  const std::string shards = ask("GET", "/troupe/v1/shards");
  EXPECT_NE(shards.find(R"("owners":[{"type":"Counter","node":"00000000000000010000000000000001")"),
            std::string::npos)
      << shards;
  EXPECT_THAT(ask("GET", "/troupe/v1/shards/2"),
              ::testing::AllOf(::testing::HasSubstr(R"("role":"leader")"),
                               ::testing::HasSubstr(R"("lag":0,"elections_won":1)")));
  EXPECT_EQ(ask("GET", "/troupe/v1/shards/4"),
            R"(404 {"errorCode":"ERR_NOT_FOUND","message":"no shard 4: there are 4, from 0 on"})");
  EXPECT_NE(ask("GET", "/troupe/v1/actors?type=Counter").find(R"("id":"a","turns":1)"),
            std::string::npos);
  EXPECT_NE(ask("GET", "/troupe/v1/actors?all=1").find(R"("silent":[])"), std::string::npos);
  EXPECT_EQ(ask("GET", "/troupe/v1/actors?type=Cat"), R"(200 {"activations":[],"silent":[]})");
}

TEST_F(OneNode, DrainsANodeByTheBeginningOfItsId) {
  pass(10s);
  EXPECT_TRUE(ask("POST", "/troupe/v1/drain/ff").starts_with("404 "));
  EXPECT_EQ(ask("POST", "/troupe/v1/drain/0000000000000001"), "204 ");
  EXPECT_NE(ask("GET", "/troupe/v1/nodes").find(R"("draining":true)"), std::string::npos);
  EXPECT_EQ(ask("DELETE", "/troupe/v1/drain/0000000000000001"), "204 ");
  EXPECT_NE(ask("GET", "/troupe/v1/nodes").find(R"("draining":false)"), std::string::npos);
}

constexpr const char* kBackup = "/troupe/v1/backups/0123456789abcdef0123456789abcdef";
constexpr const char* kSelf = "/00000000000000010000000000000001/";

TEST_F(OneNode, BacksUpTheMomentOfTheCutsWhateverIsWrittenMeanwhile) {
  pass(10s);
  ask("POST", "/v1.0/actors/Counter/a/method/add", "5");
  EXPECT_TRUE(ask("POST", kBackup).starts_with("200 {"));
  ask("POST", "/v1.0/actors/Counter/a/method/add", "3");
  ask("POST", "/v1.0/actors/Counter/b/method/add", "1");
  std::vector<storage::RestoredValue> values;
  for (const char* shard : {"0", "1", "2", "3"}) {
    storage::RowsHash hash;
    for (int part = 1;; ++part) {
      const std::string target = std::string(kBackup) + kSelf + shard + "/" + std::to_string(part);
      const std::string answer = ask("GET", target);
      ASSERT_TRUE(answer.starts_with("200 ")) << answer;
      EXPECT_EQ(ask("GET", target), answer);  // the answer was lost
      const auto decoded = storage::decode_backup_part(answer.substr(4));
      ASSERT_TRUE(decoded);
      if (const auto* end = std::get_if<storage::BackupShardEnd>(&*decoded)) {
        EXPECT_EQ(hash.value(), end->hash);
        break;
      }
      const auto read = [&](std::string_view key, std::string_view value) -> Result<void> {
        hash.add(key, value);
        const auto row = storage::decode_backup_row(key, value);
        const auto* found = row ? std::get_if<storage::RestoredValue>(&*row) : nullptr;
        if (found != nullptr) values.push_back(*found);
        return {};
      };
      ASSERT_TRUE(storage::each_row(std::get<storage::BackupRows>(*decoded).chunk, read));
    }
  }
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values.front().id, "a");
  EXPECT_TRUE(values.front().value.ends_with("5"));
}

TEST_F(OneNode, CutsThatNobodyAsksForAreForgottenAndPartsComeInOrder) {
  pass(10s);
  EXPECT_TRUE(ask("POST", "/troupe/v1/backups/noname").starts_with("400 "));
  EXPECT_TRUE(ask("POST", kBackup).starts_with("200 {"));
  EXPECT_TRUE(ask("GET", std::string(kBackup) + kSelf + "0/2").starts_with("400 "));
  pass(100s);
  EXPECT_TRUE(ask("GET", std::string(kBackup) + kSelf + "0/1").starts_with("200 "));
  pass(100s);
  EXPECT_TRUE(ask("GET", std::string(kBackup) + kSelf + "0/1").starts_with("200 "));
  pass(160s);
  EXPECT_TRUE(ask("GET", std::string(kBackup) + kSelf + "0/1").starts_with("404 "));
  EXPECT_TRUE(ask("POST", kBackup).starts_with("200 {"));
  EXPECT_EQ(ask("DELETE", kBackup), "204 ");
  EXPECT_TRUE(ask("GET", std::string(kBackup) + kSelf + "0/1").starts_with("404 "));
}

TEST_F(OneNode, TakesRowsOnlyWhereTheyBelongAndOpensWhenAllShardsAreFinished) {
  pass(10s);
  const std::string restore = "/troupe/v1/restores/r/";
  const std::string row = storage::encode({storage::RestoredValue{.type = "Counter",
                                                                  .id = "a",
                                                                  .name = "",
                                                                  .value = "\x01"
                                                                           "7",
                                                                  .expires = {}}});
  const std::uint32_t home = placement::shard_of("Counter", "a", 4).value;
  const auto part = [&](std::uint32_t shard) { return restore + std::to_string(shard) + "/1"; };
  EXPECT_TRUE(ask("POST", part(home), row).starts_with("412 "));  // not begun
  EXPECT_EQ(ask("POST", restore + "begin"), "204 ");
  EXPECT_TRUE(ask("POST", part((home + 1) % 4), row).starts_with("400 "));
  EXPECT_TRUE(ask("POST", part(9), row).starts_with("404 "));
  EXPECT_TRUE(ask("POST", part(home), "damaged").starts_with("400 "));
  EXPECT_EQ(ask("POST", part(home), row), "204 ");
  EXPECT_TRUE(ask("POST", kBackup).starts_with("503 "));
  EXPECT_NE(
      ask("GET", "/troupe/v1/contents").find(R"("state":"restoring","restore":"r","parts":1)"),
      std::string::npos);
  EXPECT_EQ(ask("POST", restore + "finish"), "204 ");
  EXPECT_EQ(ask("POST", "/v1.0/actors/Counter/a/method/add", "1"), "200 8");
  EXPECT_TRUE(ask("POST", restore + "begin").starts_with("412 "));
}

}  // namespace
}  // namespace troupe::testing

// What is in a backup is there again in another cluster, and nothing else ever is.
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/examples/bank/bank.h"
#include "sdk/examples/counter/counter.h"
#include "tests/support/load.h"
#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr int kAccounts = 12;
constexpr int kDeposit = 100'000;

std::string account(int i) { return "account" + std::to_string(i % kAccounts); }

struct Said {
  int code = -1;
  std::string text;
};

// `troupe` with these arguments, asking node 0.
Said troupe_command(NodeCluster& cluster, std::vector<std::string> arguments) {
  static int count = 0;
  arguments.insert(arguments.begin(), TROUPE_COMMAND);
  arguments.insert(arguments.end(),
                   {"--address", "127.0.0.1:" + std::to_string(cluster.http_port(0))});
  Process process;
  process.start(arguments, cluster.directory() + "/troupe" + std::to_string(++count) + ".log");
  const auto code = process.wait(kPatience);
  return {code.value_or(-1), process.output()};
}

std::string member(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":\"";
  const std::size_t at = json.find(key);
  if (at == std::string::npos) return {};
  return json.substr(at + key.size(), json.find('"', at + key.size()) - at - key.size());
}

std::string bytes_of(const std::string& file) {
  std::ostringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  return bytes.str();
}

void kill_all(NodeCluster& cluster) {
  for (std::size_t node = 0; node < cluster.size(); ++node) cluster.process(node).kill();
}

class Backups : public testing::Test {
 protected:
  std::string file(const std::string& name = "backup") const { return files_.path() + "/" + name; }

  // A cluster of one node, with a number of shards that is not the usual one.
  static void start(NodeCluster& cluster, const std::string& shards) {
    cluster.start(0, {"--shards", shards});
    ASSERT_TRUE(cluster.ready(0));
  }

  TemporaryDirectory files_;
};

class CounterBackups : public Backups {
 protected:
  void SetUp() override {
    source_.start_all();
    ASSERT_TRUE(source_.all_ready());
    for (int i = 0; i < 20; ++i) ASSERT_EQ(add(source_, i), i + 1);
  }

  static int add(NodeCluster& cluster, int i) {
    return cluster.client().actor<Counter>(std::to_string(i)).call<&Counter::add>(i + 1).get();
  }
  static int value(NodeCluster& cluster, const std::string& id) {
    return cluster.client().actor<Counter>(id).call<&Counter::value>().get();
  }
  static void remind(NodeCluster& cluster, const std::string& id, const std::string& due) {
    ASSERT_EQ(cluster
                  .post(0, "/v1.0/actors/Counter/" + id + "/reminders/add",
                        R"({"dueTime":")" + due + R"(","data":7})")
                  .status,
              204);
  }
  void expect_counters(NodeCluster& cluster) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(value(cluster, std::to_string(i)), i + 1) << i;
  }
  // Of the source, which is then gone.
  std::string backup() {
    const Said said = troupe_command(source_, {"backup", file(), "--json"});
    EXPECT_EQ(said.code, 0) << said.text;
    kill_all(source_);
    return said.text;
  }

  NodeCluster source_{TROUPE_COUNTER, 3};
};

TEST_F(CounterBackups, StateAndRemindersAreThereAgainInClustersOfOtherSizes) {
  remind(source_, "soon", "3s");
  remind(source_, "later", "24h");
  backup();
  pause(4s);  // the first is overdue by then
  for (const char* shards : {"4", "512"}) {
    NodeCluster target(TROUPE_COUNTER, 1);
    start(target, shards);
    const Said restored = troupe_command(target, {"restore", file()});
    ASSERT_EQ(restored.code, 0) << restored.text;
    expect_counters(target);
    EXPECT_TRUE(eventually([&] { return value(target, "soon") == 7; })) << shards;
    const Answer waits = target.get(0, "/v1.0/actors/Counter/later/reminders/add");
    EXPECT_THAT(waits.body, HasSubstr("24h"));
    pause(1500ms);
    EXPECT_EQ(value(target, "soon"), 7);
    EXPECT_EQ(value(target, "later"), 0);
    EXPECT_EQ(add(target, 3), 8);
    target.process(0).kill();
    target.start(0, {"--shards", shards});
    ASSERT_TRUE(target.ready(0));
    EXPECT_EQ(value(target, "3"), 8);
  }
}

TEST_F(CounterBackups, WhatWasAcknowledgedBeforeIsInItAndLoadGoesOn) {
  Load load(source_, 4, {0, 1, 2});
  ASSERT_TRUE(load.goes_on());
  const Said said = troupe_command(source_, {"backup", file()});
  EXPECT_EQ(said.code, 0) << said.text;
  ASSERT_TRUE(load.goes_on());
  load.stop();
  EXPECT_EQ(load.failed() + load.unknown(), 0) << load.errors();
  EXPECT_EQ(load.wrong(source_.client()), "");
  kill_all(source_);
  NodeCluster target(TROUPE_COUNTER, 3);
  target.start_all();
  ASSERT_TRUE(target.all_ready());
  const Said restored = troupe_command(target, {"restore", file()});
  ASSERT_EQ(restored.code, 0) << restored.text;
  expect_counters(target);
}

TEST_F(CounterBackups, TheLargestValueFitsToo) {
  const std::string value(4 * 1024 * 1024 - 200, 'x');
  const std::string body =
      R"([{"operation":"upsert","request":{"key":"large","value":")" + value + R"("}}])";
  ASSERT_EQ(source_.post(0, "/v1.0/actors/Counter/big/state", body).status, 204);
  backup();
  NodeCluster target(TROUPE_COUNTER, 1);
  start(target, "4");
  const Said restored = troupe_command(target, {"restore", file()});
  ASSERT_EQ(restored.code, 0) << restored.text;
  EXPECT_EQ(target.get(0, "/v1.0/actors/Counter/big/state/large").body, '"' + value + '"');
}

TEST_F(CounterBackups, OnlyTheOwnerMayReadItAndNothingIsOverwritten) {
  backup();
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(file() + ".partial"));
  const std::string before = bytes_of(file());
  NodeCluster other(TROUPE_COUNTER, 1);
  start(other, "4");
  const Said again = troupe_command(other, {"backup", file()});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.text, HasSubstr("is there already"));
  EXPECT_EQ(bytes_of(file()), before);
}

TEST_F(CounterBackups, DamagedOnesAndOthersAreRefusedAndTheClusterStaysEmptyAndOpen) {
  backup();
  const std::string whole = bytes_of(file());
  std::string flipped = whole;
  flipped[flipped.size() / 2] ^= 1;
  std::ofstream(file("flipped"), std::ios::binary) << flipped;
  std::ofstream(file("cut"), std::ios::binary) << whole.substr(0, whole.size() - 20);
  std::ofstream(file("newer"), std::ios::binary) << "troupe backup 9\n and more";
  std::ofstream(file("text"), std::ios::binary) << "something else altogether";
  NodeCluster target(TROUPE_COUNTER, 1);
  start(target, "4");
  for (const auto& [name, why] :
       std::vector<std::pair<std::string, std::string>>{{"flipped", "is damaged"},
                                                        {"cut", "it ends in the middle"},
                                                        {"newer", "is newer"},
                                                        {"text", "not a Troupe backup"},
                                                        {"nowhere", "cannot open"}}) {
    const Said refused = troupe_command(target, {"restore", file(name)});
    EXPECT_EQ(refused.code, 1) << name;
    EXPECT_THAT(refused.text, HasSubstr(why)) << name;
  }
  EXPECT_THAT(target.get(0, "/troupe/v1/contents").body, Not(HasSubstr("restor\"")));
  EXPECT_EQ(value(target, "3"), 0);
  EXPECT_EQ(troupe_command(target, {"restore", file()}).code, 0);
  expect_counters(target);
}

TEST_F(CounterBackups, NeitherIntoAClusterWithActorsNorBesideTheLiveOne) {
  const Said said = troupe_command(source_, {"backup", file()});
  ASSERT_EQ(said.code, 0) << said.text;
  const Said itself = troupe_command(source_, {"restore", file()});
  EXPECT_EQ(itself.code, 1);
  EXPECT_THAT(itself.text, HasSubstr("the cluster that the backup was taken of"));
  NodeCluster target(TROUPE_COUNTER, 1);
  start(target, "4");
  const Said beside = troupe_command(target, {"restore", file()});
  EXPECT_EQ(beside.code, 1);
  EXPECT_THAT(beside.text, HasSubstr("is alive"));
  EXPECT_EQ(value(target, "3"), 0);
  kill_all(source_);
  ASSERT_EQ(add(target, 3), 4);
  const Said used = troupe_command(target, {"restore", file()});
  EXPECT_EQ(used.code, 1);
  EXPECT_THAT(used.text, HasSubstr("is not empty"));
  EXPECT_EQ(value(target, "3"), 4);
  EXPECT_EQ(value(target, "4"), 0);
}

TEST_F(CounterBackups, ACopyBesideTheLiveOneIsPossibleForWhoSaysSo) {
  ASSERT_EQ(troupe_command(source_, {"backup", file()}).code, 0);
  NodeCluster target(TROUPE_COUNTER, 1);
  start(target, "4");
  const Said copied = troupe_command(target, {"restore", file(), "--beside-live"});
  EXPECT_EQ(copied.code, 0) << copied.text;
  expect_counters(target);
  EXPECT_EQ(add(target, 3), 8);
  EXPECT_EQ(value(source_, "3"), 4);
}

TEST_F(CounterBackups, ARestoreThatWasCutShortServesNothingAndCanBeRepeatedOrGivenUp) {
  const std::string id = member(backup(), "backup");
  ASSERT_EQ(id.size(), 32U);
  NodeCluster target(TROUPE_COUNTER, 1);
  start(target, "4");
  EXPECT_EQ(value(target, "3"), 0);  // an owner that has to go
  ASSERT_EQ(target.post(0, "/troupe/v1/restores/" + id + "-1/begin").status, 204);
  const auto closed = [&] {
    const Answer answer = target.post(0, "/v1.0/actors/Counter/3/method/value");
    EXPECT_THAT(answer.body, HasSubstr("is being restored"));
    return answer.status == 503;
  };
  EXPECT_TRUE(closed());
  target.process(0).kill();
  target.start(0);
  ASSERT_TRUE(target.ready(0));
  EXPECT_TRUE(closed());
  const Said backup_of_it = troupe_command(target, {"backup", file("half")});
  EXPECT_EQ(backup_of_it.code, 1);
  EXPECT_THAT(backup_of_it.text, HasSubstr("being restored"));

  ASSERT_EQ(troupe_command(target, {"restore", "--abandon"}).code, 0);
  EXPECT_EQ(value(target, "3"), 0);
  ASSERT_EQ(target.post(0, "/troupe/v1/restores/" + id + "-2/begin").status, 204);
  const Said again = troupe_command(target, {"restore", file()});
  ASSERT_EQ(again.code, 0) << again.text;
  expect_counters(target);
  const Said twice = troupe_command(target, {"restore", file()});
  EXPECT_EQ(twice.code, 1);
  EXPECT_THAT(twice.text, HasSubstr("restored before"));
  EXPECT_EQ(troupe_command(target, {"restore", "--abandon"}).code, 1);
  expect_counters(target);
}

TEST_F(CounterBackups, ARestoreWhoseProgramIsKilledIsWholeAfterAnother) {
  backup();
  for (const Duration after : {Duration(5ms), Duration(20ms), Duration(60ms), Duration(200ms)}) {
    NodeCluster target(TROUPE_COUNTER, 1);
    start(target, "64");
    Process restore;
    restore.start({TROUPE_COMMAND, "restore", file(), "--address",
                   "127.0.0.1:" + std::to_string(target.http_port(0))},
                  target.directory() + "/restore.log");
    pause(after);
    if (restore.runs()) restore.kill();
    const bool finished = restore.wait(1s) == 0;
    const Said again = troupe_command(target, {"restore", file()});
    if (finished || again.code != 0) {
      EXPECT_THAT(again.text, HasSubstr("restored before"));
    }
    expect_counters(target);
  }
}

// Withdrawals and deposits are in different shards, and in between is a message.
TEST_F(Backups, MoneyIsNeitherLostNorMadeInABackupUnderLoad) {
  NodeCluster source(TROUPE_BANK, 3);
  source.start_all();
  ASSERT_TRUE(source.all_ready());
  for (int i = 0; i < kAccounts; ++i) {
    ASSERT_EQ(source.client().actor<Account>(account(i)).call<&Account::deposit>(kDeposit).get(),
              kDeposit);
  }
  std::atomic<bool> over = false;
  std::atomic<int> paid = 0;
  std::vector<std::thread> customers;
  for (int customer = 0; customer < 8; ++customer) {
    customers.emplace_back([&, customer, client = source.client(0)] {
      for (int from = customer; !over; ++from) {
        const Transfer order{.to = account(from * 7 + 5), .amount = 1 + from % 9};
        if (client.actor<Account>(account(from)).call<&Account::transfer>(order).result()) ++paid;
      }
    });
  }
  constexpr int kBackups = 4;
  std::vector<int> paid_before;
  for (int i = 0; i < kBackups; ++i) {
    EXPECT_TRUE(eventually([&, until = paid + 50] { return paid >= until; }));
    paid_before.push_back(paid);
    // Shards change their leaders in the second, and in the third.
    if (i == 1) source.process(2).kill();
    if (i == 2) source.start(2);
    Said said;
    EXPECT_TRUE(eventually([&] {
      said = troupe_command(source, {"backup", file(std::to_string(i))});
      return said.code == 0;
    })) << said.text;
  }
  over = true;
  for (std::thread& each : customers) each.join();
  kill_all(source);
  for (int i = 0; i < kBackups; ++i) {
    NodeCluster target(TROUPE_BANK, 1);
    start(target, i % 2 == 0 ? "2" : "128");
    const Said restored = troupe_command(target, {"restore", file(std::to_string(i))});
    ASSERT_EQ(restored.code, 0) << restored.text;
    int balances = 0;
    const auto add_up = [&] {
      int withdrawals = 0;
      int deposits = -kAccounts;
      balances = 0;
      for (int each = 0; each < kAccounts; ++each) {
        const auto actor = target.client().actor<Account>(account(each));
        balances += actor.call<&Account::balance>().get();
        for (const std::string& line : actor.call<&Account::history>().get()) {
          ++(line.starts_with("deposit: ") ? deposits : withdrawals);
        }
      }
      EXPECT_GE(withdrawals, paid_before[static_cast<std::size_t>(i)]);
      return withdrawals == deposits;
    };
    EXPECT_TRUE(eventually(add_up, 10s));
    pause(500ms);  // what would come twice
    EXPECT_TRUE(add_up());
    EXPECT_EQ(balances, kAccounts * kDeposit);
  }
}

}  // namespace
}  // namespace troupe

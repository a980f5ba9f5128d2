// Every example, started and asked over HTTP with the calls that the guide quotes.
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/examples/chat/chat.h"
#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Example {
 public:
  explicit Example(const std::string& program) : cluster_(program, 1) {
    cluster_.start_all();
    EXPECT_TRUE(cluster_.all_ready());
  }

  // What `POST /v1.0/actors/{actor}/method/{method}` answers, if that is 200.
  std::string call(const std::string& actor, const std::string& method, std::string body = {}) {
    const Answer answer =
        cluster_.post(0, "/v1.0/actors/" + actor + "/method/" + method, std::move(body));
    return answer.status == 200 ? answer.body : std::to_string(answer.status) + " " + answer.body;
  }
  NodeCluster& cluster() { return cluster_; }

 private:
  NodeCluster cluster_;
};

TEST(Examples, CounterCounts) {
  Example counter(TROUPE_COUNTER);
  EXPECT_EQ(counter.call("Counter/visits", "add", "1"), "1");
  EXPECT_EQ(counter.call("Counter/visits", "add", "41"), "42");
  EXPECT_EQ(counter.call("Counter/visits", "value"), "42");
  const Answer state = counter.cluster().get(0, "/troupe/v1/state/Counter/visits");
  EXPECT_EQ(state.status, 200);
  EXPECT_THAT(state.body, HasSubstr("\"value\":42"));
}

TEST(Examples, CartIsPaidFromTheWallet) {
  Example cart(TROUPE_CART);
  EXPECT_EQ(cart.call("Cart/alice", "add", R"({"name":"tea","price":4})"), "1");
  EXPECT_EQ(cart.call("Cart/alice", "add", R"({"name":"cup","price":11})"), "2");
  EXPECT_EQ(cart.call("Cart/alice", "total"), "15");
  EXPECT_EQ(cart.call("Cart/alice", "pay"), "false");
  EXPECT_EQ(cart.cluster().get(0, "/v1.0/actors/Cart/alice/reminders/nudge").status, 200);
  EXPECT_EQ(cart.call("Wallet/alice", "deposit", "20"), "20");
  EXPECT_EQ(cart.call("Cart/alice", "pay"), "true");
  EXPECT_EQ(cart.call("Wallet/alice", "balance"), "5");
  EXPECT_EQ(cart.cluster().get(0, "/v1.0/actors/Cart/alice/reminders/nudge").status, 404);
  EXPECT_THAT(cart.call("Wallet/alice", "deposit", "-1"), HasSubstr("deposit something"));
}

TEST(Examples, BankTransfersOnceAndRefusesWhatIsNotThere) {
  Example bank(TROUPE_BANK);
  EXPECT_EQ(bank.call("Account/alice", "deposit", "100"), "100");
  EXPECT_EQ(bank.call("Account/alice", "transfer", R"({"to":"bob","amount":30})"), "70");
  EXPECT_TRUE(eventually([&] { return bank.call("Account/bob", "balance") == "30"; }));
  EXPECT_THAT(bank.call("Account/alice", "transfer", R"({"to":"bob","amount":300})"),
              HasSubstr("not enough money"));
  EXPECT_EQ(bank.call("Account/alice", "history"), R"(["deposit: 100","transfer to bob: -30"])");
  EXPECT_EQ(bank.call("Auditor/any", "total", R"(["alice","bob"])"), "100");
}

TEST(Examples, ChatTellsTheOthers) {
  Example chat(TROUPE_CHAT);
  EXPECT_EQ(chat.call("Room/lobby", "join", "\"alice\""), "");
  EXPECT_EQ(chat.call("Room/lobby", "join", "\"bob\""), "");
  EXPECT_EQ(chat.call("Room/lobby", "say", R"({"from":"alice","text":"hello"})"), "");
  EXPECT_THAT(chat.call("Room/lobby", "say", R"({"from":"eve","text":"hello"})"),
              HasSubstr("eve is not here"));
  EXPECT_TRUE(
      eventually([&] { return chat.call("User/bob", "read").find("hello") != std::string::npos; }));
  EXPECT_EQ(chat.call("User/bob", "read"), "[]");
  EXPECT_EQ(chat.call("Room/lobby", "typing", "\"bob\""), "");
  EXPECT_EQ(chat.call("Room/lobby", "plan", R"({"text":"tea time","minutes":0})"), "");
  EXPECT_TRUE(eventually(
      [&] { return chat.call("Room/lobby", "history").find("tea time") != std::string::npos; }));
  EXPECT_TRUE(eventually([&] { return chat.call("Room/lobby", "who_types") == "\"\""; }));
}

// The node of the activation of `key`, as any says.
std::size_t node_of(NodeCluster& cluster, const std::string& type, const std::string& id) {
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const Answer here = cluster.get(i, "/troupe/v1/actors?type=" + type);
    if (here.body.find(R"("id":")" + id + '"') != std::string::npos) return i;
  }
  ADD_FAILURE() << "no node has " << type << "/" << id;
  return 0;
}

TEST(Chat, AnAnnouncementComesOnceThoughItsNodeWasKilledBeforeItWasDue) {
  NodeCluster cluster(TROUPE_CHAT, 3);
  cluster.start_all();
  ASSERT_TRUE(cluster.all_ready());
  cluster.client().actor<Room>("lobby").call<&Room::join>("alice").get();
  ASSERT_EQ(cluster
                .post(0, "/v1.0/actors/Room/lobby/reminders/announce",
                      R"({"dueTime":"3s","data":"tea time"})")
                .status,
            204);
  const std::size_t owner = node_of(cluster, "Room", "lobby");
  cluster.process(owner).kill();
  const Client client = cluster.client((owner + 1) % 3);
  int inbox = 0;
  const auto read = [&] {
    for (const Line& line : client.actor<User>("alice").call<&User::read>().get()) {
      inbox += line.text == "tea time" ? 1 : 0;
    }
    return inbox > 0;
  };
  EXPECT_TRUE(eventually(read));
  cluster.start(owner);
  ASSERT_TRUE(cluster.ready(owner));
  pause(2s);  // what would come twice
  read();
  EXPECT_EQ(inbox, 1);
  int said = 0;
  for (const Line& line : client.actor<Room>("lobby").call<&Room::history>().get()) {
    said += line.text == "tea time" ? 1 : 0;
  }
  EXPECT_EQ(said, 1);
}

}  // namespace
}  // namespace troupe

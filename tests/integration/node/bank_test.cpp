// Money does not get lost between accounts, whatever happens to the nodes.
#include "sdk/examples/bank/bank.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/guarded.h"
#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr int kAccounts = 12;
constexpr int kDeposit = 100'000;

std::string account(int i) { return "account" + std::to_string(i % kAccounts); }

int sum(const Client& client) {
  int total = 0;
  for (int i = 0; i < kAccounts; ++i) {
    total += client.actor<Account>(account(i)).call<&Account::balance>().get();
  }
  return total;
}

// People who transfer money from account to account until they are stopped, each with a client that
// knows all nodes and prefers another one.
class Customers {
 public:
  Customers(NodeCluster& cluster, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      ClientOptions options{.addresses = {}, .timeout = 20s};
      for (std::size_t node = 0; node < cluster.size(); ++node) {
        options.addresses.push_back("127.0.0.1:" +
                                    std::to_string(cluster.http_port((i + node) % cluster.size())));
      }
      threads_.emplace_back(
          [this, i, client = Client(options)] { run(static_cast<int>(i), client); });
    }
  }
  ~Customers() { stop(); }
  Customers(const Customers&) = delete;
  Customers& operator=(const Customers&) = delete;

  void stop() {
    over_ = true;
    for (std::thread& each : threads_) {
      if (each.joinable()) each.join();
    }
  }
  bool go_on(int transfers = 60) {
    return eventually([&, until = acknowledged_ + transfers] { return acknowledged_ >= until; });
  }
  int acknowledged() const { return acknowledged_; }
  std::string failures() const {
    return failures_.with([](const std::string& texts) { return texts; });
  }

 private:
  void run(int customer, const Client& client) {
    for (int from = customer; !over_; ++from) {
      const Transfer order{.to = account(from * 7 + 5), .amount = 1 + from % 9};
      const auto paid =
          client.actor<Account>(account(from)).call<&Account::transfer>(order).result();
      if (paid) {
        ++acknowledged_;
      } else {
        failures_.with([&](std::string& texts) { texts += paid.error().message + "\n"; });
      }
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<int> acknowledged_{0};
  Guarded<std::string> failures_;
  std::vector<std::thread> threads_;
};

// Withdrawals and deposits that took effect, as the accounts tell.
struct Effects {
  int withdrawals = 0;
  int deposits = 0;

  friend bool operator==(const Effects&, const Effects&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Effects& effects) {
    return out << effects.withdrawals << " withdrawals, " << effects.deposits << " deposits";
  }
};

Effects effects(const Client& client) {
  Effects all;
  for (int i = 0; i < kAccounts; ++i) {
    const auto history = client.actor<Account>(account(i)).call<&Account::history>().get();
    for (const std::string& each : history) {
      ++(each.starts_with("deposit: ") ? all.deposits : all.withdrawals);
    }
  }
  all.deposits -= kAccounts;  // the first ones
  return all;
}

class Bank : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.start_all();
    ASSERT_TRUE(cluster_.all_ready());
    for (int i = 0; i < kAccounts; ++i) {
      ASSERT_EQ(
          cluster_.client().actor<Account>(account(i)).call<&Account::deposit>(kDeposit).get(),
          kDeposit);
    }
  }
  void expect_each_transfer_once(int transfers) {
    EXPECT_TRUE(eventually([&] { return effects(cluster_.client()).deposits >= transfers; }));
    pause(1s);  // what would come twice
    EXPECT_EQ(effects(cluster_.client(2)), (Effects{transfers, transfers}));
    EXPECT_EQ(sum(cluster_.client(2)), kAccounts * kDeposit);
  }

  // `end` is how a node goes; then it is started again, and the next one goes.
  void expect_no_failure_while_each_goes(const std::function<void(Process&)>& end) {
    Customers customers(cluster_, 6);
    EXPECT_TRUE(customers.go_on());
    for (std::size_t node = 0; node < cluster_.size(); ++node) {
      end(cluster_.process(node));
      EXPECT_TRUE(customers.go_on()) << "without node " << node;
      cluster_.start(node);
      EXPECT_TRUE(cluster_.ready(node));
      EXPECT_TRUE(customers.go_on()) << "with node " << node << " again";
    }
    customers.stop();
    EXPECT_EQ(customers.failures(), "");
    expect_each_transfer_once(customers.acknowledged());
  }

  NodeCluster cluster_{TROUPE_BANK, 3};
};

TEST_F(Bank, NoTransferFailsAndEachTakesEffectOnceWhileNodesAreKilledInTurn) {
  expect_no_failure_while_each_goes([](Process& process) { process.kill(); });
}

TEST_F(Bank, NoTransferFailsWhileAllNodesAreRestartedInTurn) {
  expect_no_failure_while_each_goes([](Process& process) {
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(kPatience), 0);
  });
}

TEST_F(Bank, NoTransferFailsBesideANodeThatIsBackBeforeItIsMissed) {
  Customers customers(cluster_, 6);
  for (int restart = 0; restart < 5; ++restart) {
    EXPECT_TRUE(customers.go_on());
    cluster_.process(1).kill();
    cluster_.start(1);
    pause(Duration(100ms) * restart);  // also while it is still starting
  }
  EXPECT_TRUE(cluster_.ready(1));
  EXPECT_TRUE(customers.go_on());
  customers.stop();
  EXPECT_EQ(customers.failures(), "");
  expect_each_transfer_once(customers.acknowledged());
}

TEST_F(Bank, ATransferThatIsSentAgainByHandThroughAnotherNodeIsAnsweredAsTheFirst) {
  const std::string target = "/v1.0/actors/Account/" + account(0) + "/method/transfer";
  const std::string order = R"({"to":")" + account(1) + R"(","amount":10})";
  const net::HttpHeaders first{{"troupe-call-key", "0123456789abcdef0123456789abcdef-1"}};
  net::HttpHeaders again = first;
  again.add("troupe-call-attempt", "2");
  const std::string left = std::to_string(kDeposit - 10);
  for (std::size_t node = 0; node < cluster_.size(); ++node) {
    const Answer answer = cluster_.send(node, "POST", target, order, node == 0 ? first : again);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body, left);
  }
  // Its owner may also be told that this is the first attempt: only the handler runs twice then.
  EXPECT_EQ(cluster_.send(1, "POST", target, order, first).body, left);
  expect_each_transfer_once(1);
}

}  // namespace
}  // namespace troupe

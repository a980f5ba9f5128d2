// Money does not get lost between accounts, whatever happens to the nodes.
#include "sdk/examples/bank/bank.h"

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr int kAccounts = 12;
constexpr int kDeposit = 1000;

std::string account(int i) { return "account" + std::to_string(i % kAccounts); }

int sum(const Client& client) {
  int total = 0;
  for (int i = 0; i < kAccounts; ++i) {
    total += client.actor<Account>(account(i)).call<&Account::balance>().get();
  }
  return total;
}

TEST(Bank, TheSumOfBalancesStaysThatOfTheDepositsWhenANodeIsKilled) {
  NodeCluster cluster(TROUPE_BANK, 3);
  cluster.start_all();
  ASSERT_TRUE(cluster.all_ready());
  for (int i = 0; i < kAccounts; ++i) {
    ASSERT_EQ(cluster.client().actor<Account>(account(i)).call<&Account::deposit>(kDeposit).get(),
              kDeposit);
  }
  std::atomic<bool> over{false};
  std::atomic<int> done{0};
  std::vector<std::thread> customers;
  for (int i = 0; i < 4; ++i) {
    customers.emplace_back([&, i, client = cluster.client(static_cast<std::size_t>(i) % 2, 10s)] {
      for (int from = i; !over; ++from) {
        const Transfer order{.to = account(from * 7 + 5), .amount = 1 + from % 9};
        const auto paid =
            client.actor<Account>(account(from)).call<&Account::transfer>(order).result();
        if (paid) ++done;
      }
    });
  }
  const auto so_many_more = [&](int count) {
    return eventually([&, until = done + count] { return done >= until; });
  };
  EXPECT_TRUE(so_many_more(40));
  cluster.process(2).kill();
  EXPECT_TRUE(so_many_more(40));
  cluster.start(2);
  EXPECT_TRUE(cluster.ready(2));
  EXPECT_TRUE(so_many_more(40));
  over = true;
  for (std::thread& customer : customers) customer.join();
  EXPECT_TRUE(eventually([&] { return sum(cluster.client()) == kAccounts * kDeposit; }))
      << sum(cluster.client());
  pause(1s);  // what would come twice
  EXPECT_EQ(sum(cluster.client(2)), kAccounts * kDeposit);
}

}  // namespace
}  // namespace troupe

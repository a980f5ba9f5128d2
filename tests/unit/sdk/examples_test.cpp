#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sdk/examples/bank/bank.h"
#include "sdk/examples/cart/cart.h"
#include "sdk/examples/chat/chat.h"
#include "sdk/examples/counter/counter.h"
#include "sdk/examples/warehouse/stock_table.h"
#include "tests/support/temporary_directory.h"
#include <troupe/testing.h>

namespace {

using namespace std::chrono_literals;
using troupe::Code;
using troupe::TestHost;

TEST(CounterExample, CountsForEachIdApart) {
  auto host = TestHost::with<Counter>();
  EXPECT_EQ(host.actor<Counter>("a").call<&Counter::add>(2).get(), 2);
  EXPECT_EQ(host.actor<Counter>("a").call<&Counter::add>(3).get(), 5);
  EXPECT_EQ(host.actor<Counter>("b").call<&Counter::value>().get(), 0);
}

TEST(CartExample, IsPaidFromTheWalletOfTheSameCustomer) {
  auto host = TestHost::with<Cart, Wallet>();
  const auto cart = host.actor<Cart>("ann");
  EXPECT_EQ(cart.call<&Cart::add>({"tea", 4}).get(), 1U);
  EXPECT_EQ(cart.call<&Cart::pay>().get(), false);
  host.actor<Wallet>("ann").call<&Wallet::deposit>(10).get();
  EXPECT_EQ(cart.call<&Cart::pay>().get(), true);
  EXPECT_EQ(host.actor<Wallet>("ann").call<&Wallet::balance>().get(), 6);
  EXPECT_TRUE(host.state<Cart>("ann")->paid);
  EXPECT_TRUE(host.reminders({"Cart", "ann"}).empty());
}

TEST(CartExample, NudgesAfterADayThoughItsNodeHasCrashed) {
  auto host = TestHost::with<Cart, Wallet>();
  host.actor<Cart>("ann").call<&Cart::add>({"tea", 4}).get();
  host.crash();
  host.advance(24h - 1ms);
  EXPECT_EQ(host.state<Cart>("ann")->nudges, 0);
  host.advance(1ms);
  EXPECT_EQ(host.state<Cart>("ann")->nudges, 1);
}

TEST(CartExample, RepricesEveryMinuteWhileInMemory) {
  auto host = TestHost::with<Cart, Wallet>();
  host.actor<Cart>("ann").call<&Cart::add>({"tea", 4}).get();
  host.advance(3min);
  EXPECT_EQ(host.actor<Cart>("ann").call<&Cart::total>().get(), 7);
  host.deactivate({"Cart", "ann"});
  host.advance(3min);
  EXPECT_EQ(host.actor<Cart>("ann").call<&Cart::total>().get(), 7);
}

TEST(BankExample, TransfersAllOrNothing) {
  auto host = TestHost::with<Account, Auditor>();
  const auto ann = host.actor<Account>("ann");
  ann.call<&Account::deposit>(100).get();
  EXPECT_EQ(ann.call<&Account::transfer>({"bob", 30}).get(), 70);
  const auto refused = ann.call<&Account::transfer>({"bob", 300}).result();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (troupe::Error{Code::kApplication, "not enough money"}));
  host.crash();  // after the commit, before the deposit of the first transfer
  host.settle();
  EXPECT_EQ(host.actor<Account>("bob").call<&Account::balance>().get(), 30);
  const std::vector<std::string> both = {"ann", "bob"};
  EXPECT_EQ(host.actor<Auditor>("any").call<&Auditor::total>(both).get(), 100);
}

TEST(ChatExample, TellsTheOthersAndAnnouncesWhatWasPlanned) {
  auto host = TestHost::with<Room, User>();
  const auto room = host.actor<Room>("tea");
  room.call<&Room::join>("ann").get();
  room.call<&Room::join>("bob").get();
  host.settle();
  host.actor<User>("bob").call<&User::read>().get();
  room.call<&Room::say>({"ann", "hello"}).get();
  room.call<&Room::plan>({"kettle is on", 10}).get();
  host.crash();
  host.advance(10min);
  const std::vector<Line> heard = host.actor<User>("bob").call<&User::read>().get();
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[0].text, "hello");
  EXPECT_EQ(heard[1].text, "kettle is on");
  host.advance(24h);
  EXPECT_TRUE(room.call<&Room::history>().get().empty());
}

TEST(ChatExample, ShowsWhoTypesForThreeSeconds) {
  auto host = TestHost::with<Room, User>();
  const auto room = host.actor<Room>("tea");
  room.call<&Room::typing>("ann").get();
  host.advance(2s);
  EXPECT_EQ(room.call<&Room::who_types>().get(), "ann");
  host.advance(1s);
  EXPECT_EQ(room.call<&Room::who_types>().get(), "");
}

TEST(WarehouseExample, ARowTakesNoSmallerTokenThanItHas) {
  const troupe::TemporaryDirectory directory;
  StockTable table(directory.path() + "/stock.db");
  table.set({"tea", 10, 2});
  table.set({"tea", 9, 2});
  table.set({"tea", 8, 5});
  table.set({"cups", 3, 1});
  EXPECT_THROW(table.set({"tea", 10, 4}), troupe::ActorError);
}

}  // namespace

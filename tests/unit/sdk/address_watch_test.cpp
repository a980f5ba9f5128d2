#include "sdk/src/address_watch.h"

#include <vector>

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<std::size_t>;
using Waiters = std::vector<AddressWatch::Waiter>;

class AddressWatchTest : public testing::Test {
 protected:
  static Time at(Duration since_start) { return Time(1h + since_start); }

  AddressWatch watch{3, {.late_after = 1s, .probe_timeout = 1s}};
};

TEST_F(AddressWatchTest, AsksNobodyWhoAnswersOrIsNotWaitedFor) {
  const auto waiter = watch.wait(at(0s), 0);
  EXPECT_EQ(watch.take_probes(at(999ms)), Addresses());
  EXPECT_TRUE(watch.ended(at(999ms), waiter, true));
  EXPECT_TRUE(watch.idle());
  EXPECT_EQ(watch.take_probes(at(10s)), Addresses());
  watch.wait(at(10s), 0);
  EXPECT_EQ(watch.take_probes(at(10s)), Addresses()) << "nothing was to be heard meanwhile";
}

TEST_F(AddressWatchTest, AnyAnswerShowsThatAnAddressIsThere) {
  watch.wait(at(0s), 0);
  const auto other = watch.wait(at(0s), 0);
  EXPECT_TRUE(watch.ended(at(900ms), other, true));
  EXPECT_EQ(watch.take_probes(at(1800ms)), Addresses());
  EXPECT_EQ(watch.take_probes(at(1900ms)), Addresses{0});
}

TEST_F(AddressWatchTest, ABrokenConnectionDoesNotShowThat) {
  watch.wait(at(0s), 0);
  const auto other = watch.wait(at(0s), 0);
  EXPECT_TRUE(watch.ended(at(900ms), other, false));
  EXPECT_EQ(watch.take_probes(at(1s)), Addresses{0});
}

TEST_F(AddressWatchTest, OneProbeOfAnAddressIsUnderWayHoweverManyWait) {
  for (int i = 0; i < 100; ++i) watch.wait(at(0s), 1);
  EXPECT_EQ(watch.take_probes(at(1s)), Addresses{1});
  EXPECT_EQ(watch.take_probes(at(30s)), Addresses());
  EXPECT_EQ(watch.probed(at(30s), 1, true), Waiters());
  EXPECT_EQ(watch.take_probes(at(30900ms)), Addresses());
  EXPECT_EQ(watch.take_probes(at(31s)), Addresses{1});
}

TEST_F(AddressWatchTest, AllWhoWaitAtASilentAddressGoElsewhereOnce) {
  const auto first = watch.wait(at(0s), 1);
  const auto elsewhere = watch.wait(at(0s), 2);
  EXPECT_EQ(watch.take_probes(at(1s)), (Addresses{1, 2}));
  const auto second = watch.wait(at(1500ms), 1);
  EXPECT_EQ(watch.probed(at(2s), 1, false), (Waiters{first, second}));
  EXPECT_FALSE(watch.ended(at(3s), first, true)) << "it has gone";
  EXPECT_TRUE(watch.ended(at(3s), elsewhere, true));
}

TEST_F(AddressWatchTest, ASilentAddressIsAvoidedUntilItAnswersAProbe) {
  watch.wait(at(0s), 1);
  watch.take_probes(at(1s));
  watch.probed(at(2s), 1, false);
  EXPECT_TRUE(watch.silent(1));
  EXPECT_EQ(watch.speaking(0), 0U);
  EXPECT_EQ(watch.speaking(1), 2U);
  EXPECT_EQ(watch.take_probes(at(2900ms)), Addresses());
  EXPECT_EQ(watch.take_probes(at(3s)), Addresses{1}) << "though nobody waits there";
  watch.probed(at(3s), 1, true);
  EXPECT_EQ(watch.speaking(1), 1U);
  EXPECT_EQ(watch.take_probes(at(9s)), Addresses());
}

TEST_F(AddressWatchTest, IfAllAreSilentTheyAreAskedAllTheSame) {
  for (std::size_t i = 0; i < 3; ++i) watch.wait(at(0s), i);
  EXPECT_EQ(watch.take_probes(at(1s)), (Addresses{0, 1, 2}));
  for (std::size_t i = 0; i < 3; ++i) watch.probed(at(2s), i, false);
  EXPECT_EQ(watch.speaking(1), 1U);
  const auto waiter = watch.wait(at(2s), 1);
  EXPECT_TRUE(watch.ended(at(2100ms), waiter, true));
  EXPECT_EQ(watch.speaking(0), 1U) << "it was there";
}

}  // namespace
}  // namespace troupe

#include "runtime/security/datagram_seal.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace troupe::security {
namespace {

const std::string kOld(32, 'o');
const std::string kNew(32, 'n');

ClusterKey key(const std::string& text = kOld) { return ClusterKey::parse(text).value(); }

TEST(DatagramSeal, WhatOneSealsTheOthersOpen) {
  DatagramSeal sender(key());
  DatagramSeal receiver(key());
  for (const std::string& text : {std::string(), std::string("news"), std::string(1400, '\xff')}) {
    const std::string sealed = sender.seal(text);
    EXPECT_EQ(sealed.size(), text.size() + DatagramSeal::kOverhead);
    EXPECT_EQ(receiver.open(sealed), text);
  }
}

TEST(DatagramSeal, HidesTheTextAndNeverLooksTheSameTwice) {
  DatagramSeal sender(key());
  const std::string first = sender.seal("a secret that is long enough to be found");
  EXPECT_EQ(first.find("secret"), std::string::npos);
  EXPECT_NE(first, sender.seal("a secret that is long enough to be found"));
  EXPECT_NE(first.substr(8, 16), DatagramSeal(key()).seal("").substr(8, 16));
}

TEST(DatagramSeal, RefusesEveryChangedByteAndEveryBeginning) {
  DatagramSeal sender(key());
  const std::string sealed = sender.seal("news");
  DatagramSeal receiver(key());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(receiver.open(changed), std::nullopt) << i;
    EXPECT_EQ(receiver.open(sealed.substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(receiver.open(sealed), "news");
}

TEST(DatagramSeal, RefusesWhatIsInClearOrOfAnotherKey) {
  DatagramSeal receiver(key());
  EXPECT_EQ(receiver.open("TRG1 in clear, and long enough to hold all that a seal has"),
            std::nullopt);
  EXPECT_EQ(receiver.open(DatagramSeal(key(kNew)).seal("news")), std::nullopt);
}

TEST(DatagramSeal, OpensEachOnceInWhateverOrderTheyCome) {
  DatagramSeal sender(key());
  DatagramSeal receiver(key());
  std::vector<std::string> sealed;
  for (int i = 0; i < 10; ++i) sealed.push_back(sender.seal(std::to_string(i)));
  for (const int i : {3, 0, 9, 1, 8, 2, 4, 7, 6, 5}) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(receiver.open(sealed[at]), std::to_string(i));
    EXPECT_EQ(receiver.open(sealed[at]), std::nullopt);
  }
}

TEST(DatagramSeal, ASecretIsChangedWithoutAPause) {
  DatagramSeal before(key(kOld));
  DatagramSeal added(key(kOld + "\n" + kNew));
  DatagramSeal swapped(key(kNew + "\n" + kOld));
  DatagramSeal after(key(kNew));
  const auto hears = [](DatagramSeal& receiver, DatagramSeal& sender) {
    return receiver.open(sender.seal("x")).has_value();
  };
  EXPECT_TRUE(hears(added, before) && hears(before, added));
  EXPECT_TRUE(hears(swapped, added) && hears(added, swapped));
  EXPECT_TRUE(hears(after, swapped) && hears(swapped, after));
  EXPECT_FALSE(hears(after, before) || hears(before, after));
}

TEST(DatagramSeal, AnewSenderIsHeardThoughManyAreRemembered) {
  DatagramSeal receiver(key());
  DatagramSeal first(key());
  const std::string sealed = first.seal("first");
  EXPECT_TRUE(receiver.open(sealed));
  for (std::size_t i = 0; i < DatagramSeal::kSendersMax; ++i) {
    EXPECT_TRUE(receiver.open(DatagramSeal(key()).seal("x")));
  }
  EXPECT_TRUE(receiver.open(first.seal("again")));
}

TEST(ReplayWindow, TakesEachNumberOnceAndNoneFarBehind) {
  ReplayWindow window;
  EXPECT_TRUE(window.take(5));
  EXPECT_FALSE(window.take(5));
  EXPECT_TRUE(window.take(3));
  EXPECT_FALSE(window.take(3));
  EXPECT_TRUE(window.take(5 + ReplayWindow::kWidth - 1));
  EXPECT_FALSE(window.take(5));
  EXPECT_TRUE(window.take(6));
  EXPECT_TRUE(window.take(6 + ReplayWindow::kWidth));
  EXPECT_FALSE(window.take(6));
  EXPECT_TRUE(window.take(7));
  EXPECT_TRUE(window.take(1'000'000));
  EXPECT_FALSE(window.take(7));
}

}  // namespace
}  // namespace troupe::security

#include "actors/activation/mailbox.h"

#include <vector>

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

class Numbered final : public Event {
 public:
  explicit Numbered(int the_number) : number(the_number) {}
  void handle(Activation&, std::unique_ptr<Event>) override {}
  int number;
};

Mailbox::Pushed push(Mailbox& mailbox, int number) {
  std::unique_ptr<Event> event = std::make_unique<Numbered>(number);
  const Mailbox::Pushed pushed = mailbox.push(event);
  EXPECT_EQ(event != nullptr, pushed == Mailbox::Pushed::kClosed);
  return pushed;
}

std::vector<int> numbers(EventList list) {
  std::vector<int> found;
  while (const std::unique_ptr<Event> event = list.pop()) {
    found.push_back(static_cast<Numbered&>(*event).number);
  }
  return found;
}

TEST(Mailbox, EventsComeOutInTheOrderOfArrival) {
  Mailbox mailbox;
  push(mailbox, 1);
  push(mailbox, 2);
  push(mailbox, 3);
  EXPECT_EQ(numbers(mailbox.take_all()), (std::vector{1, 2, 3}));
}

TEST(Mailbox, OnlyTheFirstToComeToASleeperWakesIt) {
  Mailbox mailbox;
  EXPECT_EQ(push(mailbox, 1), Mailbox::Pushed::kWake);
  EXPECT_EQ(push(mailbox, 2), Mailbox::Pushed::kQueued);
  EXPECT_FALSE(mailbox.sleep());
  EXPECT_EQ(numbers(mailbox.take_all()).size(), 2U);
  EXPECT_TRUE(mailbox.sleep());
  EXPECT_EQ(push(mailbox, 3), Mailbox::Pushed::kWake);
}

TEST(Mailbox, AClosedOneTakesNothingAndGivesBackWhatItHad) {
  Mailbox mailbox;
  push(mailbox, 1);
  push(mailbox, 2);
  EXPECT_EQ(numbers(mailbox.close()), (std::vector{1, 2}));
  EXPECT_EQ(push(mailbox, 3), Mailbox::Pushed::kClosed);
  EXPECT_TRUE(mailbox.close().empty());
  EXPECT_TRUE(mailbox.take_all().empty());
}

TEST(EventList, WhatIsPushedBackComesLast) {
  EventList list;
  list.push_back(std::make_unique<Numbered>(1));
  list.push_back(std::make_unique<Numbered>(2));
  EXPECT_EQ(numbers(std::move(list)), (std::vector{1, 2}));
}

}  // namespace
}  // namespace troupe::actors

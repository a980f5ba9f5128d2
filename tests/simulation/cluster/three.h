#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/simulation/cluster/world.h"

namespace troupe::sim {

inline double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

inline void start_all(World& world) {
  for (std::size_t i = 0; i < world.size(); ++i) world.start(i);
}

inline World::AnswerPtr ask(World& world, const World::AnswerPtr& answer) {
  world.run_until(std::chrono::seconds(30), [&] { return answer->outcome.has_value(); });
  EXPECT_TRUE(answer->ok()) << answer->problem();
  return answer;
}

/// Three nodes, ready.
struct Three : testing::Test {
  explicit Three(WorldOptions options = {}) : world(3, options) {}

  void SetUp() override {
    start_all(world);
    ASSERT_TRUE(world.run_until(std::chrono::seconds(10), [&] { return world.all_ready(); }))
        << statuses();
    RecordProperty("ready_ms", std::to_string(milliseconds(world.now() - begun)));
  }
  void TearDown() override {
    for (const std::string& each : world.violations()) ADD_FAILURE() << each;
  }
  std::string statuses() {
    std::string all;
    for (std::size_t i = 0; i < world.size(); ++i) {
      if (world.node(i) != nullptr) all += world.node(i)->cluster().status() + "; ";
    }
    return all;
  }
  // One call to each of 20 actors, by way of `machine`.
  void add_everywhere(std::size_t machine, int number) {
    for (int i = 0; i < 20; ++i) {
      ask(world, world.call(machine, "ledger", std::to_string(i), "add", number,
                            std::chrono::seconds(10)));
    }
  }
  void expect_everywhere(std::size_t machine, const std::vector<int>& entries) {
    for (int i = 0; i < 20; ++i) {
      const auto read = ask(world, world.call(machine, "ledger", std::to_string(i), "entries",
                                              std::chrono::seconds(10)));
      ASSERT_TRUE(read->ok()) << read->problem();
      EXPECT_EQ(read->value<std::vector<int>>(), entries);
    }
  }
  /// As add_everywhere(), all at once.
  void expect_answers_within(Duration limit, std::size_t machine, int number) {
    const Time asked = world.now();
    std::vector<World::AnswerPtr> answers;
    for (int i = 0; i < 20; ++i) {
      answers.push_back(world.call(machine, "ledger", std::to_string(i), "add", number,
                                   std::chrono::seconds(10)));
    }
    const auto answered = [](const auto& each) { return each->outcome.has_value(); };
    EXPECT_TRUE(world.run_until(limit, [&] { return std::ranges::all_of(answers, answered); }));
    for (const auto& each : answers) EXPECT_TRUE(each->ok()) << each->problem();
    RecordProperty("answers_ms", std::to_string(milliseconds(world.now() - asked)));
  }
  void expect_equal_replicas() {
    std::string unequal;
    EXPECT_TRUE(world.run_until(std::chrono::seconds(10), [&] {
      return (unequal = world.compare_replicas()).empty();
    })) << unequal;
  }

  World world;
  Time begun = world.now();
};

/// One caller for each of some ledgers, by way of one machine, which calls again at once.
class Callers {
 public:
  Callers(World& world, std::size_t machine, const std::vector<std::string>& ledgers)
      : world_(world), machine_(machine) {
    for (const std::string& ledger : ledgers) callers_.push_back({.ledger = ledger});
    for (Caller& each : callers_) call(each);
  }

  void go_on(Duration length) {
    for (const Time end = world_.now() + length; world_.now() < end;
         world_.run(std::chrono::milliseconds(5))) {
      for (Caller& each : callers_) {
        if (!each.answer->outcome) continue;
        EXPECT_TRUE(each.answer->ok()) << each.answer->problem();
        took_.push_back(each.answer->answered - each.answer->asked);
        if (each.answered != Time{}) {
          longest_silence_ = std::max(longest_silence_, each.answer->answered - each.answered);
        }
        each.answered = each.answer->answered;
        call(each);
      }
    }
  }
  /// What was measured so far does not count.
  void measure_anew() {
    took_.clear();
    longest_silence_ = {};
  }

  /// Between two answers to one of them.
  Duration longest_silence() const { return longest_silence_; }
  /// Of a call, that of a hundred is slower.
  Duration slow_call() const {
    std::vector<Duration> sorted = took_;
    std::ranges::sort(sorted);
    return sorted.at(sorted.size() * 99 / 100);
  }

 private:
  struct Caller {
    std::string ledger;
    World::AnswerPtr answer = {};
    Time answered = {};
  };

  void call(Caller& caller) {
    caller.answer =
        world_.call(machine_, "ledger", caller.ledger, "add", 1, std::chrono::seconds(10));
  }

  World& world_;
  std::size_t machine_;
  std::vector<Caller> callers_;
  std::vector<Duration> took_;
  Duration longest_silence_{0};
};

}  // namespace troupe::sim

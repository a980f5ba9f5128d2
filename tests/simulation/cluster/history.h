#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/cluster/actors.h"
#include "tests/simulation/cluster/world.h"

namespace troupe::sim {

/// What clients asked and heard, and what must follow from it.
class History {
 public:
  explicit History(World& world) : world_(world) {}

  static constexpr int kLedgers = 6;
  static constexpr int kAccounts = 6;
  static constexpr int kAlarms = 3;

  /// One random call from a client of `machine`.
  void ask(std::size_t machine);
  /// Looks at what has been answered since, and at what should have been.
  void follow();
  std::size_t asked() const { return next_; }
  std::size_t open() const { return asks_.size(); }

  /// The rest is for the end, when the cluster is whole again.

  /// Whether each actor answers within `patience`, and each wish was heard.
  void expect_answers(Duration patience);
  /// Whether the states follow from what was answered.
  void expect_states();

 private:
  enum class Kind { kAdd, kRead, kTransfer, kWish };
  struct Ask {
    Kind kind;
    int number;
    std::string actor;
    World::AnswerPtr answer;
    std::set<int> known;  // of a read: what was acknowledged before
  };
  struct Wishes {
    std::set<int> acknowledged;
    std::set<int> uncertain;
    std::set<int> refused;
  };

  void settle(const Ask& ask);
  void check_ledger(const std::string& name, const std::vector<int>& entries);
  void check_alarm(const std::string& name, const std::vector<Ring>& rings);
  template <class T>
  bool read(std::string_view type, const std::string& id, const char* method, T& into,
            Duration patience);

  World& world_;
  std::size_t next_ = 1;
  std::vector<Ask> asks_;
  std::map<std::string, Wishes> ledgers_;
  std::map<std::string, Wishes> alarms_;
};

}  // namespace troupe::sim

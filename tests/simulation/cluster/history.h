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

  static constexpr int kLedgers = 4;
  static constexpr int kAccounts = 4;
  static constexpr int kAlarms = 3;

  /// One random call from a client of `machine`.
  void ask(std::size_t machine);
  /// Looks at what has been answered since, and at what should have been.
  void follow();
  std::size_t asked() const { return next_; }
  std::size_t succeeded() const { return succeeded_; }
  std::size_t open() const { return asks_.size(); }

  /// The rest is for the end, when the cluster is whole again.

  /// Whether each actor answers within `patience`.
  void expect_answers(Duration patience);
  /// Whether the states follow from what was answered.
  void expect_states();

 private:
  enum class Kind { kAdd, kRead, kTransfer, kWish };
  struct Ask {
    Kind kind = Kind::kAdd;
    int number = 0;
    int times = 1;  // of a wish
    std::string actor;
    World::AnswerPtr answer;               // the first attempt's
    std::vector<World::AnswerPtr> others;  // those of later ones, if the call has a name
  };
  // Of a ledger: something that was answered, and how long the ledger was afterwards.
  struct Seen {
    Time asked;
    Time answered;
    std::size_t length = 0;
    int added = 0;          // 0: nothing was
    std::vector<int> read;  // if nothing was added
  };
  struct Wishes {
    std::map<int, int> times;  // of each
    std::set<int> acknowledged;
    std::set<int> uncertain;
    std::set<int> refused;
  };

  static std::vector<World::AnswerPtr> attempts(const Ask& ask);
  bool over(Ask& ask);
  void attempt_again(Ask& ask);
  void settle(const Ask& ask);
  void ask_ledger(Ask& ask, std::size_t machine, Duration patience);
  void check_ledger(const std::string& name, const std::vector<int>& entries);
  void check_order(const std::string& name, std::vector<Seen> seen);
  void check_accounts();
  void check_alarm(const std::string& name, const std::vector<Ring>& rings);
  bool rang(const std::string& name, const std::vector<Ring>& rings);
  std::size_t somebody_ready();
  template <class T>
  bool read(std::string_view type, const std::string& id, const char* method, T& into,
            Duration patience);

  World& world_;
  std::size_t next_ = 1;
  std::size_t succeeded_ = 0;
  std::vector<Ask> asks_;
  std::map<std::string, Wishes> ledgers_;
  std::map<std::string, std::vector<Seen>> seen_;
  std::map<std::string, Wishes> alarms_;
};

}  // namespace troupe::sim

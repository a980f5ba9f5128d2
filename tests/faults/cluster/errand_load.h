#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/cluster/errands.h"
#include "tests/support/node_cluster.h"

namespace troupe {

/// Callers that give clerks numbers, each number once, and write down what they heard of it. What
/// follows from that can be checked once the cluster is whole again.
class ErrandLoad {
 public:
  /// Every caller prefers another node. `seed` decides what they ask whom.
  ErrandLoad(const NodeCluster& cluster, std::size_t callers, std::uint64_t seed);
  ~ErrandLoad() { stop(); }
  ErrandLoad(const ErrandLoad&) = delete;
  ErrandLoad& operator=(const ErrandLoad&) = delete;

  /// Ends it, once what is under way is answered or has timed out. Idempotent.
  void stop();
  int acknowledged() const { return acknowledged_; }
  /// Waits until so many further calls are acknowledged. False: it takes too long.
  bool goes_on(int calls = 20);

  /// Waits until every wish has rung and every message has arrived; then, or once that takes too
  /// long, says what is wrong with the ledgers, or nothing. After stop().
  std::string wrong(const Client& client) const;

 private:
  enum class Heard : std::uint8_t { kDone, kRefused, kNothing };
  struct Errand {
    int number = 0;
    int clerk = 0;
    bool is_wish = false;
    Heard heard = Heard::kNothing;
  };
  struct Books {
    ClerkState clerk;
    std::vector<int> received;
  };

  void run(std::size_t caller, std::uint64_t seed, const Client& client);
  static Heard ask(const Client& client, const Errand& errand, std::int64_t after_ms);
  static bool read(const Client& client, int clerk, Books& books);
  static bool settled(const Books& books);
  std::string wrong_with(int clerk, const Books& books) const;

  std::vector<std::vector<Errand>> errands_;  // by caller, whose thread fills them
  std::atomic<int> next_ = 1;
  std::atomic<int> acknowledged_ = 0;
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace troupe

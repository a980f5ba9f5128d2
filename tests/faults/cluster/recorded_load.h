#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/support/node_cluster.h"

namespace troupe {

/// Callers that all add to and read the same few counters, and write down when they asked and what
/// they heard.
class RecordedLoad {
 public:
  /// Caller i asks node `through[i % through.size()]` first, and every other one if that fails.
  RecordedLoad(const NodeCluster& cluster, std::size_t callers,
               const std::vector<std::size_t>& through);
  ~RecordedLoad() { stop(); }
  RecordedLoad(const RecordedLoad&) = delete;
  RecordedLoad& operator=(const RecordedLoad&) = delete;

  /// Ends it, once what is under way is answered. Idempotent.
  void stop();
  int acknowledged() const { return acknowledged_; }
  /// Waits until so many further calls are acknowledged. False: it takes too long.
  bool goes_on(int calls = 20);

  /// The longest time in which no call at all was acknowledged. After stop().
  Duration longest_silence() const;
  /// What is wrong with the history, in the words of the checker, or nothing; its file is
  /// `directory`/history.jsonl then. After stop().
  std::string wrong(const std::string& directory) const;

 private:
  struct Operation {
    int counter = 0;
    bool adds = false;
    Time asked{};
    Time answered{};
    bool known = false;
    int value = 0;
  };
  void run(std::size_t caller, const Client& client);

  SystemClock clock_;
  std::vector<std::vector<Operation>> operations_;  // by caller, whose thread fills them
  std::atomic<int> acknowledged_ = 0;
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace troupe

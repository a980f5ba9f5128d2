#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/node_cluster.h"

namespace troupe {

/// Callers that add 1 to counters of their own, one call after the other, each through a node of
/// its own at first, and watch that what they read afterwards through another one is no older.
class Load {
 public:
  /// `through`: the nodes that are asked first, caller by caller.
  Load(NodeCluster& cluster, std::size_t callers, std::vector<std::size_t> through,
       Duration timeout = std::chrono::seconds(10));
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// Ends it, once what is under way is answered. Idempotent.
  void stop();
  /// Waits until so many further calls are acknowledged, of every caller. False: it takes too long.
  bool goes_on(int calls = 3);

  /// Calls that neither succeeded nor certainly had no effect, and those that failed for good.
  int unknown() const;
  int failed() const;
  int acknowledged() const;
  /// That a call which changes something took. After stop().
  Duration longest() const;
  /// What went wrong, in words, or nothing: a lost or doubled call, a stale read. After stop().
  std::string wrong(const Client& client) const;
  std::string errors() const;

 private:
  struct Caller {
    std::string counter;
    std::atomic<int> acknowledged{0};
    std::atomic<int> unknown{0};
    std::atomic<int> failed{0};
    std::string stale;    // the caller's until it is joined
    std::string errors;   // likewise
    Duration longest{0};  // likewise
    std::thread thread;
  };

  void run(Caller& caller, const Client& client, const Client& reader) const;

  std::vector<std::unique_ptr<Caller>> callers_;
  std::atomic<bool> over_{false};
};

}  // namespace troupe

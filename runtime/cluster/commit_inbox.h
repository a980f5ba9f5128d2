#pragma once

#include <functional>
#include <memory>

#include "actors/turns/shards.h"
#include "runtime/base/executor.h"
#include "storage/shard/entry.h"
#include <troupe/function.h>
#include <troupe/result.h>

namespace troupe::cluster {

/// What actors commit, on its way to the node loop.
///
/// Many commits come together, and the loop would be woken for each. So the first waits behind what
/// the actors have to do now, and the loop takes along all that come meanwhile. But where there are
/// many it begins while the actors are at the rest:
///
///     put() ──the first── gather ──→ loop ──→ propose(), each, in their order
///       └─────the 32nd─────────────────┘
///
/// put() is thread-safe.
class CommitInbox {
 public:
  struct Commit {
    std::shared_ptr<actors::Right> right;
    std::shared_ptr<storage::Entry> entry;
    Done<storage::Outcome> done;
  };

  /// `gather` runs work soon, once what the actors have to do now is done; empty: nothing waits.
  /// `propose` is called on `loop`. Both executors outlive what is put.
  CommitInbox(Executor& loop, const std::function<void(Work)>& gather,
              Function<void(Commit)> propose);
  /// On the loop, or after its end. What the loop has not taken yet it refuses: the node is
  /// stopping.
  ~CommitInbox();
  CommitInbox(const CommitInbox&) = delete;
  CommitInbox& operator=(const CommitInbox&) = delete;

  void put(Commit commit);

 private:
  struct State;

  Executor& loop_;
  const std::function<void(Work)>& gather_;
  const std::shared_ptr<State> state_;
};

}  // namespace troupe::cluster

#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "actors/turns/right.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "storage/shard/entry.h"
#include <troupe/function.h>
#include <troupe/payload.h>

namespace troupe::cluster {

/// Takes the commits of one right to the shard's log, in order and each exactly once.
///
/// Commits are numbered by their place: one after the last applied, two after ... and sent without
/// waiting for one another. An entry that is refused does not use its number up, so those behind it
/// come back as a gap, and are sent again with the right numbers; an entry whose outcome is unknown
/// is sent again with the same number, and a number that was used already tells that it was
/// applied.
///
/// Belongs to the node loop.
class CommitPipeline : public std::enable_shared_from_this<CommitPipeline> {
 public:
  using Propose = Function<void(ShardId, Payload entry, Done<storage::Outcome>)>;

  static constexpr std::size_t kLengthMax = 20'000;
  static constexpr Duration kRetryInterval = std::chrono::milliseconds(20);

  /// `last_sequence`: of the right's epoch so far; 0 for a new one.
  CommitPipeline(std::shared_ptr<actors::Right> right, std::uint64_t last_sequence, Clock& clock,
                 Executor& loop, Propose propose);

  void submit(storage::TurnCommand command, Done<storage::Outcome> done);
  /// The right has ended: everything not known to be applied is given up.
  void end();
  bool idle() const { return items_.empty(); }
  /// Runs once everything submitted so far is settled.
  void when_idle(Work work);

 private:
  enum class State : std::uint8_t { kWaiting, kSent, kApplied };
  struct Item {
    std::uint64_t id;
    storage::TurnCommand command;
    Done<storage::Outcome> done;
    State state = State::kWaiting;
    bool maybe_applied = false;
  };

  void pump();
  void send(Item& item, std::uint64_t sequence);
  void answered(std::uint64_t id, std::uint64_t sequence, Result<storage::Outcome> result);
  void applied(Item& item, storage::Outcome outcome);
  void remove(std::uint64_t id, Result<storage::Outcome> result);
  void failed(Item& item, const Error& error);
  Item* find(std::uint64_t id);

  std::shared_ptr<actors::Right> right_;
  Clock& clock_;
  Executor& loop_;
  Propose propose_;
  std::deque<Item> items_;
  std::uint64_t last_sequence_;
  std::uint64_t next_id_ = 1;
  std::size_t sent_ = 0;  // items in that state
  Time retry_at_{};
  bool disturbed_ = false;  // what is sent may be numbered wrongly: wait for it before sending more
  bool ended_ = false;
  std::deque<Work> idle_waiters_;
};

}  // namespace troupe::cluster

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>

#include "actors/turns/right.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/cluster/state_machine.h"
#include "storage/shard/entry.h"
#include <troupe/function.h>

namespace troupe::cluster {

/// Takes the commits of one right to the shard's log, in order and each exactly once.
///
/// Commits are numbered by their place: one after the last applied, two after ... and sent without
/// waiting for one another. An entry that is refused does not use its number up, so those behind it
/// come back as a gap, and are sent again with the right numbers.
///
/// An entry whose outcome is unknown may still turn up in the log later. It keeps its number
/// through every try, so that only one of them takes effect, and a number that was used already
/// tells that it did. Where one before it was refused, an empty entry uses up the number that
/// became free; and if it is refused itself, an empty entry in its place finds out whether an
/// earlier try was applied.
///
/// Belongs to the node loop.
class CommitPipeline : public std::enable_shared_from_this<CommitPipeline> {
 public:
  using Propose = Function<void(ShardId, ProposedEntry entry, Done<storage::Outcome>)>;

  static constexpr std::size_t kLengthMax = 20'000;
  static constexpr Duration kRetryInterval = std::chrono::milliseconds(20);

  /// `last_sequence`: of the right's epoch so far; 0 for a new one.
  CommitPipeline(std::shared_ptr<actors::Right> right, std::uint64_t last_sequence, Clock& clock,
                 Executor& loop, Propose propose);

  /// `entry` holds a TurnCommand, and is the pipeline's from here on.
  void submit(std::shared_ptr<storage::Entry> entry, Done<storage::Outcome> done);
  /// The right has ended: everything not known to be applied is given up.
  void end();
  bool idle() const { return items_.empty(); }
  /// Runs once everything submitted so far is settled.
  void when_idle(Work work);

 private:
  enum class State : std::uint8_t { kWaiting, kSent, kApplied };
  struct Item {
    std::uint64_t id;
    std::shared_ptr<storage::Entry> entry;
    Done<storage::Outcome> done;  // null: nobody's, only uses up a number
    State state = State::kWaiting;
    bool maybe_applied = false;                 // an earlier try under its number
    std::optional<storage::Outcome> refusal{};  // of its last try; `entry` is an empty one since
    bool empty_maybe_applied = false;
  };

  static storage::TurnCommand& command_of(Item& item) {
    return std::get<storage::TurnCommand>(item.entry->command);
  }
  std::shared_ptr<storage::Entry> empty_entry() const;

  void pump();
  void keep_numbers();
  void send(Item& item, std::uint64_t sequence);
  void answered(std::uint64_t id, Result<storage::Outcome> result);
  void applied(Item& item, Result<storage::Outcome> outcome);
  void refused(Item& item, storage::Outcome outcome);
  void settled(Item& item, std::optional<storage::Outcome> outcome);
  void remove(std::uint64_t id, Result<storage::Outcome> result);
  void tell_idle();
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
  // Some are to be sent again, and what is sent may be numbered wrongly: wait for it before sending
  // more. Otherwise all are sent.
  bool disturbed_ = false;
  bool ended_ = false;
  std::deque<Work> idle_waiters_;
};

}  // namespace troupe::cluster

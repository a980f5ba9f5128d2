#include "runtime/cluster/commit_pipeline.h"

#include <algorithm>
#include <utility>

namespace troupe::cluster {

using storage::Outcome;

CommitPipeline::CommitPipeline(std::shared_ptr<actors::Right> right, std::uint64_t last_sequence,
                               Clock& clock, Executor& loop, Propose propose)
    : right_(std::move(right)),
      clock_(clock),
      loop_(loop),
      propose_(std::move(propose)),
      last_sequence_(last_sequence) {}

void CommitPipeline::submit(storage::TurnCommand command, Done<Outcome> done) {
  if (ended_) return done(fail(Code::kPrecondition, "this node no longer owns the actor"));
  if (items_.size() >= kLengthMax) {
    return done(fail(Code::kExhausted, "too many turns wait for their commit"));
  }
  items_.push_back({.id = next_id_++, .command = std::move(command), .done = std::move(done)});
  pump();
}

void CommitPipeline::end() {
  ended_ = true;
  right_->end();
  for (Item& item : std::exchange(items_, {})) {
    if (item.state == State::kApplied) continue;
    const bool unknown = item.state == State::kSent || item.maybe_applied;
    item.done(unknown ? fail(Code::kUnknownOutcome, "the owner changed during the commit")
                      : fail(Code::kPrecondition, "this node no longer owns the actor"));
  }
  for (Work& work : std::exchange(idle_waiters_, {})) work();
}

void CommitPipeline::when_idle(Work work) {
  if (idle()) return work();
  idle_waiters_.push_back(std::move(work));
}

void CommitPipeline::pump() {
  if (ended_ || (disturbed_ && sent_ > 0) || clock_.now() < retry_at_) return;
  disturbed_ = false;
  // Completions may come at once and change the queue: go by number, not by iterator.
  for (std::size_t i = 0; i < items_.size() && !disturbed_; ++i) {
    if (items_[i].state == State::kWaiting) send(items_[i], last_sequence_ + 1 + i);
  }
}

void CommitPipeline::send(Item& item, std::uint64_t sequence) {
  item.state = State::kSent;
  ++sent_;
  item.command.epoch = right_->epoch;
  item.command.sequence = sequence;
  const storage::Entry entry{.now = clock_.wall(), .command = item.command};
  propose_(right_->shard, Payload(storage::encode(entry)),
           [self = shared_from_this(), id = item.id, sequence](Result<Outcome> result) {
             // Never inside submit(): its caller may hold what the completion needs.
             self->loop_.post([self, id, sequence, result = std::move(result)]() mutable {
               self->answered(id, sequence, std::move(result));
             });
           });
}

void CommitPipeline::answered(std::uint64_t id, std::uint64_t sequence, Result<Outcome> result) {
  Item* item = find(id);
  if (item == nullptr || item->state != State::kSent || item->command.sequence != sequence) return;
  --sent_;
  if (!result) {
    failed(*item, result.error());
  } else if (result->kind == Outcome::Kind::kApplied) {
    applied(*item, std::move(*result));
  } else if (result->kind == Outcome::Kind::kGap && result->last_sequence >= sequence) {
    applied(*item, {});  // by an earlier try
  } else if (result->kind == Outcome::Kind::kGap) {
    item->state = State::kWaiting;
    disturbed_ = true;
  } else if (result->kind == Outcome::Kind::kStaleEpoch) {
    item->state = State::kWaiting;  // and applied by an earlier try at most
    return end();
  } else {
    remove(id, std::move(result));
  }
  pump();
}

void CommitPipeline::applied(Item& item, Outcome outcome) {
  item.state = State::kApplied;
  Done<Outcome> done = std::move(item.done);
  while (!items_.empty() && items_.front().state == State::kApplied) {
    items_.pop_front();
    ++last_sequence_;
  }
  done(std::move(outcome));
  if (!idle()) return;
  for (Work& work : std::exchange(idle_waiters_, {})) work();
}

void CommitPipeline::remove(std::uint64_t id, Result<Outcome> result) {
  const auto item = std::ranges::lower_bound(items_, id, {}, &Item::id);
  Done<Outcome> done = std::move(item->done);
  items_.erase(item);
  disturbed_ = true;  // those behind it have numbers one too high
  done(std::move(result));
  if (!idle()) return;
  for (Work& work : std::exchange(idle_waiters_, {})) work();
}

void CommitPipeline::failed(Item& item, const Error& error) {
  if (error.code == Code::kInvalid) return remove(item.id, fail(error));
  item.state = State::kWaiting;
  const bool not_proposed = error.code == Code::kPrecondition || error.code == Code::kUnavailable ||
                            error.code == Code::kExhausted;
  if (!not_proposed) item.maybe_applied = true;
  // The leader is changing: those sent meanwhile would fail too.
  disturbed_ = true;
  retry_at_ = clock_.now() + kRetryInterval;
  loop_.post_at(retry_at_, [self = shared_from_this()] { self->pump(); });
}

CommitPipeline::Item* CommitPipeline::find(std::uint64_t id) {
  const auto item = std::ranges::lower_bound(items_, id, {}, &Item::id);
  return item == items_.end() || item->id != id ? nullptr : &*item;
}

}  // namespace troupe::cluster

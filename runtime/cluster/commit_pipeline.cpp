#include "runtime/cluster/commit_pipeline.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::cluster {

using storage::Outcome;

CommitPipeline::CommitPipeline(std::shared_ptr<actors::Right> right, std::uint64_t last_sequence,
                               Clock& clock, Executor& loop, Propose propose)
    : right_(std::move(right)),
      clock_(clock),
      loop_(loop),
      propose_(std::move(propose)),
      last_sequence_(last_sequence) {}

void CommitPipeline::submit(std::shared_ptr<storage::Entry> entry, Done<Outcome> done) {
  if (ended_) return done(fail(Code::kPrecondition, "this node no longer owns the actor"));
  if (items_.size() >= kLengthMax) {
    return done(fail(Code::kExhausted, "too many turns wait for their commit"));
  }
  items_.push_back({.id = next_id_++, .entry = std::move(entry), .done = std::move(done)});
  if (disturbed_) return pump();
  send(items_.back(), last_sequence_ + items_.size());
}

void CommitPipeline::end() {
  ended_ = true;
  right_->end();
  for (Item& item : std::exchange(items_, {})) {
    if (item.state == State::kApplied || !item.done) continue;
    const bool unknown = item.state == State::kSent || item.maybe_applied;
    item.done(unknown ? fail(Code::kUnknownOutcome, "the owner changed during the commit")
                      : fail(Code::kPrecondition, "this node no longer owns the actor"));
  }
  tell_idle();
}

// Not at once: whoever waits may do anything, and the replica that has just applied is on the
// stack.
void CommitPipeline::tell_idle() {
  if (idle_waiters_.empty()) return;
  for (Work& work : std::exchange(idle_waiters_, {})) loop_.post(std::move(work));
}

void CommitPipeline::when_idle(Work work) {
  if (idle()) return work();
  idle_waiters_.push_back(std::move(work));
}

void CommitPipeline::pump() {
  if (ended_ || !disturbed_ || sent_ > 0 || clock_.now() < retry_at_) return;
  disturbed_ = false;
  keep_numbers();
  // Completions may come at once and change the queue: go by number, not by iterator.
  for (std::size_t i = 0; i < items_.size() && !disturbed_; ++i) {
    if (items_[i].state == State::kWaiting) send(items_[i], last_sequence_ + 1 + i);
  }
}

// Those that may have been applied stay where they were, though some before them are gone.
void CommitPipeline::keep_numbers() {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].maybe_applied) continue;
    const std::uint64_t place = last_sequence_ + 1 + i;
    check(command_of(items_[i]).sequence >= place, "what may be applied never moves back");
    const std::uint64_t missing = command_of(items_[i]).sequence - place;
    for (std::uint64_t n = 0; n < missing; ++n) {
      // The id only keeps the order by which items are found.
      items_.insert(items_.begin() + static_cast<std::ptrdiff_t>(i),
                    Item{.id = 0, .entry = empty_entry(), .done = nullptr});
    }
    i += missing;
  }
  for (Item& item : items_) item.id = next_id_++;
}

std::shared_ptr<storage::Entry> CommitPipeline::empty_entry() const {
  storage::TurnCommand nothing;
  nothing.type = right_->type;
  return std::make_shared<storage::Entry>(WallTime{}, std::move(nothing));
}

void CommitPipeline::send(Item& item, std::uint64_t sequence) {
  item.state = State::kSent;
  ++sent_;
  // An earlier try may still be waiting in a replica, under another number.
  if (item.entry.use_count() > 1) item.entry = std::make_shared<storage::Entry>(*item.entry);
  item.entry->now = clock_.wall();
  command_of(item).epoch = right_->epoch;
  command_of(item).sequence = sequence;
  propose_(right_->shard, ProposedEntry(std::shared_ptr<const storage::Entry>(item.entry)),
           [self = shared_from_this(), id = item.id](Result<Outcome> result) {
             // What is applied comes out of the replica's step. All else may come at once, inside
             // submit(), whose caller may hold what the completion needs.
             if (result && result->kind == Outcome::Kind::kApplied) {
               return self->answered(id, std::move(result));
             }
             self->loop_.post([self, id, result = std::move(result)]() mutable {
               self->answered(id, std::move(result));
             });
           });
}

// Whatever is sent again has another id: an answer that comes late finds nothing.
void CommitPipeline::answered(std::uint64_t id, Result<Outcome> result) {
  Item* item = find(id);
  if (item == nullptr || item->state != State::kSent) return;
  const std::uint64_t sequence = command_of(*item).sequence;
  --sent_;
  if (!result) {
    failed(*item, result.error());
  } else if (result->kind == Outcome::Kind::kApplied) {
    settled(*item, std::move(*result));
  } else if (result->kind == Outcome::Kind::kGap && result->last_sequence >= sequence) {
    settled(*item, std::nullopt);
  } else if (result->kind == Outcome::Kind::kGap) {
    item->state = State::kWaiting;
    disturbed_ = true;
  } else if (result->kind == Outcome::Kind::kStaleEpoch) {
    item->state = State::kWaiting;  // and applied by an earlier try at most
    return end();
  } else {
    refused(*item, std::move(*result));
  }
  pump();
}

// The number is used: by this try, with that outcome, or by an earlier one.
void CommitPipeline::settled(Item& item, std::optional<Outcome> outcome) {
  if (!item.refusal) return applied(item, std::move(outcome).value_or(Outcome{}));
  if (!outcome && item.empty_maybe_applied) {
    return applied(item, fail(Code::kUnknownOutcome, "the leader changed during the commit"));
  }
  // An empty entry took the number, so none of the earlier tries did; or one of those was first.
  Outcome refusal = *std::move(item.refusal);
  applied(item, outcome ? std::move(refusal) : Outcome{});
}

void CommitPipeline::refused(Item& item, Outcome outcome) {
  if (!item.maybe_applied) return remove(item.id, std::move(outcome));
  const std::uint64_t sequence = command_of(item).sequence;
  item.refusal = std::move(outcome);
  item.entry = empty_entry();
  command_of(item).sequence = sequence;
  item.state = State::kWaiting;
  disturbed_ = true;
}

void CommitPipeline::applied(Item& item, Result<Outcome> outcome) {
  item.state = State::kApplied;
  Done<Outcome> done = std::move(item.done);
  while (!items_.empty() && items_.front().state == State::kApplied) {
    items_.pop_front();
    ++last_sequence_;
  }
  if (done) done(std::move(outcome));
  if (idle()) tell_idle();
}

void CommitPipeline::remove(std::uint64_t id, Result<Outcome> result) {
  const auto item = std::ranges::lower_bound(items_, id, {}, &Item::id);
  Done<Outcome> done = std::move(item->done);
  items_.erase(item);
  disturbed_ = !items_.empty();  // those behind it have numbers one too high
  if (done) done(std::move(result));
  if (idle()) tell_idle();
}

void CommitPipeline::failed(Item& item, const Error& error) {
  if (error.code == Code::kInvalid) return remove(item.id, fail(error));
  item.state = State::kWaiting;
  const bool not_proposed = error.code == Code::kPrecondition || error.code == Code::kUnavailable ||
                            error.code == Code::kExhausted;
  if (!not_proposed) {
    item.maybe_applied = true;
    item.empty_maybe_applied = item.refusal.has_value();
  }
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

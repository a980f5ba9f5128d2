#include "storage/shard/recorded_calls.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace troupe::storage {
namespace {

// Void entries of the heap, beyond as many as count, before they are thrown out.
constexpr std::size_t kVoidMin = 1024;
// What a mark counts for.
constexpr std::size_t kMarkBytes = 128;

}  // namespace

std::size_t RecordedCalls::CallerHash::operator()(const CallerId& id) const noexcept {
  return std::hash<NodeId>()(id.origin) ^ (id.generation.value * 0x9e3779b97f4a7c15U);
}

bool RecordedCalls::contains(const CallId& id) const {
  const auto caller = callers_.find(caller_of(id));
  return caller != callers_.end() && caller->second.calls.contains(id.sequence);
}

bool RecordedCalls::done(const CallId& id) const {
  const auto caller = callers_.find(caller_of(id));
  return caller != callers_.end() && id.sequence < caller->second.mark.below;
}

void RecordedCalls::record(const CallId& id, WallTime keep_until, std::size_t bytes) {
  auto& calls = callers_[caller_of(id)].calls;
  // Most are the caller's latest.
  calls.emplace_hint(calls.end(), id.sequence, Recorded{.keep_until = keep_until, .bytes = bytes});
  ++calls_;
  bytes_ += bytes;
  push({.keep_until = keep_until, .id = id});
}

void RecordedCalls::set_mark(const CallId& caller, const DoneCalls& mark) {
  DoneCalls& known = callers_[caller_of(caller)].mark;
  const bool first = known.below == 0;
  known = mark;
  if (!first) return;  // its entry of the heap moves on when its time has come
  ++marks_;
  bytes_ += kMarkBytes;
  push({.keep_until = mark.keep_until,
        .id = {.origin = caller.origin, .generation = caller.generation},
        .mark = true});
}

std::optional<RecordedCalls::Done> RecordedCalls::drop_below(const CallId& id, std::uint64_t below,
                                                             std::size_t count_max) {
  const auto found = callers_.find(caller_of(id));
  if (found == callers_.end()) return std::nullopt;
  Caller& caller = found->second;
  Done done{.dropped = {}, .mark = caller.mark};
  auto each = caller.calls.begin();
  for (; each != caller.calls.end() && each->first < below; each = caller.calls.erase(each)) {
    if (done.dropped.size() == count_max) break;
    done.dropped.push_back(
        {.origin = id.origin, .generation = id.generation, .sequence = each->first});
    done.mark.keep_until = std::max(done.mark.keep_until, each->second.keep_until);
    --calls_;
    bytes_ -= each->second.bytes;
  }
  if (done.dropped.empty()) return std::nullopt;
  const bool rest = each != caller.calls.end() && each->first < below;
  done.mark.below = std::max(done.mark.below, rest ? each->first : below);
  set_mark(id, done.mark);
  drop_void();
  return done;
}

std::optional<RecordedCalls::Expired> RecordedCalls::take_expired(WallTime now) {
  while (!expiring_.empty() && expiring_.front().keep_until <= now) {
    std::ranges::pop_heap(expiring_, std::greater());
    const Expiry expiry = expiring_.back();
    expiring_.pop_back();
    const auto caller = callers_.find(caller_of(expiry.id));
    if (caller == callers_.end()) continue;
    if (!counts(expiry)) {
      if (expiry.mark) push({caller->second.mark.keep_until, expiry.id, true});
      continue;
    }
    forget(caller, expiry);
    return Expired{.id = expiry.id, .mark = expiry.mark};
  }
  return std::nullopt;
}

bool RecordedCalls::counts(const Expiry& expiry) const {
  const auto caller = callers_.find(caller_of(expiry.id));
  if (caller == callers_.end()) return false;
  if (expiry.mark) return caller->second.mark.keep_until == expiry.keep_until;
  const auto call = caller->second.calls.find(expiry.id.sequence);
  return call != caller->second.calls.end() && call->second.keep_until == expiry.keep_until;
}

void RecordedCalls::forget(Callers::iterator caller, const Expiry& expiry) {
  auto& [mark, calls] = caller->second;
  if (expiry.mark) {
    mark = {};
    --marks_;
    bytes_ -= kMarkBytes;
  } else {
    const auto call = calls.find(expiry.id.sequence);
    --calls_;
    bytes_ -= call->second.bytes;
    calls.erase(call);
  }
  if (calls.empty() && mark.below == 0) callers_.erase(caller);
}

void RecordedCalls::push(const Expiry& expiry) {
  expiring_.push_back(expiry);
  std::ranges::push_heap(expiring_, std::greater());
}

void RecordedCalls::drop_void() {
  if (expiring_.size() < 2 * rows() + kVoidMin) return;
  std::erase_if(expiring_, [&](const Expiry& each) { return !each.mark && !counts(each); });
  std::ranges::make_heap(expiring_, std::greater());
}

}  // namespace troupe::storage

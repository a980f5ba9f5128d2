#include "actors/reminders/reminder_wheel.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "actors/reminders/handle_index.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

WheelTick tick_of(WallTime due) {
  const auto since = std::chrono::ceil<milliseconds>(due).time_since_epoch().count();
  return static_cast<WheelTick>(std::max<std::int64_t>(since, 0));
}

WallTime time_of(WheelTick tick) { return WallTime(milliseconds(static_cast<std::int64_t>(tick))); }

}  // namespace

/// The reminders of one shard.
class ReminderWheel::Shard {
 public:
  explicit Shard(Epoch epoch) : epoch_(epoch) {}

  Epoch epoch() const { return epoch_; }
  std::size_t waiting() const { return wheel_.size(); }
  std::size_t out() const { return out_.size(); }

  // Not waiting and not out any more. True if it was out.
  bool forget(Registration registration) {
    const WheelHandle handle = index_.find(wheel_, registration);
    if (handle != HandleIndex::kNone) {
      index_.erase(wheel_, registration);
      wheel_.cancel(handle);
    }
    return out_.erase(registration) > 0;
  }

  void wait(Registration registration, WallTime due) {
    index_.insert(wheel_, wheel_.insert(tick_of(due), registration));
  }

  bool is_out(Registration registration) const { return out_.contains(registration); }

  std::optional<DueReminder> take(ShardId shard, WallTime now) {
    const auto elapsed = std::chrono::floor<milliseconds>(now).time_since_epoch().count();
    if (elapsed < 0) return std::nullopt;
    const auto handle = wheel_.first(static_cast<WheelTick>(elapsed));
    if (!handle) return std::nullopt;
    const Registration registration = wheel_.value(*handle);
    const WallTime due = time_of(wheel_.due(*handle));
    index_.erase(wheel_, registration);
    wheel_.cancel(*handle);
    out_.insert(registration);
    return DueReminder{.shard = shard, .epoch = epoch_, .registration = registration, .due = due};
  }

  std::optional<WallTime> next_wake() const {
    const auto tick = wheel_.next_wake();
    if (!tick) return std::nullopt;
    return time_of(*tick);
  }

  std::size_t bytes() const {
    constexpr std::size_t kSetNode = 48;
    return sizeof(*this) + wheel_.bytes() + index_.bytes() + out_.size() * kSetNode;
  }

 private:
  Epoch epoch_;
  TimerWheel<Registration> wheel_;
  HandleIndex index_;
  std::set<Registration> out_;
};

ReminderWheel::ReminderWheel(ReminderWheelOptions options) : options_(options) {}
ReminderWheel::~ReminderWheel() = default;

void ReminderWheel::own(ShardId shard, Epoch epoch) {
  auto& entry = shards_[shard];
  if (entry && entry->epoch() >= epoch) return;
  if (entry) out_ -= entry->out();
  entry = std::make_unique<Shard>(epoch);
}

void ReminderWheel::lose(ShardId shard, Epoch epoch) {
  const Shard* lost = find(shard, epoch);
  if (lost == nullptr) return;
  out_ -= lost->out();
  shards_.erase(shard);
}

void ReminderWheel::arm(ShardId shard, Epoch epoch, Registration registration, WallTime due) {
  Shard* owned = find(shard, epoch);
  if (owned == nullptr) return;
  if (owned->forget(registration)) --out_;
  owned->wait(registration, due);
}

void ReminderWheel::remove(ShardId shard, Epoch epoch, Registration registration) {
  Shard* owned = find(shard, epoch);
  if (owned != nullptr && owned->forget(registration)) --out_;
}

void ReminderWheel::retry(ShardId shard, Epoch epoch, Registration registration, WallTime at) {
  const Shard* owned = find(shard, epoch);
  if (owned != nullptr && owned->is_out(registration)) arm(shard, epoch, registration, at);
}

std::vector<DueReminder> ReminderWheel::take_due(WallTime now, std::size_t most) {
  std::vector<DueReminder> due;
  // The shards that may have more, in the order of their turns.
  std::vector<std::pair<ShardId, Shard*>> round;
  round.reserve(shards_.size());
  const auto first = shards_.lower_bound(turn_);
  for (auto it = first; it != shards_.end(); ++it) round.emplace_back(it->first, it->second.get());
  for (auto it = shards_.begin(); it != first; ++it)
    round.emplace_back(it->first, it->second.get());
  while (!round.empty()) {
    std::vector<std::pair<ShardId, Shard*>> next_round;
    for (const auto& [id, shard] : round) {
      if (due.size() >= most || out_ >= options_.in_flight_max) {
        turn_ = id;
        return due;
      }
      if (shard->out() >= options_.in_flight_per_shard_max) continue;
      const auto taken = shard->take(id, now);
      if (!taken) continue;
      ++out_;
      due.push_back(*taken);
      next_round.emplace_back(id, shard);
    }
    round = std::move(next_round);
  }
  return due;
}

std::optional<WallTime> ReminderWheel::next_wake() const {
  if (out_ >= options_.in_flight_max) return std::nullopt;
  std::optional<WallTime> soonest;
  for (const auto& [id, shard] : shards_) {
    if (shard->out() >= options_.in_flight_per_shard_max) continue;
    const auto wake = shard->next_wake();
    if (wake && (!soonest || *wake < *soonest)) soonest = wake;
  }
  return soonest;
}

std::size_t ReminderWheel::waiting() const {
  std::size_t count = 0;
  for (const auto& [id, shard] : shards_) count += shard->waiting();
  return count;
}

std::size_t ReminderWheel::bytes() const {
  std::size_t sum = sizeof(*this);
  for (const auto& [id, shard] : shards_) sum += shard->bytes();
  return sum;
}

ReminderWheel::Shard* ReminderWheel::find(ShardId shard, Epoch epoch) {
  const auto found = shards_.find(shard);
  const bool current = found != shards_.end() && found->second->epoch() == epoch;
  return current ? found->second.get() : nullptr;
}

}  // namespace troupe

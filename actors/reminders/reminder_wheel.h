#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/reminders/reminder_record.h"
#include "actors/timers/timer_wheel.h"
#include "runtime/base/ids.h"
#include <troupe/time.h>

namespace troupe {

struct ReminderWheelOptions {
  /// Ticks out at a time, over all shards. More hide longer turns; fewer keep a flood of overdue
  /// ticks from crowding out calls.
  std::size_t in_flight_max = 4096;
  /// And of one shard, so that one with slow actors leaves room for the rest.
  std::size_t in_flight_per_shard_max = 1024;
};

/// A reminder whose time has come: read its record, judge() it, fire its tick.
struct DueReminder {
  ShardId shard;
  Epoch epoch;
  Registration registration;
  WallTime due{};

  friend bool operator==(const DueReminder&, const DueReminder&) = default;
};

/// Says which reminders of the shards this node serves are due. Knows of each only its
/// registration and its time (about 40 bytes); the rest is read from the shard when due.
///
/// Each reminder is waiting, or out: returned by take_due() and neither rearmed nor removed since.
/// A reminder that is out is not returned again. All shards have their turn, one reminder each.
///
///     add / rearm ──→ waiting ──take_due──→ out ──rearm / retry──→ waiting
///                                            └────────remove────→ gone
///
/// Follows the wall clock in whole milliseconds and returns nothing before its time. When the clock
/// is put back by less than a second, nothing is due until it has caught up; by more, the wheel is
/// built anew. When it is put forward, what has become due is due.
///
/// What is said under an epoch other than the current one of its shard is ignored. No I/O. Not
/// thread-safe.
class ReminderWheel {
 public:
  explicit ReminderWheel(ReminderWheelOptions options = {});
  ~ReminderWheel();
  ReminderWheel(const ReminderWheel&) = delete;
  ReminderWheel& operator=(const ReminderWheel&) = delete;

  /// This node serves the shard from now on, with no reminders until they are added. A newer epoch
  /// forgets everything known under the one before; an older or equal one is ignored.
  void own(ShardId shard, Epoch epoch);
  /// And no longer.
  void lose(ShardId shard, Epoch epoch);

  /// A reminder waits for `due`: it was loaded, registered, or its tick was committed. Replaces
  /// what was known of it; ends its being out.
  void arm(ShardId shard, Epoch epoch, Registration registration, WallTime due);

  /// It is no more: deleted, replaced by a new registration, over, or paused.
  void remove(ShardId shard, Epoch epoch, Registration registration);

  /// It is out, but its tick could not be sent or its outcome is not known; once more at `at`.
  /// Ignored when it is not out.
  void retry(ShardId shard, Epoch epoch, Registration registration, WallTime at);

  /// What is due at `now`, the earliest of each shard first, at most `most` and as many as the
  /// windows allow.
  std::vector<DueReminder> take_due(WallTime now, std::size_t most);

  /// When to call take_due() next: it may then have nothing yet. None: not before something else is
  /// said. Ask the wall clock at least every second until then, since it may be put forward.
  std::optional<WallTime> next_wake() const;

  std::size_t waiting() const;
  std::size_t out() const { return out_; }
  /// Memory held.
  std::size_t bytes() const;

 private:
  class Shard;

  Shard* find(ShardId shard, Epoch epoch);

  ReminderWheelOptions options_;
  std::map<ShardId, std::unique_ptr<Shard>> shards_;
  ShardId turn_;  // of the shard that comes first in the next round
  std::size_t out_ = 0;
};

}  // namespace troupe

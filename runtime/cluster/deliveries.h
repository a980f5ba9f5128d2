#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/activation/scheduler.h"
#include "actors/directory/router.h"
#include "actors/turns/outbox_message.h"
#include "runtime/base/log.h"
#include "runtime/cluster/replicas.h"
#include "storage/shard/rows.h"

namespace troupe::cluster {

struct DeliveriesOptions {
  /// Ticks and messages out at a time, of one shard. More hide longer turns.
  std::size_t in_flight_per_shard = 256;
  /// And over all shards, so that overdue work after an outage leaves room for calls.
  std::size_t in_flight = 4096;
  Duration turn_patience = std::chrono::seconds(60);
  /// After a delivery that failed for reasons other than the actor's: no owner, no host.
  Duration retry_interval = std::chrono::seconds(1);
  /// Consumed numbers are reported together.
  Duration done_interval = std::chrono::milliseconds(5);
  Duration watermark_interval = std::chrono::seconds(10);
  /// Between two looks at whether the calendar was set ahead, by so much or more: what is due by
  /// the new one comes so late at most.
  Duration calendar_interval = std::chrono::seconds(1);
  Duration calendar_step = std::chrono::milliseconds(10);
};

/// Sends what the shards led by this node owe to actors: due reminders, as ticks, and the messages
/// of their outboxes.
///
/// Nothing is lost with it: what is due and what is unsent stands in the shard until an entry says
/// otherwise, and a new leader starts from there. Belongs to the node loop.
class Deliveries {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Replicas& replicas;
    actors::Router& router;
    Log log;
    /// Of the actors that ticks and messages wake: many at a time. May be null.
    actors::Scheduler* scheduler = nullptr;
  };

  Deliveries(DeliveriesOptions options, Dependencies dependencies);
  ~Deliveries() { *alive_ = false; }

  /// This node leads the shard now, or no longer.
  void lead(ShardId shard);
  void stop_leading(ShardId shard);
  /// An entry of a led shard was applied.
  void applied(ShardId shard, const storage::Entry& entry);
  void stop();

  /// Until then no message begins its way, and none is reported as consumed, from any shard led
  /// here now or later: so that cuts through several shards fit (backups.h). Ticks go on.
  void hold_messages(Time until);
  /// No longer.
  void release_messages();

  std::uint64_t ticks_fired() const { return ticks_fired_; }
  std::size_t in_flight() const { return in_flight_; }

 private:
  /// A tick on its way. The loop owns it, and whoever answers reads `over`.
  struct Flight {
    std::uint64_t registration = 0;
    std::uint64_t number = 0;
    std::atomic<bool> over = false;  // its entry is applied: its answer says nothing new
  };
  struct Tick {
    Time not_before = Time::max();   // to be sent again then; Time::max(): it is on its way
    std::shared_ptr<Flight> flight;  // null: it is not
  };
  /// What is sent to one target shard.
  struct Target {
    std::uint64_t next = 1;  // to be sent
    std::set<std::uint64_t> out;
    /// Of `out`, by receiver and in order: only the first is on its way, the next when it is done.
    std::map<ActorKey, std::deque<std::uint64_t>> queues;
    std::vector<std::uint64_t> done;
    bool report_planned = false;
  };
  struct Led {
    storage::ReplicaKeys keys;
    std::uint64_t session = 0;                       // tells completions of an earlier reign apart
    WallTime from{};                                 // nothing unconsumed is due before
    std::unordered_map<std::string, Tick> out = {};  // by the reminder's key; never iterated
    std::map<ShardId, Target> targets = {};
    std::size_t in_flight = 0;
    bool scan_planned = false;
    bool look_for_due = true;  // the next scan looks for reminders, not only for messages
    bool more_due = false;     // than the last scan could send
    bool held_back = false;    // by the limit over all shards: goes on when it is told to
    Time wake_at = Time::max();
    Time watermark_at{};
  };

  void watch_calendar();
  void plan_scan(ShardId shard);
  void plan_scan_for_due(ShardId shard, Led& led);
  void run_scans();
  bool full(ShardId shard, Led& led);
  std::size_t room_for(ShardId shard, Led& led);
  void freed();
  void wake_at(ShardId shard, Time when);
  void scan(ShardId shard);
  void scan_reminders(Replica& replica, Led& led);
  void cannot_read(const Replica& replica, const Error& error);
  void fire(ShardId shard, Led& led, Tick& tick, const std::string& key, storage::ReminderRow row);
  void tick_applied(ShardId shard, Led& led, const storage::TurnCommand& turn);
  void tick_answered(ShardId shard, std::uint64_t session, const std::string& key,
                     const Flight& flight, bool delivered);
  void tick_over(ShardId shard, Led& led);
  void scan_outbox(Replica& replica, Led& led);
  void queue(const Replica& replica, Led& led, ShardId target, const storage::OutboxRow& row);
  void send(const Replica& replica, Led& led, ShardId target, const storage::OutboxRow& row,
            actors::OutboxMessage message);
  void send_first(ShardId shard, std::uint64_t session, ShardId target, const ActorKey& to);
  void message_done(ShardId shard, std::uint64_t session, ShardId target, const ActorKey& to,
                    bool delivered);
  void message_over(ShardId shard, Led& led, ShardId target, std::uint64_t number);
  bool holds_messages() const { return deps_.clock.now() < held_until_; }
  void once_released(Work work);
  void report(ShardId shard, ShardId target);
  void plan_report(ShardId shard, ShardId target, Duration delay);
  void move_watermark(Replica& replica, Led& led);
  Led* find(ShardId shard, std::uint64_t session);

  DeliveriesOptions options_;
  Dependencies deps_;
  Duration calendar_;  // less the clock
  std::map<ShardId, Led> led_;
  std::uint64_t next_session_ = 1;
  std::uint64_t ticks_fired_ = 0;
  std::size_t in_flight_ = 0;
  Time held_until_{};
  std::vector<Work> held_;                                  // what would have been done since
  std::deque<ShardId> held_back_;                           // first held back, first to go on
  std::vector<std::pair<ShardId, std::uint64_t>> planned_;  // scans, with their sessions
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace troupe::cluster

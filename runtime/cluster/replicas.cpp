#include "runtime/cluster/replicas.h"

#include <optional>
#include <utility>

#include "storage/replica_log.h"

namespace troupe::cluster {
namespace {

// Effects reach the disk a few times a second: what changes oftener is written once. A restart
// applies that much of each log again.
constexpr int kTicksPerSettling = 4;

using Waiters = std::vector<std::pair<storage::Ticket, Work>>;

// Those that wait for no more than `reached`.
void run_waiters(Waiters& all, storage::Ticket reached) {
  for (auto& [ticket, work] : std::exchange(all, {})) {
    if (ticket <= reached) {
      work();
    } else {
      all.emplace_back(ticket, std::move(work));
    }
  }
}

}  // namespace

Replicas::Replicas(ReplicasOptions options, Dependencies dependencies, ReplicasListener& listener)
    : options_(options), deps_(std::move(dependencies)), listener_(listener) {
  writer_ = std::make_unique<storage::GroupWriter>(
      deps_.disk, storage::GroupWriter::Options{},
      storage::GroupWriter::Hooks{
          .progress = [this](storage::GroupWriter::Progress progress) { progressed(progress); },
          .settling =
              [this] {
                for (const auto& [shard, replica] : replicas_) replica->settle();
              },
          .failed = [this](const Error& error) { deps_.fatal(error); }});
  sender_ = std::make_unique<SnapshotSender>(
      options_.sender,
      SnapshotSender::Dependencies{.clock = deps_.clock,
                                   .loop = deps_.loop,
                                   .random = deps_.random,
                                   .rpc = deps_.rpc,
                                   .disk = deps_.disk,
                                   .log = deps_.log,
                                   .metrics = snapshots_,
                                   .find = [this](ShardId shard) { return find(shard); },
                                   .wake = [this](ShardId shard) { wake(shard); },
                                   .fatal = deps_.fatal});
  receiver_ =
      std::make_unique<SnapshotReceiver>(options_.receiver, *writer_, snapshots_, deps_.log);
  deps_.rpc.serve(Service::kSnapshot, [this](NodeId from, const std::string& body,
                                             Time /*deadline*/, Done<std::string> respond) {
    receive_chunk(from, body, std::move(respond));
  });
}

Replicas::~Replicas() { *alive_ = false; }

void Replicas::when_durable(Work work) {
  durable_waiters_.emplace_back(writer_->current(), std::move(work));
  writer_->must_sync();
  schedule_run();
}

void Replicas::when_written(Work work) {
  const storage::Ticket last = writer_->current() - (writer_->pending().empty() ? 1 : 0);
  if (last <= writer_->progress().written) return work();
  written_waiters_.emplace_back(last, std::move(work));
  schedule_run();
}

Result<void> Replicas::load() {
  Result<std::vector<storage::ReplicaKeys>> current = storage::current_replicas(*writer_);
  if (!current) return fail(current.error());
  for (const storage::ReplicaKeys& keys : *current) {
    Result<raft::Restored> restored = restore_replica(*writer_, keys);
    if (!restored) return fail(restored.error());
    const Result<bool> left_over = storage::has_rows(*writer_, keys.other_side());
    if (!left_over) return fail(left_over.error());
    // Of a snapshot that was not whole when this node went down.
    if (*left_over) storage::drop_rows(writer_->pending(), keys.other_side());
    open(keys, std::move(*restored));
  }
  return {};
}

void Replicas::found(const std::map<ShardId, raft::Configuration>& groups) {
  for (const auto& [shard, configuration] : groups) {
    const raft::Member* self = configuration.on(options_.self);
    if (self == nullptr || find(shard) != nullptr) continue;
    const storage::ReplicaKeys keys(shard, self->address.replica);
    found_replica(writer_->pending(), keys, configuration);
    writer_->must_sync();
    raft::Restored restored;
    restored.hard_state.term = 1;
    restored.log_start = {.index = 1, .term = 1, .configuration = configuration};
    restored.applied = 1;
    open(keys, std::move(restored));
    // The first of the ring need not wait to be sure that there is no leader yet.
    if (configuration.members.front().address.node == options_.self) {
      find(shard)->raft().campaign_now(deps_.clock.now());
    }
  }
  schedule_run();
}

void Replicas::open(storage::ReplicaKeys keys, raft::Restored restored) {
  std::unique_ptr<StateMachine> machine;
  if (keys.shard() == kMetaShard) {
    machine = std::make_unique<MetaStateMachine>(keys, *writer_);
  } else {
    machine = std::make_unique<ShardStateMachine>(keys, options_.shard_count, *writer_);
  }
  const Result<void> loaded = machine->load(keys);
  if (!loaded) return deps_.fatal(loaded.error());
  raft::RaftOptions raft = options_.raft;
  raft.self = {.node = options_.self, .replica = keys.replica()};
  // Alone, there is nobody to disturb by an election.
  const bool alone = restored.log_start.configuration.voters() == 1 &&
                     restored.log_start.configuration.votes(raft.self) && restored.entries.empty();
  auto replica = std::make_unique<Replica>(Replica::Parts{.keys = keys,
                                                          .options = raft,
                                                          .restored = std::move(restored),
                                                          .machine = std::move(machine)},
                                           *writer_, deps_.random,
                                           static_cast<ReplicaEvents&>(*this), deps_.clock.now());
  if (alone) replica->raft().campaign_now(deps_.clock.now());
  const std::size_t place = place_of(keys.shard());
  if (place >= slots_.size()) slots_.resize(place + 1);
  slots_[place].replica = replica.get();
  wake(*replica);
  replicas_[keys.shard()] = std::move(replica);
}

void Replicas::start() {
  started_ = true;
  for (const auto& [shard, replica] : replicas_) {
    if (replica->raft().configuration().voters() == 1) {
      replica->raft().campaign_now(deps_.clock.now());
      wake(*replica);
    }
  }
  tick();
}

void Replicas::stop() {
  started_ = false;
  *alive_ = false;
  sender_->stop();
  for (const auto& [shard, replica] : replicas_) replica->abandon();
}

void Replicas::propose(ShardId shard, ProposedEntry entry, Done<storage::Outcome> done) {
  Replica* replica = find(shard);
  if (replica == nullptr) {
    return done(fail(Code::kPrecondition,
                     "this node holds no replica of shard " + std::to_string(shard.value)));
  }
  replica->propose(deps_.clock.now(), std::move(entry), std::move(done));
  wake(*replica);
}

void Replicas::received(NodeId /*from*/, const RaftFrame& frame) {
  const Time now = deps_.clock.now();
  for (const RaftFrame::Item& item : frame.items) {
    if (item.message.to.node != options_.self) continue;
    Replica* replica = replica_for(item.message.to, item.shard);
    if (replica == nullptr) continue;
    replica->raft().receive(now, item.message);
    wake(*replica);
  }
}

// The replica that a message is for. A leader that speaks to a replica id this node has never seen
// has added it to its group.
Replica* Replicas::replica_for(const raft::Address& to, ShardId shard) {
  Replica* replica = find(shard);
  if (replica != nullptr && replica->keys().replica() == to.replica) return replica;
  if (replica != nullptr && to.replica < replica->keys().replica()) return nullptr;
  if (shard != kMetaShard && shard.value >= options_.shard_count) return nullptr;
  const storage::ReplicaKeys keys(shard, to.replica);
  const Result<bool> removed = storage::has_tombstone(*writer_, keys);
  if (!removed || *removed) return nullptr;
  if (replica != nullptr) drop(shard, true);
  deps_.log.info("begins a replica", {{"shard", shard.value}, {"replica", to.replica.value}});
  storage::put_current(writer_->pending(), keys);
  storage::put_hard_state(writer_->pending(), keys, {});
  storage::put_log_start(writer_->pending(), keys, {});
  storage::put_applied(writer_->pending(), keys, 0);
  writer_->must_sync();
  open(keys, {});
  return find(shard);
}

void Replicas::drop(ShardId shard, bool tombstone) {
  const auto found = replicas_.find(shard);
  if (found == replicas_.end()) return;
  const storage::ReplicaKeys keys = found->second->keys();
  found->second->abandon();
  slots_[place_of(shard)].replica = nullptr;
  replicas_.erase(found);
  sender_->dropped(shard);
  receiver_->dropped(shard);
  listener_.dropped(shard);
  if (tombstone) storage::put_tombstone(writer_->pending(), keys);
  storage::erase_current(writer_->pending(), shard);
  // Or what is gathered of it would come after it is gone.
  for (const storage::KeyRange& range : keys.all()) writer_->settle(range);
  storage::drop_replica(writer_->pending(), keys);
  writer_->must_sync();
  schedule_run();
}

void Replicas::retire(ShardId shard, ReplicaId replica) {
  const Replica* present = find(shard);
  if (present == nullptr || present->keys().replica() != replica) return;
  deps_.log.info("drops a replica", {{"shard", shard.value}, {"replica", replica.value}});
  drop(shard, true);
}

void Replicas::disconnected(NodeId peer) {
  for (const auto& [shard, replica] : replicas_) {
    if (replica->raft().standing().leader.node != peer) continue;
    replica->raft().campaign_now(deps_.clock.now());
    wake(*replica);
  }
}

void Replicas::wake(ShardId shard) {
  if (Replica* replica = find(shard)) wake(*replica);
}

void Replicas::wake(Replica& replica) {
  if (std::exchange(slots_[place_of(replica.shard())].awake, true)) return;
  awake_.push_back(replica.shard());
  schedule_run();
}

void Replicas::schedule_run() {
  if (run_scheduled_) return;
  run_scheduled_ = true;
  deps_.loop.post([this, alive = alive_] {
    if (*alive) run();
  });
}

// One turn: everything that happened to the replicas since the last one, in one batch and one frame
// for each peer.
void Replicas::run() {
  run_scheduled_ = false;
  const Time now = deps_.clock.now();
  listener_.stepping();
  while (!awake_.empty()) {
    const ShardId shard = awake_.front();
    const std::size_t place = place_of(shard);
    awake_.pop_front();
    slots_[place].awake = false;
    Replica* const replica = slots_[place].replica;
    if (replica == nullptr) continue;
    replica->step(now);
    if (!slots_[place].ticking && !replica->alone()) {
      slots_[place].ticking = true;
      ticking_.insert(shard);
      // It was slow while there was nobody to hear from.
      if (started_ && ticking_.size() == 1) plan_tick(now + options_.tick_interval);
    }
  }
  flush_frames();
  writer_->flush();
  listener_.stepped();
}

void Replicas::tick() {
  if (!started_) return;
  const Time now = deps_.clock.now();
  for (auto each = ticking_.begin(); each != ticking_.end();) {
    Replica* replica = find(*each);
    if (replica == nullptr || replica->alone()) {
      slots_[place_of(*each)].ticking = false;
      each = ticking_.erase(each);
      continue;
    }
    replica->raft().tick(now);
    if (!replica->idle()) wake(*replica);
    ++each;
  }
  const bool settles = now >= settle_at_;
  if (settles) {
    settle_at_ = now + kTicksPerSettling * options_.tick_interval;
    writer_->settle();
    sender_->look_after(now);
    receiver_->look_after(now);
  }
  // Leases are looked at as often as effects are written, even if nothing happens.
  if (settles || !awake_.empty()) schedule_run();
  plan_tick(ticking_.empty() ? settle_at_ : now + options_.tick_interval);
}

// The last one planned.
void Replicas::plan_tick(Time when) {
  deps_.loop.post_at(when, [this, alive = alive_, number = ++tick_planned_] {
    if (*alive && number == tick_planned_) tick();
  });
}

void Replicas::progressed(storage::GroupWriter::Progress progress) {
  if (!*alive_) return;
  // First the replicas: whoever waits may want to ask those that lead from now on.
  const Time now = deps_.clock.now();
  for (; !writes_.empty() && writes_.front().batch <= progress.durable; writes_.pop_front()) {
    const Write& write = writes_.front();
    Replica* replica = find(write.shard);
    if (replica == nullptr || replica->keys().replica() != write.replica) continue;
    replica->durable(now, write.ticket);
    wake(*replica);
  }
  run_waiters(durable_waiters_, progress.durable);
  run_waiters(written_waiters_, progress.written);
  schedule_run();
}

void Replicas::flush_frames() {
  for (auto& [node, frame] : std::exchange(outgoing_, {})) {
    // Raft repeats what is lost.
    static_cast<void>(deps_.network.send(node, Lane::kControl, frame.take()));
  }
}

void Replicas::send(ShardId shard, const raft::Message& message) {
  outgoing_[message.to.node].add(shard, message);
}

void Replicas::wrote(ShardId shard, std::uint64_t ticket) {
  writes_.push_back({.batch = writer_->current(),
                     .shard = shard,
                     .replica = find(shard)->keys().replica(),
                     .ticket = ticket});
}

void Replicas::standing_changed(ShardId shard) { listener_.standing_changed(*find(shard)); }

void Replicas::applied(ShardId shard, const storage::Entry* entry,
                       const storage::Outcome& outcome) {
  listener_.applied(*find(shard), entry, outcome);
}

void Replicas::reconfigured(ShardId shard) { listener_.reconfigured(*find(shard)); }

void Replicas::send_snapshot(ShardId shard, const raft::SendSnapshot& request) {
  sender_->send(shard, request.to);
}

void Replicas::receive_chunk(NodeId from, std::string_view body, Done<std::string> respond) {
  Result<SnapshotChunk> chunk = decode_snapshot_chunk(body);
  if (!chunk) return respond(fail(chunk.error()));
  Replica* replica = replica_for({.node = options_.self, .replica = chunk->replica}, chunk->shard);
  if (replica == nullptr) {
    return respond(fail(Code::kPrecondition, "this node holds no such replica"));
  }
  const storage::ReplicaKeys keys = replica->keys();
  const Result<SnapshotReceiver::Taken> taken =
      receiver_->receive(deps_.clock.now(), from, *chunk,
                         {.keys = keys,
                          .term = replica->raft().term(),
                          .committed = replica->raft().committed(),
                          .installing = replica->installing()});
  schedule_run();
  if (!taken) return respond(fail(taken.error()));
  if (*taken == SnapshotReceiver::Taken::kWhole) {
    if (!replica->install(deps_.clock.now(), std::move(chunk->start))) {
      storage::drop_rows(writer_->pending(), keys.other_side());
    }
    wake(*replica);
  }
  // So that the sender is no faster than this disk.
  when_written([respond = std::move(respond)]() mutable { respond(std::string()); });
}

void Replicas::broken(ShardId shard, const Error& error) {
  deps_.fatal({.code = error.code,
               .message = "shard " + std::to_string(shard.value) + ": " + error.message});
}

}  // namespace troupe::cluster

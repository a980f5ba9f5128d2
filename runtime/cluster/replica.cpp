#include "runtime/cluster/replica.h"

#include <algorithm>
#include <utility>

#include "storage/replica_log.h"

namespace troupe::cluster {
namespace {

// A log beyond the first two is cut, but for its end.
struct LogBounds {
  std::uint64_t entries_max;
  std::size_t bytes_max;
  std::uint64_t entries_kept;
  std::size_t bytes_kept;

  bool within(std::uint64_t entries, std::size_t bytes) const {
    return entries <= entries_max && bytes <= bytes_max;
  }
};

// A node has hundreds of logs, in memory and on its disk. Alone, only a restart reads them, and
// most entries go before RocksDB puts them into a file.
constexpr LogBounds kAlone{
    .entries_max = 64, .bytes_max = 64U << 10U, .entries_kept = 0, .bytes_kept = 0};
// Followers a little behind need no snapshot.
constexpr LogBounds kFollowed{
    .entries_max = 2000, .bytes_max = 256U << 10U, .entries_kept = 500, .bytes_kept = 64U << 10U};
// For one that is sent a snapshot, which may be large: few logs at a time are held so.
constexpr LogBounds kHeld{.entries_max = 100'000,
                          .bytes_max = 32U << 20U,
                          .entries_kept = 50'000,
                          .bytes_kept = 32U << 20U};
// One that needs a snapshot will then need what was applied since.
constexpr LogBounds kCatchingUp{
    .entries_max = 2000, .bytes_max = 8U << 20U, .entries_kept = 500, .bytes_kept = 8U << 20U};

}  // namespace

Replica::Replica(Parts parts, storage::GroupWriter& writer, Random& random, ReplicaEvents& events,
                 Time now)
    : keys_(parts.keys),
      machine_(std::move(parts.machine)),
      writer_(writer),
      events_(events),
      raft_(parts.options, parts.restored, random, now),
      applied_(parts.restored.applied),
      settled_(applied_),
      log_first_(parts.restored.log_start.index + 1),
      log_last_(parts.restored.log_start.index + parts.restored.entries.size()) {}

void Replica::propose(Time now, ProposedEntry entry, Done<storage::Outcome> done) {
  if (writer_.full()) {
    return done(fail(Code::kExhausted,
                     "shard " + std::to_string(shard().value) + " waits for its disk; try again"));
  }
  const Result<raft::Index> index = raft_.propose(now, std::move(entry.bytes));
  if (!index) return done(fail(index.error()));
  // Leads again, and its log was cut back meanwhile.
  if (!waiting_.empty() && waiting_.back().index >= *index) fail_waiting();
  waiting_.push_back({.index = *index,
                      .term = raft_.term(),
                      .entry = std::move(entry.entry),
                      .done = std::move(done)});
}

void Replica::read(Time now, Done<void> done) {
  const std::uint64_t context = next_read_++;
  const Result<void> asked = raft_.read_index(now, context);
  if (!asked) return done(fail(asked.error()));
  asked_reads_.emplace(context, std::move(done));
}

bool Replica::install(Time now, raft::LogStart start) {
  if (installing_ || !raft_.snapshot_installed(now, std::move(start))) return false;
  installing_ = true;
  return true;
}

void Replica::step(Time /*now*/) {
  while (!idle()) {
    raft::Ready ready = raft_.take_ready();
    if (ready.empty()) break;
    if (ready.lost_leadership) fail_waiting();
    write(ready);
    for (const raft::Message& message : ready.messages) events_.send(shard(), message);
    apply(ready);
    if (broken_) return;
    serve_reads(ready);
    for (const raft::SendSnapshot& snapshot : ready.snapshots) {
      events_.send_snapshot(shard(), snapshot);
    }
    if (ready.standing) {
      if (ready.standing->role == raft::Role::kLeader) ++elections_won_;
      events_.standing_changed(shard());
    }
    compact();
  }
}

void Replica::abandon() {
  broken_ = true;
  fail_waiting();
}

void Replica::fail_waiting() {
  auto waiting = std::exchange(waiting_, {});
  auto asked = std::exchange(asked_reads_, {});
  auto ready = std::exchange(ready_reads_, {});
  for (Waiting& each : waiting) {
    each.done(fail(Code::kUnknownOutcome, "shard " + std::to_string(shard().value) +
                                              " changed its leader before this committed"));
  }
  const std::string lost = "shard " + std::to_string(shard().value) + " is led elsewhere";
  for (auto& [context, done] : asked) done(fail(Code::kPrecondition, lost));
  for (Read& read : ready) read.done(fail(Code::kPrecondition, lost));
}

void Replica::write(raft::Ready& ready) {
  if (ready.ticket == 0) return;
  storage::Batch& batch = writer_.pending();
  writer_.must_sync();
  events_.wrote(shard(), ready.ticket);
  if (ready.hard_state) {
    storage::put_hard_state(batch, keys_,
                            {.term = ready.hard_state->term,
                             .vote_node = ready.hard_state->vote.node,
                             .vote = ready.hard_state->vote.replica});
  }
  if (ready.log_start && !write_log_start(ready)) return;
  if (ready.truncate_from && *ready.truncate_from <= log_last_) {
    storage::truncate_log_after(batch, keys_, *ready.truncate_from, log_last_);
    log_last_ = *ready.truncate_from - 1;
  }
  for (const raft::Entry& entry : ready.entries) {
    storage::put_log_entry(batch, keys_,
                           {.index = entry.index,
                            .term = entry.term,
                            .kind = static_cast<std::uint8_t>(entry.kind),
                            .data = entry.data.view()});
    log_last_ = entry.index;
  }
}

bool Replica::write_log_start(const raft::Ready& ready) {
  const raft::LogStart& start = *ready.log_start;
  // The effects of entries get to the disk no later than the entries leave it.
  settle();
  for (const storage::KeyRange& range : keys_.all()) writer_.settle(range);
  const storage::LogStart stored{
      .index = start.index, .term = start.term, .configuration = raft::encode(start.configuration)};
  storage::compact_log(writer_.pending(), keys_, log_first_, stored);
  log_first_ = start.index + 1;
  log_last_ = std::max(log_last_, start.index);
  return !ready.snapshot_installed || change_sides(start.index);
}

// The rows of a snapshot become the state: a few small writes, however many rows there are.
bool Replica::change_sides(raft::Index index) {
  storage::Batch& batch = writer_.pending();
  storage::drop_rows(batch, keys_);
  keys_ = keys_.other_side();
  storage::put_applied(batch, keys_, index);
  storage::put_current(batch, keys_);
  applied_ = index;
  settled_ = index;
  installing_ = false;
  const Result<void> loaded = machine_->load(keys_);
  if (!loaded) {
    broken_ = true;
    events_.broken(shard(), loaded.error());
    return false;
  }
  events_.reconfigured(shard());
  return true;
}

void Replica::apply(const raft::Ready& ready) {
  if (ready.committed.empty()) return;
  for (const raft::Entry& entry : ready.committed) {
    if (!apply_entry(entry)) return;
  }
}

void Replica::settle() {
  if (settled_ == applied_) return;
  settled_ = applied_;
  changes_.clear();
  machine_->put_marks(changes_);
  storage::put_applied(changes_, keys_, applied_);
  writer_.gather(changes_);
}

bool Replica::apply_entry(const raft::Entry& entry) {
  applied_ = entry.index;
  applied_bytes_ += entry.data.size();
  std::optional<Waiting> waiting = take_waiting(entry.index);
  const bool own = waiting && waiting->term == entry.term;
  storage::Outcome outcome;
  outcome.index = entry.index;
  if (entry.kind == raft::EntryKind::kData) {
    changes_.clear();
    std::shared_ptr<const storage::Entry> decoded;
    if (own) decoded = std::move(waiting->entry);
    Result<storage::Outcome> applied =
        machine_->apply(entry.term, entry.index, entry.data.view(), decoded, changes_);
    if (!applied) {
      broken_ = true;
      applied_ = entry.index - 1;
      events_.broken(shard(), applied.error());
      if (waiting) waiting->done(fail(applied.error()));
      return false;
    }
    writer_.gather(changes_);
    outcome = *std::move(applied);
    events_.applied(shard(), decoded.get(), outcome);
    if (own) outcome.entry = std::move(decoded);
  }
  if (waiting && own) {
    waiting->done(std::move(outcome));
  } else if (waiting) {
    waiting->done(fail(Code::kUnknownOutcome, "another leader's entry took its place"));
  }
  if (entry.kind == raft::EntryKind::kConfiguration) events_.reconfigured(shard());
  return true;
}

std::optional<Replica::Waiting> Replica::take_waiting(raft::Index index) {
  if (waiting_.empty() || waiting_.front().index != index) return std::nullopt;
  std::optional<Waiting> taken = std::move(waiting_.front());
  waiting_.pop_front();
  return taken;
}

void Replica::serve_reads(const raft::Ready& ready) {
  for (const std::uint64_t context : ready.failed_reads) {
    const auto asked = asked_reads_.find(context);
    if (asked == asked_reads_.end()) continue;
    Done<void> done = std::move(asked->second);
    asked_reads_.erase(asked);
    done(fail(Code::kPrecondition, "shard " + std::to_string(shard().value) + " is led elsewhere"));
  }
  for (const raft::ReadState& state : ready.reads) {
    const auto asked = asked_reads_.find(state.context);
    if (asked == asked_reads_.end()) continue;
    ready_reads_.push_back({.index = state.index, .done = std::move(asked->second)});
    asked_reads_.erase(asked);
  }
  if (ready_reads_.empty()) return;
  std::vector<Read> waiting = std::exchange(ready_reads_, {});
  for (Read& read : waiting) {
    if (read.index <= applied_) {
      read.done({});
    } else {
      ready_reads_.push_back(std::move(read));
    }
  }
}

void Replica::compact() {
  const raft::Log& log = raft_.log();
  const std::uint64_t length = applied_ - std::min(applied_, log.start().index);
  if (kAlone.within(length, applied_bytes_)) return;
  const LogBounds* bounds = &kAlone;
  if (!alone()) {
    if (kFollowed.within(length, applied_bytes_)) return;
    bounds = holds_log_ ? &kHeld : somebody_catches_up() ? &kCatchingUp : &kFollowed;
    if (bounds->within(length, applied_bytes_)) return;
  }
  applied_bytes_ = 0;
  raft::Index cut = applied_;
  std::size_t bytes = 0;
  for (std::uint64_t kept = 0; kept < std::min(length, bounds->entries_kept); ++kept, --cut) {
    bytes += log.at(cut).data.size();
    if (bytes > bounds->bytes_kept) break;
  }
  raft_.compact(cut);
}

bool Replica::somebody_catches_up() const {
  return std::ranges::any_of(raft_.configuration().members, [&](const raft::Member& member) {
    const raft::Progress* progress = raft_.progress(member.address);
    return progress != nullptr && progress->mode != raft::Progress::Mode::kReplicate;
  });
}

Result<raft::Restored> restore_replica(const storage::Reads& reads, storage::ReplicaKeys keys) {
  Result<storage::ReplicaLog> log = storage::load_replica_log(reads, keys);
  if (!log) return fail(log.error());
  raft::Restored restored;
  restored.hard_state.term = log->hard_state.term;
  restored.hard_state.vote = {.node = log->hard_state.vote_node, .replica = log->hard_state.vote};
  restored.applied = log->applied;
  restored.log_start.index = log->start.index;
  restored.log_start.term = log->start.term;
  if (!log->start.configuration.empty()) {
    Result<raft::Configuration> configuration =
        raft::decode_configuration(log->start.configuration);
    if (!configuration) return fail(configuration.error());
    restored.log_start.configuration = std::move(*configuration);
  }
  restored.entries.reserve(log->entries.size());
  for (storage::LogEntry& entry : log->entries) {
    if (entry.kind > static_cast<std::uint8_t>(raft::EntryKind::kConfiguration)) {
      return fail(Code::kUnimplemented, "the log of shard " + std::to_string(keys.shard().value) +
                                            " holds an entry of a kind that this program does not "
                                            "know: run the version that wrote it, or a newer one");
    }
    restored.entries.push_back({.term = entry.term,
                                .index = entry.index,
                                .kind = static_cast<raft::EntryKind>(entry.kind),
                                .data = Payload(std::move(entry.data))});
  }
  return restored;
}

void found_replica(storage::Batch& batch, storage::ReplicaKeys keys,
                   const raft::Configuration& configuration) {
  constexpr std::uint64_t kFirst = 1;
  storage::put_hard_state(batch, keys, {.term = kFirst, .vote_node = {}, .vote = {}});
  storage::put_log_start(
      batch, keys, {.index = kFirst, .term = kFirst, .configuration = raft::encode(configuration)});
  storage::put_applied(batch, keys, kFirst);
  storage::put_current(batch, keys);
}

}  // namespace troupe::cluster

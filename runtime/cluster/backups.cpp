#include "runtime/cluster/backups.h"

#include <optional>
#include <utility>

#include "storage/backup/backup_file.h"
#include "storage/replica_log.h"

namespace troupe::cluster {
namespace {

std::string name_of(ShardId shard) { return "shard " + std::to_string(shard.value); }

Failure moved(ShardId shard) {
  return fail(Code::kPrecondition, name_of(shard) + " has just moved to another leader");
}

Failure stopping() { return fail(Code::kUnavailable, "that node is stopping"); }

// What is next of a cut. On the disk's thread.
Result<std::string> read_part(storage::SnapshotReader& reader) {
  Result<std::string> chunk = reader.next();
  if (!chunk) return chunk;
  if (chunk->empty()) return encode(storage::BackupShardEnd{.hash = reader.hash()});
  return encode(storage::BackupRows{.chunk = *std::move(chunk)});
}

}  // namespace

// Of the leaders of all shards of one question.
struct Backups::Confirmations {
  std::size_t awaited;
  std::optional<Error> failed{};
  Done<void> done;
};

Backups::Backups(Options options, Dependencies dependencies)
    : options_(options), deps_(dependencies) {}

void Backups::stop() {
  *alive_ = false;
  sessions_.clear();
}

Result<void> Backups::hold(const std::string& backup, const std::vector<ShardId>& shards) {
  const Time now = deps_.clock.now();
  if (backup.empty()) return fail(Code::kInvalid, "a backup without a name");
  if (!holding_.empty() && holding_ != backup && now < held_until_) {
    return fail(Code::kExhausted, "another backup has just begun; try again in a few seconds");
  }
  std::map<ShardId, raft::Term> held;
  for (const ShardId shard : shards) {
    const Replica* replica = deps_.replicas.find(shard);
    if (shard == kMetaShard || replica == nullptr || !replica->leads()) return moved(shard);
    held[shard] = replica->raft().term();
  }
  holding_ = backup;
  held_until_ = now + options_.hold;
  held_ = std::move(held);
  deps_.deliveries.hold_messages(held_until_);
  return {};
}

void Backups::release(const std::string& backup) {
  if (holding_ != backup) return;
  holding_.clear();
  held_.clear();
  deps_.deliveries.release_messages();
}

Result<void> Backups::check_held(const std::string& backup,
                                 const std::vector<ShardId>& shards) const {
  if (holding_ != backup || deps_.clock.now() >= held_until_) {
    return fail(Code::kPrecondition, "a node was too slow, or came back just now");
  }
  for (const ShardId shard : shards) {
    const Replica* replica = deps_.replicas.find(shard);
    const auto held = held_.find(shard);
    const bool same = replica != nullptr && replica->leads() && held != held_.end() &&
                      held->second == replica->raft().term();
    if (!same) return moved(shard);
  }
  return {};
}

void Backups::confirm(const std::string& backup, const std::vector<ShardId>& shards,
                      Done<void> done) {
  if (const auto held = check_held(backup, shards); !held) return done(fail(held.error()));
  auto all = std::make_shared<Confirmations>(shards.size(), std::nullopt, std::move(done));
  for (const ShardId shard : shards) {
    deps_.replicas.find(shard)->read(
        deps_.clock.now(), [this, alive = alive_, all, backup, shards](const Result<void>& sure) {
          if (!sure && !all->failed) all->failed = sure.error();
          if (--all->awaited > 0) return;
          if (!*alive) return all->done(stopping());
          all->done(all->failed ? fail(*all->failed) : check_held(backup, shards));
        });
    deps_.replicas.wake(shard);
  }
}

void Backups::cut(const std::string& backup, const std::vector<ShardId>& shards,
                  Done<std::vector<Cut>> done) {
  if (!sessions_.contains(backup) && sessions_.size() >= options_.at_once_max) {
    return done(fail(Code::kExhausted, "too many backups at a time"));
  }
  auto kept = std::make_shared<Done<std::vector<Cut>>>(std::move(done));
  confirm(backup, shards,
          [this, alive = alive_, backup, shards, kept](const Result<void>& confirmed) {
            if (!confirmed) return (*kept)(fail(confirmed.error()));
            // Not inside the step of a replica.
            deps_.loop.post([this, alive, backup, shards, kept] {
              if (!*alive) return (*kept)(stopping());
              deps_.replicas.when_applied_is_written([this, alive, backup, shards, kept] {
                (*kept)(*alive ? take(backup, shards) : stopping());
              });
            });
          });
}

Result<std::vector<Backups::Cut>> Backups::take(const std::string& backup,
                                                const std::vector<ShardId>& shards) {
  std::vector<Cut> cuts;
  std::map<ShardId, Rows> rows;
  for (const ShardId shard : shards) {
    const Replica* replica = deps_.replicas.find(shard);
    if (replica == nullptr) {
      return fail(Code::kPrecondition, name_of(shard) + " has just left its node");
    }
    if (static_cast<const ShardStateMachine&>(replica->machine()).machine().restoring()) {
      return fail(Code::kUnavailable, name_of(shard) + " is being restored");
    }
    std::unique_ptr<storage::View> view = deps_.disk.view();
    const Result<std::uint64_t> applied = storage::applied_index(*view, replica->keys());
    if (!applied) return fail(applied.error());
    cuts.push_back({.shard = shard, .applied = *applied});
    rows[shard].reader = std::make_shared<storage::SnapshotReader>(std::move(view), replica->keys(),
                                                                   options_.chunk_bytes);
  }
  Session& session = sessions_[backup];
  session.asked_at = deps_.clock.now();
  // In place of what an earlier attempt has left.
  for (auto& [shard, each] : rows) session.rows.insert_or_assign(shard, std::move(each));
  plan_look();
  return cuts;
}

void Backups::part(const std::string& backup, ShardId shard, std::uint64_t number,
                   Done<std::string> done) {
  const auto session = sessions_.find(backup);
  const bool known = session != sessions_.end() && session->second.rows.contains(shard);
  if (!known) {
    return done(fail(Code::kNotFound, "the cut of " + name_of(shard) +
                                          " is gone: its node was started again, or was not asked "
                                          "for too long; begin the backup anew"));
  }
  session->second.asked_at = deps_.clock.now();
  Rows& rows = session->second.rows.at(shard);
  if (number == rows.given && number > 0 && !rows.reading) return done(std::string(rows.part));
  if (number != rows.given + 1 || rows.reader == nullptr) {
    return done(fail(Code::kInvalid, "the parts of a cut are given in order"));
  }
  if (std::exchange(rows.reading, true)) {
    return done(fail(Code::kExhausted, "this part is being read already"));
  }
  auto kept = std::make_shared<Done<std::string>>(std::move(done));
  deps_.disk.read(
      [this, alive = alive_, backup, shard, kept, reader = rows.reader]() mutable -> Work {
        Result<std::string> part = read_part(*reader);
        // The view must not outlive its engine, as what is posted to the loop may.
        reader.reset();
        return [this, alive, backup, shard, kept, part = std::move(part)]() mutable {
          if (!*alive) return (*kept)(stopping());
          give(backup, shard, std::move(part), *kept);
        };
      });
}

void Backups::give(const std::string& backup, ShardId shard, Result<std::string> part,
                   Done<std::string>& done) {
  const auto session = sessions_.find(backup);
  if (session == sessions_.end()) return done(fail(Code::kNotFound, "the backup has been ended"));
  Rows& rows = session->second.rows.at(shard);
  rows.reading = false;
  if (!part) return done(std::move(part));
  ++rows.given;
  rows.part = *part;
  const Result<storage::BackupPart> last = storage::decode_backup_part(*part);
  // Its view keeps old rows on the disk.
  if (last && std::holds_alternative<storage::BackupShardEnd>(*last)) rows.reader.reset();
  done(std::move(part));
}

void Backups::plan_look() {
  if (std::exchange(look_planned_, true)) return;
  deps_.loop.post_at(deps_.clock.now() + options_.patience / 4, [this, alive = alive_] {
    if (*alive) look_after();
  });
}

// Of what nobody asks for any more, the views go.
void Backups::look_after() {
  look_planned_ = false;
  const Time now = deps_.clock.now();
  std::erase_if(sessions_,
                [&](const auto& each) { return now - each.second.asked_at >= options_.patience; });
  if (!sessions_.empty()) plan_look();
}

}  // namespace troupe::cluster

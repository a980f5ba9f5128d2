#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/cluster/deliveries.h"
#include "runtime/cluster/replicas.h"
#include "storage/shard/snapshot.h"
#include "storage/writer.h"

namespace troupe::cluster {

/// This node's part in a backup of the cluster: cuts through the shards it leads, and their rows.
///
///     hold ──→ cut ──→ confirm ──→ release ──→ parts ──→ end        each asked of all leaders
///
/// A cut is what a shard had applied at a moment after it was asked for, confirmed by a round of
/// heartbeats. Cuts through different shards fit, as far as one-way messages go, if all of one step
/// is over before the next begins: from before the first cut until after the last, each shard has
/// one and the same leader, and this lets no message begin its way and none be forgotten. So a
/// message that a cut shows as consumed was sent before, and is in the cut of its sender; and one
/// that its sender had forgotten was consumed before, and is so in the cut of its receiver.
///
/// Rows are read from views, in parts, beside the node loop; the shards go on meanwhile. Belongs to
/// the node loop.
class Backups {
 public:
  struct Options {
    std::size_t chunk_bytes = 256U << 10U;
    /// Longer: more time for cuts; one-way messages wait meanwhile.
    Duration hold = std::chrono::seconds(10);
    /// After so long without a question the cuts are given up, and the disk may forget old rows.
    Duration patience = std::chrono::seconds(120);
    std::size_t at_once_max = 2;
  };
  /// All outlive it.
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    storage::Disk& disk;
    Replicas& replicas;
    Deliveries& deliveries;
  };
  struct Cut {
    ShardId shard;
    std::uint64_t applied = 0;
  };

  Backups(Options options, Dependencies dependencies);
  ~Backups() { *alive_ = false; }

  /// Holds the messages of all shards led here for Options::hold. kExhausted while another backup
  /// does; kPrecondition, as of all steps: one of `shards` is not led here.
  Result<void> hold(const std::string& backup, const std::vector<ShardId>& shards);
  /// kPrecondition also: messages were not held, under this leader, all the time. kUnavailable: a
  /// shard is being restored. Here and below `shards` are some.
  void cut(const std::string& backup, const std::vector<ShardId>& shards,
           Done<std::vector<Cut>> done);
  /// Messages are still held, and were all the time.
  void confirm(const std::string& backup, const std::vector<ShardId>& shards, Done<void> done);
  void release(const std::string& backup);
  /// Part `number` of a cut, from 1, encoded: BackupRows, or BackupShardEnd when there are no more.
  /// The one that was given last may be asked for again. kNotFound if there is no such cut any
  /// more.
  void part(const std::string& backup, ShardId shard, std::uint64_t number, Done<std::string> done);
  /// The cuts go.
  void end(const std::string& backup) { sessions_.erase(backup); }
  void stop();

 private:
  struct Rows {
    std::shared_ptr<storage::SnapshotReader> reader;
    std::uint64_t given = 0;  // number of the last part
    std::string part = {};    // that one
    bool reading = false;
  };
  struct Session {
    Time asked_at{};
    std::map<ShardId, Rows> rows;
  };
  struct Confirmations;

  Result<void> check_held(const std::string& backup, const std::vector<ShardId>& shards) const;
  Result<std::vector<Cut>> take(const std::string& backup, const std::vector<ShardId>& shards);
  void give(const std::string& backup, ShardId shard, Result<std::string> part,
            Done<std::string>& done);
  void plan_look();
  void look_after();

  Options options_;
  Dependencies deps_;
  std::string holding_;  // which backup; empty: none
  Time held_until_{};
  std::map<ShardId, raft::Term> held_;  // led here when it began
  std::map<std::string, Session> sessions_;
  bool look_planned_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace troupe::cluster

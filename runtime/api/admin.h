#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/state/reminder_operations.h"
#include <troupe/actor_key.h>
#include <troupe/function.h>
#include <troupe/json.h>
#include <troupe/time.h>

/// What operators ask of a cluster. The structs are the JSON of the native API.
namespace troupe::api {

struct TypeCount {
  std::string type = {};
  std::uint64_t count = 0;
};

/// A storage node that does not answer, while shards still count on it.
struct GoneFacts {
  std::string node = {};
  Duration since{0};
  std::uint64_t replicas = 0;  // by the table
  Duration replaced_in{0};     // then others get them
};

struct StatusFacts {
  std::string cluster = {};
  std::string node = {};
  std::string status = {};  // "ready", or what is waited for
  bool ready = false;
  std::uint32_t shards = 0;
  std::uint64_t shards_without_leader = 0;    // as this node knows
  std::uint64_t shards_under_replicated = 0;  // fewer replicas on nodes that answer than wanted
  std::uint64_t replicas_here = 0;
  std::uint64_t leaders_here = 0;
  std::uint64_t nodes_alive = 0;
  std::uint64_t nodes_suspect = 0;
  std::uint64_t nodes_dead = 0;
  std::uint64_t nodes_draining = 0;
  std::uint64_t lag = 0;  // committed entries that a replica lacks: the most, of shards led here
  std::uint64_t elections_won = 0;     // by replicas of this process
  std::uint64_t calls_out = 0;         // from here, on their way to other nodes
  std::uint64_t deliveries_out = 0;    // ticks and messages of shards led here, on their way
  std::string meta_leader = {};        // empty: unknown
  std::uint64_t moves_under_way = 0;   // of replicas, as the meta shard's leader says
  std::vector<GoneFacts> gone = {};    // and so these; empty too if it does not answer
  std::vector<TypeCount> actors = {};  // activations here
};

struct NodeFacts {
  std::string id = {};
  std::string address = {};
  std::string status = {};  // alive, suspect, dead, left
  std::uint64_t generation = 0;
  bool self = false;
  bool storage = false;
  bool hosting = false;
  bool draining = false;
  std::uint32_t weight = 1;
  std::string zone = {};
  std::string app_id = {};
  std::uint16_t http_port = 0;
  std::uint16_t grpc_port = 0;
  std::vector<std::string> types = {};
  std::uint64_t replicas = 0;  // by the table
  std::uint64_t leads = 0;
};

struct ReplicaFacts {
  std::string node = {};
  std::uint64_t replica = 0;
  bool voter = true;
};
/// A replica as its own node says.
struct ReplicaView {
  std::uint32_t shard = 0;
  std::string node = {};
  std::uint64_t replica = 0;
  std::string role = {};  // leader, follower, candidate, learner; silent: its node did not answer
  std::uint64_t term = 0;
  std::uint64_t committed = 0;  // index of the last entry known to be
  std::uint64_t applied = 0;
  std::uint64_t messages = 0;       // of its outbox, not known to be delivered
  std::uint64_t lag = 0;            // entries that the leader has committed and it has not applied
  std::uint64_t elections_won = 0;  // by this process
};
struct OwnerFacts {
  std::string type = {};
  std::string node = {};  // empty: nobody
  std::uint64_t epoch = 0;
};
struct ShardFacts {
  std::uint32_t shard = 0;
  std::string leader = {};          // empty: unknown
  std::uint64_t term = 0;           // of its leader
  std::uint64_t applied = 0;        // index of its leader's last entry
  std::uint64_t messages = 0;       // one-way messages that are not known to be delivered
  std::uint64_t lag = 0;            // of the replica that is the furthest behind, in entries
  std::uint64_t elections_won = 0;  // by the processes of today, together
  std::uint64_t silent = 0;         // replicas whose nodes did not answer
  std::vector<ReplicaFacts> replicas = {};
  std::vector<OwnerFacts> owners = {};
};

struct ActivationView {
  std::string node = {};
  std::string type = {};
  std::string id = {};
  std::uint64_t turns = 0;
  std::uint64_t waiting = 0;
  std::uint64_t epoch = 0;
  Duration age{0};
  Duration idle{0};
};
struct ActivationsQuery {
  std::string type = {};  // empty: all
  std::uint64_t limit = 100;
  bool all = false;  // of every node; else of this one
};
struct ActivationsView {
  std::vector<ActivationView> activations = {};
  std::vector<std::string> silent = {};  // nodes that did not answer
};

struct IdsView {
  std::vector<std::string> ids = {};  // sorted
  std::string next = {};              // give it as `after`; empty: that was all
};

/// A named value as stored; the native state has the empty name.
struct ValueView {
  std::string name = {};
  std::uint64_t etag = 0;
  std::string format = {};  // json, bytes
  Json value = {};          // the value, or a string in base64
  std::optional<WallTime> expires = {};
};

struct ReminderView {
  std::string type = {};
  std::string id = {};
  std::string name = {};
  std::string method = {};
  std::string due_time = {};  // as registered
  std::string period = {};
  std::string ttl = {};
  WallTime next = {};  // attempt
  std::uint64_t number = 1;
  std::uint32_t attempts = 0;
  Bytes data = {};
};

struct BackupCut {
  std::uint32_t shard = 0;
  std::string node = {};  // which has it
  std::uint64_t applied = 0;
};
/// Cuts through all shards, which fit together (runtime/cluster/backups.h).
struct BackupPlan {
  std::string backup = {};
  std::string cluster = {};
  WallTime taken = {};
  std::vector<std::string> addresses = {};  // of the APIs of its nodes
  std::vector<BackupCut> shards = {};       // in order
};

/// What a shard holds, for who wants to restore into it.
struct ShardContents {
  std::uint32_t shard = 0;
  std::string state = {};    // empty, data, restoring, restored
  std::string restore = {};  // which attempt
  std::uint64_t parts = 0;   // loaded by it
};
struct ContentsView {
  std::string cluster = {};
  std::vector<ShardContents> shards = {};  // in order
};

/// A step of filling the cluster's shards from a backup.
struct RestoreStep {
  enum class Kind : std::uint8_t { kBegin, kLoad, kFinish, kAbandon };
  Kind kind = Kind::kBegin;
  std::string restore = {};  // names the attempt
  std::uint32_t shard = 0;   // of kLoad; the others are for all shards
  std::uint64_t part = 0;    // of kLoad
  std::string rows = {};     // of kLoad: encoded, see storage/shard/restored.h
};

/// Looks into the cluster, from this node. Wakes no actor. Thread-safe; answers come on any thread,
/// once, and must not block. kUnavailable, among others, before this node is a member.
class Admin {
 public:
  virtual ~Admin() = default;

  virtual void status(Done<StatusFacts> done) = 0;
  /// The same without what others would have to be asked for.
  virtual void status_here(Done<StatusFacts> done) = 0;
  virtual void nodes(Done<std::vector<NodeFacts>> done) = 0;
  virtual void shards(Done<std::vector<ShardFacts>> done) = 0;
  /// Of one shard. kNotFound if there is no such shard.
  virtual void replicas(std::uint32_t shard, Done<std::vector<ReplicaView>> done) = 0;
  virtual void activations(ActivationsQuery query, Done<ActivationsView> done) = 0;

  /// From storage, as the leaders of the shards have it. 1 <= limit <= kIdsMax.
  static constexpr std::uint64_t kIdsMax = 1'000;
  virtual void ids(std::string type, std::optional<std::string> after, std::uint64_t limit,
                   Done<IdsView> done) = 0;
  virtual void state(ActorKey key, Done<std::vector<ValueView>> done) = 0;
  /// Of one actor; of all of a type if the id is empty, at most `limit`.
  virtual void reminders(ActorKey key, std::uint64_t limit,
                         Done<std::vector<ReminderView>> done) = 0;

  /// Begins a backup of that name, 32 hexadecimal digits. Its cuts are kept for two minutes after
  /// they were last asked for. kUnavailable if a node or a leader does not answer.
  virtual void begin_backup(std::string backup, Done<BackupPlan> done) = 0;
  /// The next part of a cut, or the last one again: see cluster::Backups::part().
  virtual void backup_part(std::string backup, BackupCut cut, std::uint64_t part,
                           Done<std::string> done) = 0;
  virtual void end_backup(std::string backup, Done<void> done) = 0;
  virtual void contents(Done<ContentsView> done) = 0;
  /// kUnavailable: it may not have happened, do the same again. kPrecondition: not in this state,
  /// see storage::RestoreCommand.
  virtual void restore(RestoreStep step, Done<void> done) = 0;

  /// The node, 32 hexadecimal digits or the beginning of them, gives its replicas and owners to
  /// others; or no longer.
  virtual void drain(std::string node, bool draining, Done<void> done) = 0;
};

}  // namespace troupe::api

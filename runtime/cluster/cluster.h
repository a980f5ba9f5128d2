#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/activation/scheduler.h"
#include "actors/directory/call_ids.h"
#include "actors/turns/shards.h"
#include "placement/gossip/gossip.h"
#include "runtime/base/guarded.h"
#include "runtime/base/log.h"
#include "runtime/cluster/backups.h"
#include "runtime/cluster/call_router.h"
#include "runtime/cluster/commit_inbox.h"
#include "runtime/cluster/deliveries.h"
#include "runtime/cluster/doubts.h"
#include "runtime/cluster/founding.h"
#include "runtime/cluster/inbox.h"
#include "runtime/cluster/meta.h"
#include "runtime/cluster/owners.h"
#include "runtime/cluster/replicas.h"
#include "runtime/cluster/rights.h"
#include "runtime/cluster/rpc.h"

namespace troupe::cluster {

/// When the actors of a node that is gone run elsewhere.
enum class Takeover : std::uint8_t {
  kLease,     // once its leases have run out, whatever became of it
  kEvidence,  // also when two nodes saw that nobody listens at its address any more
};

struct ClusterOptions {
  placement::Member self;  // its generation is what an earlier process stored
  FoundingOptions founding;
  raft::RaftOptions raft;
  SnapshotSender::Options snapshots;
  placement::LeaseConfig lease;
  Takeover takeover = Takeover::kLease;
  placement::MembershipConfig membership;
  placement::AllocatorConfig allocator;
  /// How long the stop of a node waits for others to take its actors over, and then its shards.
  Duration hand_over_patience = std::chrono::seconds(5);
};

/// What runs the actors of this node. Thread-safe.
class Hosting {
 public:
  virtual ~Hosting() = default;

  virtual void deliver(actors::Call call) = 0;
  /// True, and `call` taken, if its actor is in memory under a right that new turns may begin
  /// under. From any thread, at any time after host().
  virtual bool deliver_live(actors::Call& /*call*/) { return false; }
  virtual void drain(const std::shared_ptr<actors::Right>& right, Function<void()> done) = 0;
};

/// A node's part in its cluster: drives replicas, owners, leases, gossip and the meta shard
/// together, and offers actors the shards and the way to other actors.
///
///     start → founding or joining → replicas run → registered → host() → calls are routed
///
/// Everything happens on one executor, the node loop; what actors and the network call is
/// thread-safe and posts there. Sans I/O: clock, network and disk are handed in.
class Cluster final : public actors::Shards, public NetworkListener, private ReplicasListener {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Network& network;
    storage::Disk& disk;
    Random& random;
    Log log;
    /// The node cannot go on: its disk failed, or it is not welcome. One line for the operator.
    std::function<void(const Error&)> fatal;
    /// The cluster this node belongs to is known, and durable: for the data directory.
    std::function<void(const std::string& cluster)> joined;
    /// Where calls and replies of other nodes are handed on: runs work soon, one after another.
    /// Empty: on the network's threads.
    std::function<void(Work)> hand_on = {};
    /// Where commits gather: runs work soon, once what the actors have to do now is done. Empty:
    /// they go to the loop one by one.
    std::function<void(Work)> gather = {};
    /// Of the actors: wakes those that hear outcomes in the loop's turn, all together. May be null.
    actors::Scheduler* scheduler = nullptr;
  };

  Cluster(ClusterOptions options, Dependencies dependencies);
  ~Cluster() override;

  /// `registered` runs on the loop once this process has its generation: then call host(). From any
  /// thread.
  void start(Function<void(Generation)> registered);
  /// On the loop. `hosting` outlives the cluster's stop().
  void host(Hosting& hosting, std::vector<std::string> types);
  /// What this node hosts from now on, in place of what host() was told. On the loop, after host().
  void offer(std::vector<std::string> types);
  /// Hands over what it has, as far as others can take it; then `done`, on the loop. From any
  /// thread.
  void stop(Function<void()> done);

  /// Once registered.
  actors::Router& router() { return *router_; }
  /// Calls on their way to other nodes.
  std::size_t calls_out() const { return router_ ? router_->waiting_for_others() : 0; }
  actors::CallIds& ids() { return *ids_; }

  // actors::Shards, for this node's actors.
  ShardId shard_of(std::string_view type, std::string_view id) const override;
  std::shared_ptr<actors::Right> right(ShardId shard, std::string_view type) const override;
  void commit(std::shared_ptr<actors::Right> right, storage::TurnCommand command,
              Done<storage::Outcome> done) override;
  void load(std::shared_ptr<actors::Right> right, ActorKey key,
            Done<std::vector<std::pair<std::string, actors::StoredValue>>> done) override;
  void reminders(std::shared_ptr<actors::Right> right, ActorKey key, std::string name,
                 Done<std::vector<actors::StoredReminder>> done) override;
  void recall(std::shared_ptr<actors::Right> right, storage::CallId id,
              Done<std::optional<storage::Outcome>> done) override;
  void confirm(std::shared_ptr<actors::Right> right, Done<void> done) override;

  // NetworkListener.
  Hello hello() const override;
  void connected(const Hello& peer) override;
  void disconnected(NodeId peer) override;
  void nobody_listens(NodeId peer) override;
  void received(NodeId from, std::string_view frame) override;
  void work_begins() override;
  bool work_ends(bool may_stay) override;
  void introduced(std::string question, Done<std::string> respond) override;
  void received_datagram(const std::string& from, std::string_view bytes) override;

  // For people and metrics; on the loop.
  std::shared_ptr<const placement::View> members() const;
  /// Why nothing can be asked of a shard that nobody leads: names the replicas that are missed. On
  /// the loop, of a member.
  Error no_leader(ShardId shard) const;
  const placement::Table* table() const { return table_.get(); }
  Replicas& replicas() { return *replicas_; }
  Meta* meta() { return meta_.get(); }
  Rpc& rpc() { return *rpc_; }
  /// Null before host().
  Backups* backups() { return backups_.get(); }
  /// A step of filling a shard from a backup, wherever the shard is led. On the loop, of a member.
  void restore(ShardId shard, storage::RestoreCommand command, Done<storage::Outcome> done);
  const std::string& id() const { return cluster_.cluster; }
  std::uint32_t shard_count() const { return cluster_.shard_count; }
  std::string status() const;
  const Deliveries* deliveries() const { return deliveries_.get(); }
  bool ready() const { return ready_.load(std::memory_order_acquire); }
  /// Says something else about this node: draining, types, ports.
  void update_self(const std::function<void(placement::Member&)>& change);

 private:
  struct Stored;

  // Life, in order.
  void begin();
  void found(Proposal promised);
  void become_member(Founding::Outcome outcome, bool restarted);
  void belongs();
  void build(const std::vector<std::string>& addresses);
  void enroll(std::vector<std::uint64_t> earlier_starts);
  void enrolled(Generation generation);
  void write_down_cluster();
  void hand_over(Time until, Function<void()> done);
  void give_back(Time until, Function<void()> done);
  void leave();

  // ReplicasListener.
  void standing_changed(Replica& replica) override;
  void applied(Replica& replica, const storage::Entry* entry,
               const storage::Outcome& outcome) override;
  void reconfigured(Replica& replica) override;
  void dropped(ShardId shard) override;
  void stepping() override;
  void stepped() override;

  // Calls and replies of other nodes.
  void received_call(NodeId from, std::string_view bytes);
  void refuse_call(NodeId from, std::string_view bytes);

  // Gossip and rows.
  void gossip_tick();
  void flush_gossip();
  void gossip_changed();
  void publish(placement::Row row);
  void learn(std::string_view row);
  void rows_changed();
  void follow(ShardId table_shard);
  void know_members();
  void serve_testimonies();
  void testify(NodeId node, Generation generation);
  void hear_witness(NodeId witness, NodeId node, Generation generation);

  // Questions about shards.
  void serve_proposals();
  void serve_reads();
  void propose(ShardId shard, ProposedEntry entry, Done<storage::Outcome> done);
  void locate(ShardId shard, const std::string& type, Duration patience, Done<void> done);
  NodeId leader_of(ShardId shard) const;
  Duration patience_with(NodeId node, Duration patience) const;
  void ask_leader(ShardId shard, Service service, std::string body, Duration patience,
                  Done<std::string> done);
  void ask_as_owner(const std::shared_ptr<actors::Right>& right, Service service,
                    std::string question, Time until, Done<std::string> done);
  Result<std::string> read_values(ShardId shard, std::string_view body);
  Result<std::string> read_reminders(ShardId shard, std::string_view body);
  Result<std::string> read_recorded(ShardId shard, std::string_view body);
  Result<std::string> read_confirmation(ShardId shard, std::string_view body);
  Result<void> check_epoch(ShardId shard, std::string_view type, Epoch epoch) const;
  bool reads_locally(const actors::Right& right) const;

  ClusterOptions options_;
  Dependencies deps_;
  Proposal cluster_;
  bool belongs_ = false;  // to that cluster, durably
  Generation generation_;
  Guarded<Hello> hello_;
  Answers answers_;
  std::unique_ptr<Rpc> rpc_;
  std::unique_ptr<Replicas> replicas_;
  std::unique_ptr<Founding> founding_;
  std::unique_ptr<placement::Table> table_;
  std::unique_ptr<placement::Gossip> gossip_;
  std::unique_ptr<Meta> meta_;
  std::unique_ptr<actors::CallIds> ids_;
  std::unique_ptr<Rights> rights_;
  std::unique_ptr<Owners> owners_;
  std::unique_ptr<CallRouter> router_;
  std::unique_ptr<Deliveries> deliveries_;
  std::unique_ptr<Backups> backups_;
  std::unique_ptr<Inbox> inbox_;
  std::atomic<Inbox*> calls_{nullptr};  // for the network's threads
  std::atomic<Hosting*> hosting_{nullptr};
  CommitInbox commits_{deps_.loop, deps_.gather, [this](CommitInbox::Commit commit) {
                         rights_->commit(commit.right, std::move(commit.entry),
                                         std::move(commit.done));
                       }};
  Function<void(Generation)> registered_;
  std::uint64_t members_version_ = 0;
  Doubts doubts_{options_.self.id};
  Time gossip_at_ = Time::max();
  Time look_at_{};
  std::atomic<bool> ready_{false};
  bool stopping_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace troupe::cluster

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "placement/allocator/allocator.h"
#include "placement/membership/member.h"
#include "placement/table/table.h"
#include "runtime/base/log.h"
#include "runtime/cluster/replicas.h"
#include "runtime/cluster/rpc.h"

namespace troupe::cluster {

struct MetaOptions {
  NodeId self;
  placement::AllocatorConfig allocator;
  Duration interval = std::chrono::milliseconds(250);  // between two looks at the groups
  Duration pause = std::chrono::milliseconds(20);      // between the end of a step and a look
  Duration patience = std::chrono::seconds(5);         // for one command or step
};

/// The way to the meta shard from any node, and what its leader does: sees that every group has its
/// replicas where the allocator wants them.
///
/// Belongs to the node loop.
class Meta {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Rpc& rpc;
    Replicas& replicas;
    const placement::Table& table;  // its last row is the meta shard's
    std::function<std::shared_ptr<const placement::View>()> members;
    std::function<void(std::string_view row)> learn;  // into the table
    Log log;
  };

  Meta(MetaOptions options, Dependencies dependencies);
  ~Meta() { *alive_ = false; }

  void start();

  /// The table has a newer row.
  void row_changed(ShardId shard);
  /// A shard led here has a new configuration, and its row is in the table.
  void reconfigured(ShardId shard);
  /// A shard is led here no longer.
  void stopped_leading(ShardId shard);

  /// Has a command applied, wherever the meta shard is led; with its reply. Tried again until
  /// `patience` is over, perhaps also when it was applied.
  void command(const MetaCommand& command, Duration patience, Done<std::string> done);

  /// As the newest this node knows: from its own replica, or the table. Nobody: unknown.
  NodeId leader() const;
  /// What the meta shard knows, if this node has a replica of it.
  const MetaMachine* machine() const;
  /// What its leader does for shards that lack a replica.
  struct Repair {
    struct Gone {
      NodeId node;
      Duration since{0};
      Duration replaced_in{0};  // not before: it may come back
    };
    std::size_t steps_under_way = 0;
    std::vector<Gone> gone;  // storage nodes that still stand for replicas
  };
  /// Empty where the meta shard is not led.
  std::optional<Repair> repair() const;

 private:
  struct UnderWay {
    Time until{};           // given up then
    NodeId adding_to = {};  // where it adds a learner, if it does
    RowVersion row = {};    // known when it began: a newer one shows what has become of it
    bool answered = false;
  };

  void attempt(std::string bytes, Time until, Done<std::string> done);
  void retry(std::string bytes, Time until, Error error, Done<std::string> done);
  void allocate();
  void allocate_soon();
  void plan_if_leading();
  void plan(Time now);
  std::vector<placement::StorageNode> storage_nodes(Time now);
  Duration grace_of(NodeId id) const;
  std::set<NodeId> holders() const;
  std::vector<placement::ShardGroup> groups(ShardId first, ShardId end) const;
  void run(placement::Step step);
  void ask_leader(const placement::Step& step, ReplicaId replica);
  void step_answered(const placement::Step& step);
  bool is_over(ShardId shard, const UnderWay& step, Time now) const;
  void reconfigure(std::string_view body, Done<std::string> respond);
  void answer_step(ShardId shard, Result<std::string> answer);

  MetaOptions options_;
  Dependencies deps_;
  std::map<ShardId, UnderWay> under_way_;  // a step of each group
  bool looks_soon_ = false;
  std::map<ShardId, Done<std::string>> reconfiguring_;  // of the shards led here
  std::map<NodeId, Time> dead_since_;
  std::uint64_t planned_for_ = 0;  // which members
  Time quiet_until_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace troupe::cluster

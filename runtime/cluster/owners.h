#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "placement/lease/lease_grantor.h"
#include "placement/membership/member.h"
#include "runtime/base/log.h"
#include "runtime/cluster/replicas.h"
#include "runtime/cluster/rights.h"
#include "runtime/cluster/rpc.h"

namespace troupe::cluster {

struct OwnersOptions {
  NodeId self;
  Generation generation;
  placement::LeaseConfig lease;
  /// Owners moved to where they should be, at a time; more disturbs more actors at once.
  std::size_t moves_max = 16;
  Duration balance_interval = std::chrono::milliseconds(500);
  Duration release_patience = std::chrono::seconds(10);
  /// Questions that wait for an owner to be assigned.
  std::size_t waiting_max = 100'000;
};

/// The leader's side of ownership, for all shards this node leads: says who owns a type, assigns
/// somebody when nobody does or the owner is gone, renews leases, and moves owners that sit in the
/// wrong place.
///
/// Belongs to the node loop.
class Owners {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Network& network;
    Rpc& rpc;
    Replicas& replicas;
    Rights& rights;
    std::function<std::shared_ptr<const placement::View>()> members;
    /// Whether that node may be gone.
    std::function<bool(NodeId)> doubted;
    /// A row this node leads has changed: into the table and on to everybody.
    std::function<void(placement::Row)> publish;
    Log log;
  };

  Owners(OwnersOptions options, Dependencies dependencies);

  void start();

  // What happened.
  void standing_changed(Replica& replica);
  void dropped(ShardId shard);
  void owners_changed(Replica& replica);
  void members_changed();
  /// Deps' `doubted` may answer otherwise.
  void doubts_changed();
  /// There is evidence enough that this process is gone, and its leases with it.
  void ended(NodeId node, Generation generation);
  /// Looks at the leases that are its own to prolong.
  void renew();

  /// Who owns `type` in `shard`, as an encoded row, once somebody does. kPrecondition if this node
  /// does not lead the shard; kNotFound if no node hosts the type.
  void find_owner(ShardId shard, const std::string& type, Done<std::string> done);

  static placement::Row row_of(const Replica& replica, NodeId leader);

 private:
  using Key = std::pair<ShardId, std::string>;

  /// True if that is news.
  bool lead(Replica& replica);
  void renew_own(const Replica& replica);
  void publish(const Replica& replica);
  void plan_renewals();
  void send_renewals();
  std::vector<NodeId> hosts(const std::string& type) const;
  bool hosts(NodeId node, const std::string& type) const;
  bool leaves(NodeId node, const std::string& type) const;
  bool serves(Time now, const storage::Owner& owner) const;
  bool given_up_here(ShardId shard, const std::string& type, const storage::Owner& owner) const;
  void assign(ShardId shard, const std::string& type);
  void wait_for_lease(const Key& key, Time until);
  void propose(ShardId shard, const std::string& type, NodeId node, Epoch replaces);
  void settle(const Key& key, const Result<void>& result);
  void balance();
  void move(ShardId shard, const std::string& type, const storage::Owner& owner);
  void receive_renewal(NodeId from, std::string_view body, Done<std::string> respond);

  OwnersOptions options_;
  Dependencies deps_;
  placement::LeaseGrantor grantor_;
  std::map<ShardId, std::uint64_t> led_;  // in which term
  std::map<Key, std::vector<Done<std::string>>> waiting_;
  std::map<Key, bool> assigning_;
  std::size_t waiting_count_ = 0;
  std::size_t moving_ = 0;
  Time renewals_sent_{};
  Time renewals_at_ = Time::max();  // planned
  Time looked_at_{};
  Time renewed_at_{};
};

}  // namespace troupe::cluster

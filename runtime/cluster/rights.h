#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/turns/right.h"
#include "placement/lease/lease_holder.h"
#include "runtime/base/guarded.h"
#include "runtime/cluster/commit_pipeline.h"

namespace troupe::cluster {

/// The rights of this node: what it may run, until when, and the commits under each.
///
/// Follows the rows and renewals that placement's LeaseHolder judges, and mirrors its verdicts into
/// Right objects, which activations look at from any thread. Everything but find() belongs to the
/// node loop.
class Rights {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    /// To the leader of a shard, wherever it is.
    std::function<void(ShardId, ProposedEntry, Done<storage::Outcome>)> propose;
    /// A right has ended, or drains: its activations must go.
    std::function<void(const std::shared_ptr<actors::Right>&, Function<void()>)> drain;
  };

  Rights(NodeId self, Generation generation, placement::LeaseConfig config,
         Dependencies dependencies);

  /// Any thread; null if there is none.
  std::shared_ptr<actors::Right> find(ShardId shard, std::string_view type) const;

  void apply(const placement::Row& row);
  placement::RenewalAck receive(Time now, NodeId from, const placement::Renewal& renewal);
  void forget_peer(NodeId peer) { holder_.forget_peer(peer); }
  void renew_locally(ShardId shard, std::uint64_t term, const placement::RightsStamp& stamp,
                     Time until);

  /// `entry` holds a TurnCommand, and is this node's from here on.
  void commit(const std::shared_ptr<actors::Right>& right, std::shared_ptr<storage::Entry> entry,
              Done<storage::Outcome> done);

  /// Gives a right back in order: no new turns, those begun finish, their commits are known; then
  /// it is gone, or was gone already. kPrecondition if this node holds a later one, or is at it.
  void release(ShardId shard, const std::string& type, Epoch epoch, Done<void> done);
  /// All of them, for the end of the node.
  void release_all(Function<void()> done);

  /// What this node hosts from now on. Rights to other types stay until a leader asks for them, but
  /// nothing begins under them.
  void host(std::vector<std::string> types);

  std::size_t count() const { return pipelines_.size(); }
  std::vector<std::shared_ptr<actors::Right>> all() const;

 private:
  using Key = std::pair<ShardId, std::string>;
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(const std::pair<ShardId, std::string_view>& key) const {
      return std::hash<std::string_view>()(key.second) * 31 + key.first.value;
    }
  };
  struct KeyEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first == b.first && std::string_view(a.second) == std::string_view(b.second);
    }
  };
  struct KeyLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first != b.first ? a.first < b.first
                                : std::string_view(a.second) < std::string_view(b.second);
    }
  };
  using Found = std::unordered_map<Key, std::shared_ptr<actors::Right>, KeyHash, KeyEqual>;
  static constexpr std::size_t kStripes = 64;

  struct Held {
    std::shared_ptr<actors::Right> right;
    std::shared_ptr<CommitPipeline> pipeline;
    bool releasing = false;
  };

  Guarded<Found>& stripe(ShardId shard) const { return stripes_[shard.value % kStripes]; }
  void refresh(ShardId shard);
  bool knows_later(const placement::Row& row) const;
  bool hosts(const std::string& type) const;
  void begin(ShardId shard, const std::string& type, Epoch epoch);
  void end(const Key& key);

  placement::LeaseHolder holder_;
  NodeId self_;
  Generation generation_;
  Dependencies deps_;
  std::map<Key, Held, KeyLess> pipelines_;
  std::optional<std::vector<std::string>> types_;  // hosted here, sorted; nothing yet: all
  mutable std::array<Guarded<Found>, kStripes> stripes_;
};

}  // namespace troupe::cluster

#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "storage/raft/types.h"
#include <troupe/result.h>

namespace troupe::raft {

/// A replica in a configuration. Learners receive the log but neither vote nor count.
struct Member {
  Address address;
  bool voter = false;

  friend bool operator==(const Member&, const Member&) = default;
};

/// Who is in the group, in ring order: when a leader falls silent, the voter after it campaigns
/// first, then the one after that, round the ring.
struct Configuration {
  static constexpr std::size_t kMembersMax = 16;

  std::vector<Member> members;

  bool empty() const { return members.empty(); }
  bool contains(const Address& address) const { return find(address) != nullptr; }
  bool votes(const Address& address) const;
  std::size_t voters() const;
  /// The least number of voters that is a majority.
  std::size_t quorum() const { return voters() / 2 + 1; }

  /// Null if it is not a member. Lives as long as the configuration is unchanged.
  const Member* find(const Address& address) const;
  /// The member on `node`, whatever its replica id.
  const Member* on(NodeId node) const;

  /// How many voters come before `candidate` in the ring, counted from the one after `leader`: 0 is
  /// the first to campaign. Requires votes(candidate). A `leader` not in here counts as before all.
  std::size_t succession(const Address& candidate, const Address& leader) const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// The form in entries of kind kConfiguration, in snapshots and on disk.
std::string encode(const Configuration& configuration);

/// kDataLoss for anything that encode() does not write: among others more than kMembersMax
/// members, a node twice, or an empty node id.
Result<Configuration> decode_configuration(std::string_view bytes);

/// Whether a group may go from one to the other in one step: at most one voter more or
/// fewer (so that majorities of both always meet); no node twice; at least one
/// voter; a new voter was a learner before; a node that gets another replica id gets a higher one.
/// kInvalid says what is wrong.
Result<void> check_step(const Configuration& from, const Configuration& to);

/// The configurations of a log: the one it starts with, and those of its entries. A configuration
/// counts from the moment its entry is appended, and no longer once that entry is truncated.
class ConfigurationHistory {
 public:
  ConfigurationHistory(Index index, Configuration configuration);

  /// Requires that `index` is past the newest.
  void append(Index index, Configuration configuration);
  /// Forgets those at `from` and after. The first one stays.
  void truncate(Index from);
  /// Forgets those that were replaced at or before `index`.
  void compact(Index index);

  /// The newest: in force, if not yet committed.
  const Configuration& latest() const { return steps_.back().configuration; }
  Index latest_index() const { return steps_.back().index; }
  /// The one in force at `index`; the first, if `index` is before it.
  const Configuration& at(Index index) const;

 private:
  struct Step {
    Index index;
    Configuration configuration;
  };

  std::deque<Step> steps_;  // never empty; indexes grow
};

}  // namespace troupe::raft

#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/cluster/world.h"

namespace troupe::sim {

/// Takes backups of a cluster as `troupe backup` does, amid whatever happens to it, and looks
/// whether what was cut fits together: the money of all accounts, with what is on its way, and the
/// order of their messages.
class BackupTaker {
 public:
  /// `meanwhile` is called again and again while nodes are waited for, and lets time pass.
  BackupTaker(World& world, std::function<void()> meanwhile)
      : world_(world), meanwhile_(std::move(meanwhile)) {}

  /// True if there was a backup: nothing went wrong on the way.
  bool take();

 private:
  using Row = std::pair<std::string, std::string>;  // key, value
  using Leads = std::map<std::size_t, std::vector<ShardId>>;

  Leads leads();
  bool every(
      const Leads& leads,
      const std::function<void(cluster::Backups&, const std::vector<ShardId>&, Done<void>)>& step);
  bool read(std::size_t machine, ShardId shard);
  void end(const Leads& leads);
  void check();

  World& world_;
  std::function<void()> meanwhile_;
  int taken_ = 0;
  std::string name_;
  std::map<ShardId, std::vector<Row>> rows_;
};

}  // namespace troupe::sim

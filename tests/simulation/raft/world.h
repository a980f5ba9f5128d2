#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/raft/ledger.h"
#include "tests/simulation/raft/node.h"
#include "tests/support/sim_network.h"
#include "tests/support/sim_timeline.h"

namespace troupe::raft {

/// What one round is like. Everything else its seed decides.
struct Profile {
  int nodes = 3;
  int voters = 3;
  bool members_change = false;
  Index trailing = 0;  // compacts to this many entries; 0: never
  Duration chaos = std::chrono::seconds(12);
  Duration healing = std::chrono::seconds(20);  // at most
};

/// What came of it.
struct Outcome {
  std::optional<std::string> violation;
  std::uint64_t acknowledged = 0;
  std::uint64_t reads = 0;
  std::uint64_t crashes = 0;
  std::uint64_t elections = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t changes = 0;      // of members
  std::uint64_t fingerprint = 0;  // equal for equal seeds
};

/// One group of replicas, a time of chaos, and a time to heal, in which it must recover.
class World {
 public:
  World(Profile profile, std::uint64_t seed);

  Outcome run();

 private:
  void arrange_clients();
  void arrange_chaos();
  void wreak_havoc();
  void crash(Node& node);
  void partition();
  void change_members();
  void transfer();
  void suspect();
  void slow_disk();
  void heal();
  bool recovered();

  Node& any() { return *nodes_[random_.below(nodes_.size())]; }
  /// Whoever believes that it leads in the newest term. Null if nobody.
  Node* leader();
  Node* node(NodeId id);

  Profile profile_;
  Random random_;
  sim::SimClock clock_;
  sim::SimTimeline timeline_;
  sim::SimNetwork network_;
  Ledger ledger_;
  std::vector<std::unique_ptr<Node>> nodes_;
  bool chaotic_ = true;
  Index goal_ = 0;  // committed after healing
  std::uint64_t commands_ = 0;
  std::uint64_t replicas_ = 0;
  Outcome outcome_;
};

}  // namespace troupe::raft

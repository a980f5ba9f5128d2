#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/codec.h"
#include "storage/raft/raft.h"
#include "tests/simulation/raft/ledger.h"
#include "tests/support/sim_disk.h"
#include "tests/support/sim_network.h"
#include "tests/support/sim_timeline.h"

namespace troupe::raft {

/// What the nodes of a simulated group share.
struct Surroundings {
  sim::SimTimeline& timeline;
  sim::SimNetwork& network;
  Random& random;
  Ledger& ledger;
  Index trailing;  // compacts to this many entries; 0: never
};

/// A node with at most one replica of one group: the driver of a Raft, over a simulated disk and
/// network. Its state machine is a hash of all that it applied.
class Node {
 public:
  Node(NodeId id, const Surroundings& around);

  NodeId id() const { return id_; }
  /// Puts a founding replica on the disk.
  void found(ReplicaId replica, Configuration configuration);
  void start();
  void crash();
  bool running() const { return raft_ != nullptr; }
  sim::SimDisk<std::vector<Function<void()>>>& disk() { return disk_; }

  /// Null unless running.
  Raft* raft() { return raft_.get(); }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t snapshots() const { return snapshots_; }

  void propose(const std::string& command);
  void read();
  /// Takes and does what there is to do. After every call into raft().
  void drain();

 private:
  struct Durable {
    ReplicaId replica;
    HardState hard_state;
    LogStart log_start;
    std::map<Index, Entry> log;
    Index applied = 0;
    std::uint64_t hash = 0;
  };
  struct Snapshot {
    LogStart start;
    std::uint64_t hash = 0;
  };
  using Batch = std::vector<Function<void()>>;

  Address self() const { return {.node = id_, .replica = durable_.replica}; }
  void create(ReplicaId replica);
  void launch();
  void arrange_tick();
  void receive(const std::string& packet);
  void receive_snapshot(Reader reader);
  void receive_report(Reader reader);
  void take_writes(Ready& ready, Batch& batch);
  void apply(const Entry& entry);
  void send_snapshot(const SendSnapshot& order);
  void report(const Address& to, bool installed, Index index);

  NodeId id_;
  Surroundings around_;
  Durable durable_;
  sim::SimDisk<Batch> disk_;
  std::uint64_t life_ = 0;

  // Lost in a crash.
  std::unique_ptr<Raft> raft_;
  std::uint64_t hash_ = 0;
  Snapshot installing_;
  std::map<Index, std::string> proposals_;        // ours, whose outcome is not known
  std::map<std::uint64_t, Index> pending_reads_;  // context -> newest acknowledged then
  std::map<Address, std::uint64_t> sending_;      // snapshots on their way

  std::uint64_t contexts_ = 0;
  std::uint64_t snapshots_ = 0;
};

}  // namespace troupe::raft

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/activation/inline_scheduler.h"
#include "actors/directory/actors.h"
#include "runtime/cluster/cluster.h"
#include "tests/support/sim_fabric.h"
#include "tests/support/sim_store.h"

namespace troupe::sim {

/// Time as one machine has it: counted from its start, a little faster or slower than others do,
/// with a calendar that may be wrong.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(const Clock& common) : common_(common), booted_(common.now()) {}
  Time now() const override { return at(common_.now()); }
  WallTime wall() const override { return common_.wall() + offset; }

  /// The machine starts: what its clock shows, and by how many millionths it is fast.
  void boot(Time shown, Duration::rep fast) {
    booted_ = common_.now();
    shown_ = shown;
    fast_ = fast;
  }
  /// The first common moment at which this clock has reached `local`.
  Time common(Time local) const;

  Duration offset{0};  // of the calendar

 private:
  static constexpr Duration::rep kMillion = 1'000'000;
  Time at(Time common) const {
    return shown_ + Duration((common - booted_).count() * (kMillion + fast_) / kMillion);
  }

  const Clock& common_;
  Time booted_;
  Time shown_ = booted_;
  Duration::rep fast_ = 0;
};

/// A thread of a process, which goes by its machine's clock.
class MachineExecutor final : public Executor {
 public:
  MachineExecutor(std::shared_ptr<SimProcess> process, const MachineClock& clock)
      : process_(std::move(process)), clock_(clock) {}

  void post(Work work) override { process_->at(process_->now(), std::move(work)); }
  void post_at(Time when, Work work) override {
    process_->at(clock_.common(when), std::move(work));
  }

 private:
  std::shared_ptr<SimProcess> process_;
  const MachineClock& clock_;
};

/// What survives a process.
struct Machine {
  Machine(NodeId its_id, std::string its_address, const Clock& common)
      : id(its_id), address(std::move(its_address)), clock(common) {}

  NodeId id;
  std::string address;
  MachineClock clock;
  SimPlatter platter;
};

/// Hears what all nodes do, to say what they must not.
class Witness {
 public:
  virtual ~Witness() = default;

  /// A commit took effect under `right` as entry `index` of its shard (0: not known), for an actor
  /// of `process`.
  virtual void committed(const SimProcess& process, const actors::Right& right, const ActorKey& key,
                         std::uint64_t index) = 0;
  /// A node answered as the owner of an actor.
  virtual void answered(ShardId shard, const std::string& type) = 0;
  virtual void fatal(NodeId node, const Error& error) = 0;
};

/// One process of the runtime: the cluster and the real actors, on simulated wires and disk.
class Node final : private cluster::Hosting {
 public:
  struct World {
    SimTimeline& timeline;
    SimFabric& fabric;
    Random& random;
    Witness& witness;
    Log log;
  };

  Node(World world, Machine& machine, cluster::ClusterOptions options,
       std::vector<std::shared_ptr<const ActorType>> types);
  ~Node() override;

  void start();
  /// In order; `gone` once nothing is left.
  void stop(Function<void()> gone);
  /// As kill -9.
  void kill();

  bool alive() const { return process_->alive(); }
  bool stopping() const { return stopping_; }
  SimProcess& process() { return *process_; }
  cluster::Cluster& cluster() { return *cluster_; }
  bool ready() const { return alive() && hosting_; }
  NodeId id() const { return machine_.id; }
  Generation generation() const { return generation_; }
  SimStore& store() { return *store_; }
  Time now() const { return machine_.clock.now(); }

  void call(actors::Call call);

 private:
  class WatchedShards;

  void registered(Generation generation);
  void deliver(actors::Call call) override;
  void drain(const std::shared_ptr<actors::Right>& right, Function<void()> done) override;

  World world_;
  Machine& machine_;
  std::vector<std::shared_ptr<const ActorType>> types_;
  std::shared_ptr<SimProcess> process_;
  MachineExecutor loop_;
  MachineExecutor timers_;
  std::shared_ptr<SimEndpoint> endpoint_;
  std::unique_ptr<SimStore> store_;
  actors::InlineScheduler scheduler_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<WatchedShards> shards_;
  std::unique_ptr<actors::Actors> actors_;
  Generation generation_;
  bool hosting_ = false;
  bool stopping_ = false;
};

}  // namespace troupe::sim

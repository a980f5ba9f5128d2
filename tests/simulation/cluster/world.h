#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/simulation/cluster/node.h"
#include <troupe/message.h>

namespace troupe::sim {

struct WorldOptions {
  std::size_t machines = 3;
  std::uint32_t expect = 3;  // founders
  bool all_expect = false;   // the others, too, would be founders
  std::uint32_t shards = 8;
  std::size_t storing = 64;                   // machines, the first; the others only host actors
  std::size_t snapshot_part = 256U << 10U;    // bytes
  std::uint64_t snapshot_rate = 100'000'000;  // bytes a second
  Duration grace = std::chrono::minutes(5);   // before a dead node's replicas are replaced
  cluster::Takeover takeover = cluster::Takeover::kLease;
  Duration::rep drift = 0;  // at most, of each machine's clock, in millionths
};

/// Machines, their wires, and the processes on them, in one thread and in virtual time. All chance
/// comes from the seed.
class World final : private Witness {
 public:
  /// What became of a call.
  struct Answer {
    std::optional<Result<actors::Reply>> outcome;
    Time asked;
    Time answered;
    Time deadline;
    std::shared_ptr<SimProcess> origin;  // where it was asked
    ActorKey key;
    std::string method;
    Payload message;
    storage::CallId id;  // chosen by the client, which may ask again; empty: it did not

    bool ok() const { return outcome && *outcome; }
    /// An error's name, or "pending".
    std::string problem() const;
    template <class T>
    T value() const {
      return *decode_message<T>((**outcome).body);
    }
  };
  using AnswerPtr = std::shared_ptr<Answer>;

  World(std::uint64_t seed, WorldOptions options);
  ~World() override;

  std::size_t add_machine();
  std::size_t size() const { return machines_.size(); }
  /// Null while no process runs there.
  Node* node(std::size_t machine) { return nodes_[machine].get(); }
  bool ready(std::size_t machine) { return node(machine) != nullptr && node(machine)->ready(); }
  bool all_ready();

  void start(std::size_t machine);
  void stop(std::size_t machine);
  /// kill -9; with `power_loss`, what was not synced may be gone too.
  void crash(std::size_t machine, bool power_loss = true);
  /// As SIGSTOP. Others give up its connections after a while.
  void pause(std::size_t machine);
  void resume(std::size_t machine) { node(machine)->process().resume(); }
  /// Its disk fails: the process must give up.
  void break_disk(std::size_t machine);
  /// As the operator steps the calendar of a machine.
  void step_calendar(std::size_t machine, Duration by);
  /// How far apart two calendars have been at most, at any times.
  Duration calendar_spread() const { return latest_ - earliest_; }
  /// Asks the meta shard, by way of `machine`, to drain another, or no longer.
  void drain(std::size_t machine, std::size_t drained, bool draining);

  Time now() const { return clock_.now(); }
  void run(Duration duration) {
    timeline_.run_until(now() + duration, [] { return false; });
  }
  /// False if it took longer than `limit`.
  template <class Condition>
  bool run_until(Duration limit, Condition condition) {
    const Time end = now() + limit;
    while (!condition()) {
      if (now() >= end) return false;
      run(std::chrono::milliseconds(1));
    }
    return true;
  }

  template <class T>
  AnswerPtr call(std::size_t machine, std::string_view type, const std::string& id,
                 std::string method, const T& message, Duration patience) {
    return call_bytes(machine, type, id, std::move(method), encode_message<T>(message), patience);
  }
  AnswerPtr call(std::size_t machine, std::string_view type, const std::string& id,
                 std::string method, Duration patience) {
    return call_bytes(machine, type, id, std::move(method), {}, patience);
  }

  /// Asks the same once more, by way of `machine`, of a call that has an id: until its deadline it
  /// has its effect once. `may_have_run`: what became of an earlier attempt is not known.
  AnswerPtr ask_again(std::size_t machine, const Answer& first, bool may_have_run);
  /// Its client has its answer or has given it up, and asks no more: calls that begin from now on
  /// say so.
  void done_with(const Answer& call) { open_.erase(call.id.sequence); }

  /// The machine whose process leads the shard, as it says; none if nobody does, or two.
  std::optional<std::size_t> leader(ShardId shard);
  /// Empty if all replicas of each shard are equal; otherwise what is not.
  std::string compare_replicas();
  std::uint32_t shard_count() const { return options_.shards; }
  ShardId shard_of(std::string_view type, std::string_view id) const {
    return placement::shard_of(type, id, options_.shards);
  }

  Random& random() { return random_; }
  SimFabric& fabric() { return fabric_; }
  NodeId id(std::size_t machine) const { return machines_[machine]->id; }
  /// Who leads, follows and owns what, as each node sees it: into the log.
  void describe();
  /// Into the log, if one is wanted.
  void say(const std::string& what);
  bool talks() const;
  /// What must never happen, and did.
  const std::vector<std::string>& violations() const { return violations_; }
  void violation(std::string what) { violations_.push_back(std::move(what)); }

 private:
  class Screen;

  AnswerPtr call_bytes(std::size_t machine, std::string_view type, const std::string& id,
                       std::string method, Payload message, Duration patience);
  AnswerPtr begin(std::size_t machine, AnswerPtr answer, bool may_have_run);
  void committed(const SimProcess& process, const actors::Right& right, const ActorKey& key,
                 std::uint64_t index) override;
  void boot(Machine& machine);
  void answered(ShardId shard, const std::string& type) override;
  void fatal(NodeId node, const Error& error) override;

  WorldOptions options_;
  Random random_;
  SimClock clock_;
  SimTimeline timeline_{clock_};
  SimFabric fabric_{timeline_, random_};
  std::unique_ptr<Screen> screen_;
  std::vector<std::shared_ptr<const ActorType>> types_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Node>> graveyard_;
  std::map<std::pair<std::string, Epoch>, const SimProcess*> committers_;  // by shard and type
  std::map<std::string, std::map<std::uint64_t, Epoch>> commits_;          // index: epoch
  std::map<std::size_t, std::uint64_t> paused_;                            // machine: which pause
  std::uint64_t pauses_ = 0;
  std::uint64_t calls_ = 0;
  std::set<std::uint64_t> open_;  // of those with a name
  Duration earliest_{0};
  Duration latest_{0};
  std::vector<std::string> violations_;
};

}  // namespace troupe::sim

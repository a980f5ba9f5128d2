#include "tests/simulation/cluster/node.h"

#include <utility>

namespace troupe::sim {

Time MachineClock::common(Time local) const {
  constexpr Duration kFar = std::chrono::hours(24 * 365);
  if (local - now() > kFar) return Time::max();
  Time moment = booted_ + Duration((local - shown_).count() * kMillion / (kMillion + fast_));
  while (at(moment) < local) moment += Duration(1);
  return moment;
}

/// The cluster's shards, with a witness of each commit.
class Node::WatchedShards final : public actors::Shards {
 public:
  WatchedShards(Shards& shards, const SimProcess& process, Witness& witness)
      : shards_(shards), process_(process), witness_(witness) {}

  ShardId shard_of(std::string_view type, std::string_view id) const override {
    return shards_.shard_of(type, id);
  }
  std::shared_ptr<actors::Right> right(ShardId shard, std::string_view type) const override {
    return shards_.right(shard, type);
  }
  void commit(std::shared_ptr<actors::Right> right, storage::TurnCommand command,
              Done<storage::Outcome> done) override {
    ActorKey key{.type = command.type, .id = command.id};
    shards_.commit(
        right, std::move(command),
        [this, right, key, done = std::move(done)](Result<storage::Outcome> outcome) mutable {
          if (outcome && outcome->kind == storage::Outcome::Kind::kApplied) {
            witness_.committed(process_, *right, key, outcome->index);
          }
          done(std::move(outcome));
        });
  }
  void load(std::shared_ptr<actors::Right> right, ActorKey key,
            Done<std::vector<std::pair<std::string, actors::StoredValue>>> done) override {
    shards_.load(std::move(right), std::move(key), std::move(done));
  }
  void recall(std::shared_ptr<actors::Right> right, storage::CallId id,
              Done<std::optional<storage::Outcome>> done) override {
    shards_.recall(std::move(right), id, std::move(done));
  }
  void reminders(std::shared_ptr<actors::Right> right, ActorKey key, std::string name,
                 Done<std::vector<actors::StoredReminder>> done) override {
    shards_.reminders(std::move(right), std::move(key), std::move(name), std::move(done));
  }
  void confirm(std::shared_ptr<actors::Right> right, Done<void> done) override {
    shards_.confirm(std::move(right), std::move(done));
  }

 private:
  Shards& shards_;
  const SimProcess& process_;
  Witness& witness_;
};

Node::Node(World world, Machine& machine, cluster::ClusterOptions options,
           std::vector<std::shared_ptr<const ActorType>> types)
    : world_(world),
      machine_(machine),
      types_(std::move(types)),
      process_(std::make_shared<SimProcess>(world.timeline)),
      loop_(process_, machine.clock),
      timers_(process_, machine.clock),
      endpoint_(world.fabric.attach(machine.id, machine.address, process_)),
      store_(std::make_unique<SimStore>(process_, machine.platter, world.random)) {
  cluster_ = std::make_unique<cluster::Cluster>(
      std::move(options),
      cluster::Cluster::Dependencies{
          .clock = machine_.clock,
          .loop = loop_,
          .network = *endpoint_,
          .disk = *store_,
          .random = world_.random,
          .log = world_.log,
          .fatal = [this](const Error& error) { world_.witness.fatal(machine_.id, error); },
          .joined = [](const std::string& /*cluster*/) {}});
  endpoint_->listen(*cluster_);
  process_->after_each = [this] { scheduler_.run(); };
}

Node::~Node() {
  if (alive()) kill();
  // Closures that hold parts of actors go before what they point to.
  process_->after_each = nullptr;
}

void Node::start() {
  process_->happens(
      [this] { cluster_->start([this](Generation generation) { registered(generation); }); });
}

void Node::registered(Generation generation) {
  generation_ = generation;
  shards_ = std::make_unique<WatchedShards>(*cluster_, *process_, world_.witness);
  actors_ = std::make_unique<actors::Actors>(
      actors::ActorsDependencies{.clock = machine_.clock,
                                 .shards = *shards_,
                                 .router = cluster_->router(),
                                 .scheduler = scheduler_,
                                 .blocking = scheduler_,
                                 .timers = timers_,
                                 .ids = cluster_->ids(),
                                 .log = world_.log.named("actors")},
      types_);
  actors_->start();
  std::vector<std::string> names;
  for (const auto& type : types_) names.push_back(type->name);
  cluster_->host(*this, std::move(names));
  hosting_ = true;
}

void Node::stop(Function<void()> gone) {
  stopping_ = true;
  auto kept = std::make_shared<Function<void()>>(std::move(gone));
  process_->happens([this, kept] {
    cluster_->stop([this, kept] {
      if (!actors_) return kill(), (*kept)();
      actors_->stop(machine_.clock.now() + std::chrono::seconds(5), [this, kept] {
        // Not from inside what it would destroy.
        world_.timeline.after(Duration(0), [this, kept] {
          kill();
          (*kept)();
        });
      });
    });
  });
}

void Node::kill() {
  if (!alive()) return;
  process_->kill();
  store_->process_died();
  world_.fabric.detach(endpoint_);
}

void Node::call(actors::Call call) {
  auto held = std::make_shared<actors::Call>(std::move(call));
  process_->happens([this, held] { cluster_->router().route(std::move(*held)); });
}

void Node::deliver(actors::Call call) {
  call.done = [this, key = call.key,
               done = std::move(call.done)](Result<actors::Reply> reply) mutable {
    if (reply) world_.witness.answered(cluster_->shard_of(key.type, key.id), key.type);
    done(std::move(reply));
  };
  actors_->deliver(std::move(call));
}

void Node::drain(const std::shared_ptr<actors::Right>& right, Function<void()> done) {
  actors_->drain(right, std::move(done));
}

}  // namespace troupe::sim

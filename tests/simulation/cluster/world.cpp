#include "tests/simulation/cluster/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "storage/shard/snapshot.h"
#include "tests/simulation/cluster/actors.h"

namespace troupe::sim {

/// Shows what the nodes say, with virtual time, if TROUPE_LOG is set.
class World::Screen final : public LogSink {
 public:
  explicit Screen(const World& world) : world_(world) {
    const char* wanted = std::getenv("TROUPE_LOG");
    if (wanted != nullptr)
      level_ = std::string(wanted) == "debug" ? LogLevel::kDebug : LogLevel::kInfo;
  }

  bool wants(LogLevel level, std::string_view /*component*/) const override {
    return level >= level_ && level_ != LogLevel::kOff;
  }
  void write(LogLevel /*level*/, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields) override {
    std::string line =
        std::to_string(milliseconds()) + " " + std::string(component) + ": " + std::string(message);
    for (const LogField& field : fields) {
      line += " " + std::string(field.name) + "=" + field.value;
    }
    std::fprintf(stderr, "%s\n", line.c_str());
  }

 private:
  std::int64_t milliseconds() const {
    return (world_.now() - Time(std::chrono::hours(1))) / std::chrono::milliseconds(1);
  }

  const World& world_;
  LogLevel level_ = LogLevel::kOff;
};

std::string World::Answer::problem() const {
  if (!outcome) return "pending";
  if (*outcome) return "";
  return std::to_string(static_cast<int>(outcome->error().code)) + " " + outcome->error().message;
}

World::World(std::uint64_t seed, WorldOptions options)
    : options_(options), random_(seed), screen_(std::make_unique<Screen>(*this)) {
  types_.push_back(std::make_shared<ActorType>(actor_type_of<Ledger>()));
  types_.push_back(std::make_shared<ActorType>(actor_type_of<Account>()));
  types_.push_back(std::make_shared<ActorType>(actor_type_of<Alarm>()));
  for (std::size_t i = 0; i < options.machines; ++i) add_machine();
}

World::~World() {
  for (const auto& node : nodes_) {
    if (node) node->kill();
  }
}

std::size_t World::add_machine() {
  const std::size_t number = machines_.size();
  const NodeId id{.high = random_.next(), .low = random_.next()};
  machines_.push_back(
      std::make_unique<Machine>(id, "10.0.0." + std::to_string(number + 1) + ":7400", clock_));
  boot(*machines_.back());
  nodes_.emplace_back();
  return number;
}

void World::boot(Machine& machine) {
  const auto drift = static_cast<std::uint64_t>(options_.drift);
  machine.clock.boot(Time(std::chrono::seconds(random_.below(100'000))),
                     static_cast<Duration::rep>(random_.below(2 * drift + 1)) - options_.drift);
}

bool World::all_ready() {
  for (std::size_t i = 0; i < size(); ++i) {
    if (!ready(i)) return false;
  }
  return true;
}

void World::start(std::size_t number) {
  Machine& machine = *machines_[number];
  cluster::ClusterOptions options;
  options.self.id = machine.id;
  options.self.storage = number < options_.storing;
  options.self.address = *placement::parse_address(machine.address);
  options.founding.self = machine.id;
  options.founding.address = machine.address;
  options.founding.expect = options_.all_expect || number < options_.expect ? options_.expect : 0;
  options.founding.shard_count = options_.shards;
  options.allocator.grace_period = options_.grace;
  options.takeover = options_.takeover;
  options.snapshots.chunk_bytes = options_.snapshot_part;
  options.snapshots.bytes_per_second = options_.snapshot_rate;
  const bool alone = options_.expect == 1 && number == 0;
  for (std::size_t i = 0; i < options_.machines && !alone; ++i) {
    if (i != number) options.founding.seeds.push_back(machines_[i]->address);
  }
  nodes_[number] = std::make_unique<Node>(Node::World{.timeline = timeline_,
                                                      .fabric = fabric_,
                                                      .random = random_,
                                                      .witness = *this,
                                                      .log = Log(*screen_, "node")},
                                          machine, std::move(options), types_);
  nodes_[number]->start();
}

void World::stop(std::size_t machine) {
  if (node(machine) == nullptr || node(machine)->stopping()) return;
  node(machine)->stop([this, machine, stopped = node(machine)] {
    if (nodes_[machine].get() == stopped) graveyard_.push_back(std::move(nodes_[machine]));
  });
}

void World::crash(std::size_t machine, bool power_loss) {
  if (node(machine) == nullptr) return;
  node(machine)->kill();
  if (power_loss) {
    machines_[machine]->platter.lose_power(random_);
    boot(*machines_[machine]);
  }
  graveyard_.push_back(std::move(nodes_[machine]));
}

World::AnswerPtr World::call_bytes(std::size_t machine, std::string_view type,
                                   const std::string& id, std::string method, Payload message,
                                   Duration patience) {
  auto answer = std::make_shared<Answer>();
  answer->deadline = now() + patience;
  answer->key = {.type = std::string(type), .id = id};
  answer->method = std::move(method);
  answer->message = std::move(message);
  // Every other call has a name of its client's.
  if (++calls_ % 2 == 0) {
    answer->id = {.origin = {~0U, 1}, .generation = {}, .sequence = calls_};
    open_.insert(calls_);
  }
  return begin(machine, std::move(answer), false);
}

World::AnswerPtr World::ask_again(std::size_t machine, const Answer& first, bool may_have_run) {
  auto answer = std::make_shared<Answer>();
  answer->deadline = first.deadline;
  answer->key = first.key;
  answer->method = first.method;
  answer->message = first.message;
  answer->id = first.id;
  return begin(machine, std::move(answer), may_have_run);
}

World::AnswerPtr World::begin(std::size_t machine, AnswerPtr answer, bool may_have_run) {
  answer->asked = now();
  Node* origin = node(machine);
  if (origin == nullptr || !origin->ready()) {
    answer->outcome = fail(Code::kUnavailable, "this node does not run");
    return answer;
  }
  if (talks()) {
    say("call from " + std::to_string(machine) + " " + to_string(answer->key) + " " +
        answer->method + " " + std::string(answer->message.view()) +
        (may_have_run ? " again" : ""));
  }
  answer->origin = origin->process().shared_from_this();
  actors::Call call;
  call.key = answer->key;
  call.method = answer->method;
  call.message = answer->message;
  call.content_type = call.message.empty() ? "" : "application/json";
  call.deadline = origin->now() + (answer->deadline - now());
  call.id = answer->id;
  call.may_repeat = !call.id.empty();
  if (call.may_repeat && !open_.empty()) call.done_below = *open_.begin();
  call.redirects = may_have_run ? 1 : 0;
  call.done = [this, answer](Result<actors::Reply> reply) {
    if (answer->outcome) violation("a call was answered twice");
    answer->answered = now();
    answer->outcome = std::move(reply);
  };
  origin->call(std::move(call));
  return answer;
}

void World::pause(std::size_t machine) {
  Node* paused = node(machine);
  if (paused->process().paused()) return;
  paused->process().pause();
  const std::uint64_t pause = ++pauses_;
  paused_[machine] = pause;
  timeline_.after(fabric_.options.keepalive, [this, machine, paused, pause] {
    if (paused_[machine] != pause || node(machine) != paused || !paused->process().paused()) return;
    for (std::size_t i = 0; i < size(); ++i) {
      if (i != machine) fabric_.reset(id(machine), id(i));
    }
  });
}

void World::break_disk(std::size_t machine) {
  if (node(machine) == nullptr) return;
  node(machine)->store().failure = Error{.code = Code::kDataLoss, .message = "the disk is broken"};
}

void World::step_calendar(std::size_t machine, Duration by) {
  Duration& offset = machines_[machine]->clock.offset;
  offset += by;
  earliest_ = std::min(earliest_, offset);
  latest_ = std::max(latest_, offset);
}

void World::drain(std::size_t machine, std::size_t drained, bool draining) {
  if (!ready(machine)) return;
  node(machine)->process().happens([this, machine, drained, draining] {
    node(machine)->cluster().meta()->command(
        cluster::DrainNode{.node = id(drained), .draining = draining}, std::chrono::seconds(5),
        [](const Result<std::string>& /*answer*/) {});
  });
}

// One process writes in an epoch, and epochs follow one another in the log.
void World::committed(const SimProcess& process, const actors::Right& right, const ActorKey& key,
                      std::uint64_t index) {
  const std::string name = std::to_string(right.shard.value) + " " + right.type;
  const auto [known, fresh] = committers_.emplace(std::pair(name, right.epoch), &process);
  if (!fresh && known->second != &process) {
    violation("two processes committed for " + to_string(key) + " in epoch " +
              std::to_string(right.epoch.value));
  }
  if (talks()) {
    say("commit " + std::to_string(index) + " of " + name + " epoch " +
        std::to_string(right.epoch.value) + " for " + to_string(key));
  }
  if (index == 0) return;
  auto& commits = commits_[name];
  const auto [commit, first] = commits.emplace(index, right.epoch);
  const auto next = std::next(commit);
  if (!first || (next != commits.end() && next->second < right.epoch) ||
      (commit != commits.begin() && right.epoch < std::prev(commit)->second)) {
    violation("a commit for " + to_string(key) + " in epoch " + std::to_string(right.epoch.value) +
              " is out of order in its shard");
  }
}

void World::answered(ShardId shard, const std::string& type) {
  int owners = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!ready(i)) continue;
    const auto right = node(i)->cluster().right(shard, type);
    if (right && right->lets_out(node(i)->now())) ++owners;
  }
  if (owners > 1) {
    violation("an answer left while " + std::to_string(owners) + " nodes held " + type +
              " in shard " + std::to_string(shard.value));
  }
}

void World::describe() {
  for (std::size_t i = 0; i < size(); ++i) {
    if (!ready(i)) {
      say("machine " + std::to_string(i) + " is not ready");
      continue;
    }
    cluster::Cluster& cluster = node(i)->cluster();
    say("machine " + std::to_string(i) + ", node " + short_name(id(i)) +
        (node(i)->process().paused() ? ", paused" : ""));
    for (std::uint32_t shard = 0; shard <= options_.shards; ++shard) {
      const bool meta = shard == options_.shards;
      const auto row = cluster.table()->lookup(ShardId{shard});
      std::string text = "  shard " + std::to_string(shard);
      if (row) {
        text += " row " + std::to_string(row->version.term) + "." +
                std::to_string(row->version.index) + " leader " + short_name(row->leader);
        for (const auto& each : row->replicas) {
          text += " " + short_name(each.node) + "/" + std::to_string(each.replica.value) +
                  (each.voter ? "" : "?");
        }
        for (const auto& each : row->owners) {
          text += " " + each.type + ":" + short_name(each.node) + "@" +
                  std::to_string(each.epoch.value);
        }
      }
      const auto* replica = cluster.replicas().find(meta ? kMetaShard : ShardId{shard});
      if (replica != nullptr) {
        const auto& raft = replica->raft();
        text += " | replica " + std::to_string(replica->keys().replica().value) + " term " +
                std::to_string(raft.term()) + " role " +
                std::to_string(static_cast<int>(raft.role())) + (replica->leads() ? " leads" : "") +
                " applied " + std::to_string(replica->applied()) + " committed " +
                std::to_string(raft.committed()) + " follows " +
                short_name(raft.standing().leader.node);
      }
      say(text);
    }
  }
}

bool World::talks() const { return screen_->wants(LogLevel::kInfo, "world"); }

void World::say(const std::string& what) { Log(*screen_, "world").info(what, {}); }

void World::fatal(NodeId id, const Error& error) {
  for (std::size_t i = 0; i < size(); ++i) {
    Node* failed = node(i);
    if (failed == nullptr || failed->id() != id || !failed->store().failure) continue;
    // It gives up, as it should: once nothing of it is on the stack.
    return timeline_.after(Duration(0), [this, i, failed] {
      if (node(i) == failed) crash(i, random_.chance(0.5));
    });
  }
  violation("node " + short_name(id) + " gave up: " + error.message);
}

std::optional<std::size_t> World::leader(ShardId shard) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!ready(i)) continue;
    const cluster::Replica* replica = node(i)->cluster().replicas().find(shard);
    if (replica == nullptr || !replica->leads()) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

std::string World::compare_replicas() {
  for (std::uint32_t shard = 0; shard < options_.shards; ++shard) {
    const std::string name = "shard " + std::to_string(shard);
    const auto led = leader(ShardId{shard});
    if (!led) return name + " has no leader";
    cluster::Replicas& led_by = node(*led)->cluster().replicas();
    const cluster::Replica& first = *led_by.find(ShardId{shard});
    led_by.writer().settle();
    const auto expected = storage::replica_hash(led_by.writer(), first.keys());
    for (const raft::Member& member : first.raft().committed_configuration().members) {
      const auto at = std::ranges::find_if(
          machines_, [&](const auto& each) { return each->id == member.address.node; });
      Node* holder = node(static_cast<std::size_t>(at - machines_.begin()));
      if (holder == nullptr || !holder->ready()) continue;
      const cluster::Replica* replica = holder->cluster().replicas().find(ShardId{shard});
      if (replica == nullptr || replica->keys().replica() != member.address.replica) {
        return name + " lacks a replica on " + short_name(member.address.node);
      }
      if (replica->applied() != first.applied()) return name + " is behind somewhere";
      storage::GroupWriter& writer = holder->cluster().replicas().writer();
      writer.settle();
      const auto hash = storage::replica_hash(writer, replica->keys());
      if (!hash || !expected || !(*hash == *expected)) return name + " has unequal replicas";
    }
  }
  return {};
}

}  // namespace troupe::sim

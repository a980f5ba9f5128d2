#include "runtime/cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "runtime/base/codec.h"
#include "runtime/cluster/groups.h"
#include "storage/replica_log.h"

namespace troupe::cluster {
namespace {

constexpr std::string_view kClusterRecord = "cluster";
constexpr std::string_view kPromiseRecord = "promise";
constexpr std::string_view kGenerationRecord = "generation";
constexpr std::string_view kStartRecord = "start";
constexpr auto kEnrollPatience = std::chrono::seconds(3600);
constexpr auto kLookInterval = std::chrono::milliseconds(20);
constexpr std::uint64_t kFirstReplicasMax = 3;  // of each group
// Answers carry only a number: those of two processes of one node must not be the same.
constexpr int kQuestionIdBits = 48;  // the first is at random
constexpr int kCallIdBits = 32;      // beside the generation
constexpr auto kHandOverStep = std::chrono::milliseconds(20);

std::string encode_number(std::uint64_t value) {
  Writer out;
  out.number(value);
  return out.take();
}

std::uint64_t decode_number(const std::optional<std::string>& bytes) {
  if (!bytes) return 0;
  Reader in(*bytes);
  return in.number();
}

std::string encode_numbers(const std::vector<std::uint64_t>& values) {
  Writer out;
  out.number(values.size());
  for (const std::uint64_t value : values) out.number(value);
  return out.take();
}

std::vector<std::uint64_t> decode_numbers(const std::optional<std::string>& bytes,
                                          std::size_t max) {
  std::vector<std::uint64_t> values;
  if (!bytes) return values;
  Reader in(*bytes);
  for (std::uint64_t left = in.number_up_to(max); left > 0; --left) values.push_back(in.number());
  return values;
}

}  // namespace

// What this node wrote down about itself, in its store.
struct Cluster::Stored {
  Proposal cluster;
  Proposal promised;
  Generation generation;
  std::vector<std::uint64_t> starts;  // of processes since that generation was written down

  static Result<Stored> load(const storage::Reads& reads) {
    Stored stored;
    const auto cluster = storage::node_record(reads, kClusterRecord);
    const auto promised = storage::node_record(reads, kPromiseRecord);
    const auto generation = storage::node_record(reads, kGenerationRecord);
    const auto start = storage::node_record(reads, kStartRecord);
    for (const auto* record : {&cluster, &promised, &generation, &start}) {
      if (!*record) return fail(record->error());
    }
    if (*cluster) stored.cluster = decode_proposal(**cluster);
    if (*promised) stored.promised = decode_proposal(**promised);
    stored.generation = Generation{decode_number(*generation)};
    stored.starts = decode_numbers(*start, RegisterNode::kEarlierStartsMax);
    return stored;
  }
};

Cluster::Cluster(ClusterOptions options, Dependencies dependencies)
    : options_(std::move(options)),
      deps_(std::move(dependencies)),
      answers_(deps_.clock, deps_.loop, deps_.network) {
  const NodeId self = options_.self.id;
  hello_.with([&](Hello& hello) { hello.node = self; });
  rpc_ = std::make_unique<Rpc>(self, deps_.random.next() >> (64 - kQuestionIdBits), deps_.clock,
                               deps_.loop, deps_.network);
  replicas_ = std::make_unique<Replicas>(
      ReplicasOptions{.self = self, .raft = options_.raft, .sender = options_.snapshots},
      Replicas::Dependencies{.clock = deps_.clock,
                             .loop = deps_.loop,
                             .random = deps_.random,
                             .network = deps_.network,
                             .rpc = *rpc_,
                             .disk = deps_.disk,
                             .log = deps_.log.named("replicas"),
                             .fatal = deps_.fatal},
      static_cast<ReplicasListener&>(*this));
  serve_proposals();
  serve_reads();
  serve_testimonies();
}

Cluster::~Cluster() { *alive_ = false; }

void Cluster::start(Function<void(Generation)> registered) {
  registered_ = std::move(registered);
  deps_.loop.post([this, alive = alive_] {
    if (*alive) begin();
  });
}

void Cluster::begin() {
  Result<Stored> stored = Stored::load(replicas_->writer());
  if (!stored) return deps_.fatal(stored.error());
  generation_ = stored->generation;
  hello_.with([&](Hello& hello) { hello.generation = generation_; });
  if (stored->cluster.cluster.empty()) return found(stored->promised);
  Founding::Outcome outcome{.cluster = stored->cluster, .addresses = options_.founding.seeds};
  become_member(std::move(outcome), true);
}

void Cluster::found(Proposal promised) {
  founding_ = std::make_unique<Founding>(
      options_.founding, std::move(promised),
      Founding::Dependencies{.clock = deps_.clock,
                             .loop = deps_.loop,
                             .network = deps_.network,
                             .random = deps_.random,
                             .save =
                                 [this](const Proposal& proposal, Done<void> done) {
                                   storage::put_node_record(replicas_->writer().pending(),
                                                            kPromiseRecord, encode(proposal));
                                   auto kept = std::make_shared<Done<void>>(std::move(done));
                                   replicas_->when_durable([kept] { (*kept)({}); });
                                 },
                             .finished =
                                 [this](Founding::Outcome outcome) {
                                   // Founding is on the stack: go on when it is not.
                                   auto kept =
                                       std::make_shared<Founding::Outcome>(std::move(outcome));
                                   deps_.loop.post([this, alive = alive_, kept] {
                                     if (*alive) become_member(std::move(*kept), false);
                                   });
                                 },
                             .log = deps_.log.named("founding")});
  founding_->start();
}

void Cluster::become_member(Founding::Outcome outcome, bool restarted) {
  cluster_ = std::move(outcome.cluster);
  hello_.with([&](Hello& hello) { hello.cluster = cluster_.cluster; });
  replicas_->set_shard_count(cluster_.shard_count);
  build(outcome.addresses);
  if (restarted) {
    belongs();
    const Result<void> loaded = replicas_->load();
    if (!loaded) return deps_.fatal(loaded.error());
  } else {
    Proposal record = cluster_;
    record.founders.clear();
    storage::put_node_record(replicas_->writer().pending(), kClusterRecord, encode(record));
    if (outcome.founder) {
      std::vector<NodeId> founders;
      founders.reserve(cluster_.founders.size());
      for (const Founder& founder : cluster_.founders) founders.push_back(founder.node);
      replicas_->found(first_groups(std::move(founders), cluster_.shard_count).groups);
    }
    replicas_->when_durable([this, alive = alive_] {
      if (*alive) belongs();
    });
    deps_.log.info(outcome.founder ? "founds a cluster" : "joins a cluster",
                   {{"cluster", cluster_.cluster}});
  }
  replicas_->start();
  meta_->start();
  gossip_tick();
  Result<Stored> stored = Stored::load(replicas_->writer());
  if (!stored) return deps_.fatal(stored.error());
  enroll(std::move(stored->starts));
}

// From now on, whatever happens to this process.
void Cluster::belongs() {
  belongs_ = true;
  deps_.joined(cluster_.cluster);
}

void Cluster::build(const std::vector<std::string>& addresses) {
  // The last row is that of the meta shard.
  table_ = std::make_unique<placement::Table>(cluster_.shard_count + 1);
  placement::Member self = options_.self;
  self.generation = generation_;
  placement::GossipConfig gossip;
  gossip.cluster = cluster_.cluster;
  gossip.membership = options_.membership;
  gossip_ = std::make_unique<placement::Gossip>(std::move(self), *table_, gossip, deps_.random);
  std::vector<placement::Address> seeds;
  for (const std::string& text : addresses) {
    if (const auto address = placement::parse_address(text)) seeds.push_back(*address);
  }
  gossip_->join(deps_.clock.now(), seeds);
  meta_ = std::make_unique<Meta>(
      MetaOptions{.self = options_.self.id, .allocator = options_.allocator},
      Meta::Dependencies{.clock = deps_.clock,
                         .loop = deps_.loop,
                         .rpc = *rpc_,
                         .replicas = *replicas_,
                         .table = *table_,
                         .members = [this] { return members(); },
                         .learn = [this](std::string_view row) { learn(row); },
                         .log = deps_.log.named("meta")});
}

// Registers this process. Its random number is durable before it asks, so that an answer that gets
// lost with the process is not taken for a rolled-back disk.
void Cluster::enroll(std::vector<std::uint64_t> earlier_starts) {
  if (earlier_starts.size() == RegisterNode::kEarlierStartsMax) {
    earlier_starts.erase(earlier_starts.begin());
  }
  const std::uint64_t start = deps_.random.next();
  std::vector<std::uint64_t> starts = earlier_starts;
  starts.push_back(start);
  storage::put_node_record(replicas_->writer().pending(), kStartRecord, encode_numbers(starts));
  replicas_->when_durable([this, alive = alive_, start, earlier = std::move(earlier_starts)] {
    if (!*alive) return;
    RegisterNode command;
    command.earlier_starts = earlier;
    command.node = {.id = options_.self.id,
                    .generation = generation_,
                    .address = to_string(options_.self.address),
                    .zone = options_.self.zone,
                    .weight = options_.self.weight,
                    .storage = options_.self.storage,
                    .draining = false,
                    .start = start};
    meta_->command(command, kEnrollPatience, [this, alive](const Result<std::string>& answer) {
      if (!*alive) return;
      if (!answer) return deps_.fatal(answer.error());
      Reader in(*answer);
      const Generation generation{in.number()};
      storage::put_node_record(replicas_->writer().pending(), kGenerationRecord,
                               encode_number(generation.value));
      storage::put_node_record(replicas_->writer().pending(), kStartRecord, encode_numbers({}));
      replicas_->when_durable([this, alive, generation] {
        if (*alive) enrolled(generation);
      });
    });
  });
}

void Cluster::enrolled(Generation generation) {
  generation_ = generation;
  hello_.with([&](Hello& hello) { hello.generation = generation; });
  gossip_->membership().set_generation(deps_.clock.now(), generation);
  gossip_changed();
  ids_ = std::make_unique<actors::CallIds>(options_.self.id, generation);
  deps_.log.info("is a member",
                 {{"node", short_name(options_.self.id)}, {"generation", generation.value}});
  // The router is there before anybody asks for it; calls wait until host().
  rights_ = std::make_unique<Rights>(
      options_.self.id, generation, options_.lease,
      Rights::Dependencies{
          .clock = deps_.clock,
          .loop = deps_.loop,
          .propose =
              [this](ShardId shard, ProposedEntry entry, Done<storage::Outcome> done) {
                propose(shard, std::move(entry), std::move(done));
              },
          .drain =
              [this](const std::shared_ptr<actors::Right>& right, Function<void()> done) {
                Hosting* const hosting = hosting_.load();
                if (hosting == nullptr) return done();
                hosting->drain(right, std::move(done));
              }});
  router_ = std::make_unique<CallRouter>(
      CallRouterOptions{.self = options_.self.id,
                        .shard_count = cluster_.shard_count,
                        .first_id = generation.value << kCallIdBits},
      CallRouter::Dependencies{
          .clock = deps_.clock,
          .loop = deps_.loop,
          .network = deps_.network,
          .answers = answers_,
          .table = *table_,
          .rights = *rights_,
          .ids = *ids_,
          .deliver = [this](actors::Call call) { hosting_.load()->deliver(std::move(call)); },
          .deliver_live =
              [this](actors::Call& call) {
                Hosting* const hosting = hosting_.load(std::memory_order_acquire);
                return hosting != nullptr && hosting->deliver_live(call);
              },
          .locate = [this](ShardId shard, const std::string& type, Duration patience,
                           Done<void> done) { locate(shard, type, patience, std::move(done)); },
          .learn = [this](std::string_view row) { learn(row); },
          .doubted = [this](NodeId node) { return doubts_.in_doubt(node); }});
  registered_(generation);
}

void Cluster::host(Hosting& hosting, std::vector<std::string> types) {
  hosting_ = &hosting;
  offer(std::move(types));
  owners_ = std::make_unique<Owners>(
      OwnersOptions{.self = options_.self.id, .generation = generation_, .lease = options_.lease},
      Owners::Dependencies{.clock = deps_.clock,
                           .loop = deps_.loop,
                           .network = deps_.network,
                           .rpc = *rpc_,
                           .replicas = *replicas_,
                           .rights = *rights_,
                           .members = [this] { return members(); },
                           .doubted = [this](NodeId node) { return doubts_.in_doubt(node); },
                           .publish = [this](placement::Row row) { publish(std::move(row)); },
                           .log = deps_.log.named("owners")});
  deliveries_ = std::make_unique<Deliveries>(
      DeliveriesOptions{}, Deliveries::Dependencies{.clock = deps_.clock,
                                                    .loop = deps_.loop,
                                                    .replicas = *replicas_,
                                                    .router = *router_,
                                                    .log = deps_.log.named("deliveries"),
                                                    .scheduler = deps_.scheduler});
  backups_ = std::make_unique<Backups>(Backups::Options{},
                                       Backups::Dependencies{.clock = deps_.clock,
                                                             .loop = deps_.loop,
                                                             .disk = deps_.disk,
                                                             .replicas = *replicas_,
                                                             .deliveries = *deliveries_});
  owners_->members_changed();
  owners_->start();
  inbox_ = std::make_unique<Inbox>(
      [this](NodeId from, std::string_view frame) { received_call(from, frame); }, deps_.hand_on);
  calls_.store(inbox_.get(), std::memory_order_release);
  ready_.store(true, std::memory_order_release);
  stepped();
}

void Cluster::offer(std::vector<std::string> types) {
  if (stopping_) return;
  std::ranges::sort(types);
  rights_->host(types);
  update_self([&](placement::Member& self) { self.types = std::move(types); });
  if (owners_) owners_->members_changed();
}

// An orderly end: others take over the actors, then the leadership of shards, as far as there are
// others; then goodbye.
void Cluster::stop(Function<void()> done) {
  auto kept = std::make_shared<Function<void()>>(std::move(done));
  deps_.loop.post([this, alive = alive_, kept] {
    if (!*alive || stopping_) return;
    stopping_ = true;
    founding_.reset();
    if (owners_) update_self([](placement::Member& self) { self.draining = true; });
    const Time until = deps_.clock.now() + options_.hand_over_patience;
    hand_over(until, [this, until, kept] {
      give_back(until, [this, kept] {
        leave();
        (*kept)();
      });
    });
  });
}

// What nobody took over: its turns end, and what on_deactivate does is committed.
void Cluster::give_back(Time until, Function<void()> done) {
  if (!rights_ || rights_->count() == 0) return done();
  const auto once = std::make_shared<Function<void()>>(std::move(done));
  const auto finish = [once] {
    if (*once) std::exchange(*once, nullptr)();
  };
  rights_->release_all(finish);
  deps_.loop.post_at(until, [alive = alive_, finish] {
    if (*alive) finish();
  });
}

void Cluster::leave() {
  ready_.store(false, std::memory_order_release);
  if (backups_) backups_->stop();
  if (deliveries_) deliveries_->stop();
  if (router_) router_->stop();
  if (gossip_) {
    gossip_->membership().leave(deps_.clock.now());
    flush_gossip();
  }
  replicas_->stop();
}

void Cluster::hand_over(Time until, Function<void()> done) {
  const Time now = deps_.clock.now();
  const bool others = gossip_ && gossip_->membership().reachable_count() > 1 && owners_;
  bool busy = false;
  if (others && now < until) {
    busy = rights_->count() > 0;
    replicas_->each([&](Replica& replica) {
      if (replica.raft().role() != raft::Role::kLeader) return;
      const raft::Configuration& configuration = replica.raft().configuration();
      if (configuration.voters() < 2) return;
      busy = true;
      if (rights_->count() > 0 && now + options_.hand_over_patience / 2 < until) return;
      for (const raft::Member& member : configuration.members) {
        if (!member.voter || member.address.node == options_.self.id) continue;
        if (!replica.raft().transfer(now, member.address)) continue;
        replicas_->wake(replica.shard());
        break;
      }
    });
  }
  if (!busy) return done();
  deps_.loop.post_at(now + kHandOverStep,
                     [this, alive = alive_, until, done = std::move(done)]() mutable {
                       if (*alive) hand_over(until, std::move(done));
                     });
}

void Cluster::standing_changed(Replica& replica) {
  if (owners_) owners_->standing_changed(replica);
  if (replica.raft().role() == raft::Role::kLeader) return;
  if (meta_) meta_->stopped_leading(replica.shard());
  if (deliveries_) deliveries_->stop_leading(replica.shard());
}

void Cluster::applied(Replica& replica, const storage::Entry* entry,
                      const storage::Outcome& outcome) {
  if (entry == nullptr || !replica.leads()) return;
  if (outcome.kind != storage::Outcome::Kind::kApplied) return;
  if (owners_ && (std::holds_alternative<storage::AssignCommand>(entry->command) ||
                  std::holds_alternative<storage::RestoreCommand>(entry->command))) {
    owners_->owners_changed(replica);
  }
  if (deliveries_) deliveries_->applied(replica.shard(), *entry);
}

void Cluster::reconfigured(Replica& replica) {
  if (!owners_ || !replica.leads()) return;
  owners_->owners_changed(replica);
  meta_->reconfigured(replica.shard());
}

void Cluster::dropped(ShardId shard) {
  if (owners_) owners_->dropped(shard);
  if (deliveries_) deliveries_->stop_leading(shard);
}

void Cluster::stepping() {
  if (deps_.scheduler != nullptr) deps_.scheduler->hold();
}

void Cluster::stepped() {
  if (deps_.scheduler != nullptr) deps_.scheduler->release();
  if (!owners_) return;
  owners_->renew();
  const Time now = deps_.clock.now();
  if (stopping_ || now < look_at_) return;
  look_at_ = now + kLookInterval;
  replicas_->each([&](const Replica& replica) {
    if (!replica.leads()) return;
    if (replica.shard() != kMetaShard) {
      deliveries_->lead(replica.shard());
    } else if (meta_->machine()->cluster().empty()) {
      write_down_cluster();
    }
  });
}

// Whoever leads the meta shard first has it hold what the founders agreed on.
void Cluster::write_down_cluster() {
  const FoundCluster command{
      .cluster = cluster_.cluster,
      .shard_count = cluster_.shard_count,
      // More than any founders can have taken.
      .next_replica = std::uint64_t{cluster_.shard_count + 1} * kFirstReplicasMax + 1};
  replicas_->propose(kMetaShard, Payload(encode(MetaCommand(command))),
                     [](const Result<storage::Outcome>& /*outcome*/) {});
}

void Cluster::update_self(const std::function<void(placement::Member&)>& change) {
  placement::Member self = gossip_->membership().self();
  change(self);
  gossip_->membership().update_self(deps_.clock.now(), std::move(self));
  gossip_changed();
}

std::shared_ptr<const placement::View> Cluster::members() const {
  return gossip_ ? gossip_->membership().view() : std::make_shared<const placement::View>();
}

std::string Cluster::status() const {
  if (ready()) return "ready";
  if (cluster_.cluster.empty()) return founding_ ? founding_->status() : "starts";
  return "waits to be registered by the meta shard";
}

Hello Cluster::hello() const {
  return hello_.with([](const Hello& hello) { return hello; });
}

}  // namespace troupe::cluster

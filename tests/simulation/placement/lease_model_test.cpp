// Every schedule of a small scope: three nodes, two types in one shard, two crashes, discrete time,
// messages late, lost or overtaken, through the real LeaseGrantor and LeaseHolder. What Raft does
// for them is modelled by its contract: terms, votes, heartbeat rounds, one log.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "placement/lease/lease_grantor.h"
#include "placement/lease/lease_holder.h"

namespace troupe::placement {
namespace {

constexpr std::size_t kNodes = 3;
constexpr ShardId kShard{0};
constexpr std::array<std::string_view, 2> kTypes = {"a", "b"};
constexpr Duration kUnit{1};
constexpr LeaseConfig kConfig{
    .length = 2 * kUnit, .renewal_interval = Duration(0), .drift = Duration(0)};

/// A rule that is taken away.
enum class Without {
  kNothing,
  kWait,              // a new leader assigns at once
  kEpochCheck,        // the log takes entries of any epoch
  kCountFromSending,  // holders count from the receipt of a renewal
  kStamp,             // holders take renewals that mean other rights than theirs
  kWithholding,       // owners are renewed while they are being replaced
};

/// How much may happen.
struct Scope {
  int horizon = 4;  // units of time
  int crashes = 2;
  int elections = 1;
  int assigns = 1;
  int releases = 0;
};

NodeId id(std::size_t n) { return {.high = 0, .low = n + 1}; }

struct Node {
  bool up = true;
  Generation generation{1};
  std::uint64_t term = 1;
  bool leads = false;
  Time last_ack{};  // of any leader, or the start
  LeaseGrantor grantor;
  LeaseHolder holder;
  RowVersion row;
  RightsStamp stamp;  // of its rights by that row
  bool round_open = false;
  Time round_sent = Time::min();
  std::optional<Owner> proposed;

  explicit Node(std::size_t n)
      : grantor(id(n), Generation{1}, kConfig), holder(id(n), Generation{1}, kConfig) {}
};

struct InFlight {
  Renewal renewal;
  Time made;
};

struct World {
  Time now{};
  std::vector<Node> nodes;
  Row row;                                                                   // as committed
  std::array<std::array<std::optional<InFlight>, kNodes>, kNodes> renewals;  // from, to
  Scope left;
};

class Explorer {
 public:
  Explorer(Without without, Scope scope) : without_(without), scope_(scope) {}

  /// What broke first, or nothing.
  std::string explore() {
    visit(beginning());
    return violation_;
  }
  std::size_t states() const { return seen_.size(); }

 private:
  World beginning() {
    World world;
    world.left = scope_;
    for (std::size_t n = 0; n < kNodes; ++n) world.nodes.emplace_back(n);
    world.row = {.version = {.term = 1, .index = 1},
                 .shard = kShard,
                 .leader = id(0),
                 .replicas = {},
                 .owners = {}};
    for (const std::string_view type : kTypes) {
      world.row.owners.push_back({.type = std::string(type),
                                  .node = id(1),
                                  .generation = Generation{1},
                                  .epoch = Epoch{1}});
    }
    for (std::size_t n = 0; n < kNodes; ++n) {
      for (std::size_t peer = 0; peer < kNodes; ++peer) {
        world.nodes[n].grantor.set_peer(id(peer), Generation{1});
      }
      deliver_row(world, n);
    }
    for (std::size_t n = 0; n < kNodes; ++n) greet(world, n);
    lead(world, 0, Duration(0));
    return world;
  }

  // --- what can happen

  void round(World& w, std::size_t n) {
    Node& node = w.nodes[n];
    node.round_open = true;
    node.round_sent = w.now;
    node.last_ack = w.now;
  }
  // The acknowledgement arrives when it is sent. A later arrival changes nothing but that the
  // leader knows of its time later: the lease is counted from the sending either way.
  void ack_round(World& w, std::size_t n, std::size_t voter) {
    follow(w, n, voter);
    w.nodes[voter].last_ack = w.now;
    Node& node = w.nodes[n];
    node.round_open = false;
    node.grantor.quorum_acknowledged(kShard, node.term, node.round_sent);
    const auto own = node.grantor.renew_own(kShard);
    if (own) node.holder.renew_locally(kShard, own->term, own->stamp, own->until);
  }
  // Renewals that grant nothing are answered at once: they only keep the exchange going.
  void renew(World& w, std::size_t n) {
    for (auto& due : w.nodes[n].grantor.take_renewals(w.now)) {
      const std::size_t to = due.to.low - 1;
      const bool grants = !due.renewal.shards.empty();
      if (!w.nodes[to].up) continue;
      w.renewals[n][to] = {.renewal = std::move(due.renewal), .made = w.now};
      if (!grants) deliver_renewal(w, n, to);
    }
  }
  // One exchange with everybody, so that renewals count from the first that grants.
  void greet(World& w, std::size_t n) {
    for (auto& due : w.nodes[n].grantor.take_renewals(w.now)) {
      const std::size_t to = due.to.low - 1;
      if (!w.nodes[to].up) continue;
      due.renewal.shards.clear();
      const RenewalAck ack = w.nodes[to].holder.receive(w.now, id(n), due.renewal);
      w.nodes[n].grantor.receive(w.now, due.to, w.nodes[to].generation, ack);
    }
  }
  void deliver_renewal(World& w, std::size_t from, std::size_t to) {
    Renewal renewal = std::exchange(w.renewals[from][to], std::nullopt)->renewal;
    Node& node = w.nodes[to];
    if (without_ == Without::kCountFromSending) renewal.held = std::chrono::hours(1);
    if (without_ == Without::kStamp) {
      for (Renewal::Shard& shard : renewal.shards) shard.stamp = node.stamp;
    }
    // The answer arrives at once. One that came later would only make the next renewal count from
    // an earlier moment, and so end earlier.
    const RenewalAck ack = node.holder.receive(w.now, id(from), renewal);
    w.nodes[from].grantor.receive(w.now, id(to), node.generation, ack);
  }
  void elect(World& w, std::size_t n, std::size_t voter, bool inherits) {
    --w.left.elections;
    if (inherits) {
      for (Node& node : w.nodes) {
        if (node.proposed) apply(w, *std::exchange(node.proposed, std::nullopt));
      }
    }
    Node& node = w.nodes[n];
    Node& other = w.nodes[voter];
    node.term = other.term = std::max(node.term, other.term) + 1;
    step_down(other);
    step_down(node);
    Duration silence = std::min(w.now - node.last_ack, w.now - other.last_ack);
    if (without_ == Without::kWait) silence = kConfig.length;
    lead(w, n, silence);
  }
  void lead(World& w, std::size_t n, Duration silence) {
    Node& node = w.nodes[n];
    node.leads = true;
    node.grantor.lead(
        {.shard = kShard, .term = node.term, .elected_at = w.now, .leader_silence = silence},
        w.row.owners);
  }
  void propose(World& w, std::size_t n, std::string_view type, std::size_t target) {
    --w.left.assigns;
    Node& node = w.nodes[n];
    const Result<Owner> next = node.grantor.propose_assign(w.now, kShard, type, id(target));
    if (next) node.proposed = *next;
    if (without_ == Without::kWithholding) node.grantor.resume(kShard, type);
  }
  void commit(World& w, std::size_t n, std::size_t voter) {
    follow(w, n, voter);
    Node& node = w.nodes[n];
    apply(w, *std::exchange(node.proposed, std::nullopt));
    node.grantor.set_owners(kShard, w.row.owners);
  }
  void apply(World& w, const Owner& next) {
    for (Owner& owner : w.row.owners) {
      if (owner.type != next.type || next.epoch.value != owner.epoch.value + 1) continue;
      owner = next;
      ++w.row.version.index;
    }
  }
  void deliver_row(World& w, std::size_t n) {
    w.nodes[n].holder.apply(w.row);
    w.nodes[n].row = w.row.version;
    w.nodes[n].stamp = rights_stamp(w.row.owners, id(n), w.nodes[n].generation);
  }
  void release(World& w, std::size_t n, std::string_view type, std::size_t leader) {
    --w.left.releases;
    const Epoch epoch = w.nodes[n].holder.right(kShard, type)->epoch;
    w.nodes[n].holder.release(kShard, type, epoch);
    w.nodes[leader].grantor.released(kShard, type, epoch);
  }
  void crash(World& w, std::size_t n) {
    --w.left.crashes;
    w.nodes[n].up = false;
    step_down(w.nodes[n]);
    w.nodes[n].holder = LeaseHolder(id(n), Generation{0}, kConfig);
    for (std::size_t peer = 0; peer < kNodes; ++peer) {
      w.renewals[n][peer] = w.renewals[peer][n] = std::nullopt;
    }
  }
  void restart(World& w, std::size_t n) {
    Node& node = w.nodes[n];
    node.up = true;
    ++node.generation.value;
    node.last_ack = w.now;
    node.holder = LeaseHolder(id(n), node.generation, kConfig);
    node.grantor = LeaseGrantor(id(n), node.generation, kConfig);
    node.row = {};
    for (std::size_t peer = 0; peer < kNodes; ++peer) {
      Node& other = w.nodes[peer];
      node.grantor.set_peer(id(peer), other.generation);
      node.grantor.registered(id(peer), other.generation);
      if (peer == n) continue;
      other.grantor.registered(id(n), node.generation);
      other.grantor.set_peer(id(n), node.generation);
      other.holder.forget_peer(id(n));
    }
    for (std::size_t peer = 0; peer < kNodes; ++peer) {
      if (w.nodes[peer].up) greet(w, peer);
    }
  }

  void follow(World& w, std::size_t n, std::size_t voter) {
    w.nodes[voter].term = w.nodes[n].term;
    step_down(w.nodes[voter]);
  }
  static void step_down(Node& node) {
    if (node.leads) node.grantor.stop_leading(kShard);
    node.leads = false;
    node.round_open = false;
    node.proposed.reset();
  }

  // --- all of it

  template <class Action>
  void branch(const World& world, Action action) {
    if (!violation_.empty()) return;
    World next = world;
    action(next);
    visit(next);
  }

  void visit(const World& world) {
    if (!violation_.empty() || !seen_.insert(fingerprint(world)).second) return;
    inspect(world);
    for (std::size_t n = 0; n < kNodes; ++n) {
      const Node& node = world.nodes[n];
      if (!node.up) {
        branch(world, [&](World& w) { restart(w, n); });
        continue;
      }
      if (node.leads) leader_moves(world, n);
      node_moves(world, n);
      for (std::size_t peer = 0; peer < kNodes; ++peer) pair_moves(world, n, peer);
    }
    if (world.left.horizon > 0) {
      branch(world, [](World& w) {
        --w.left.horizon;
        w.now += kUnit;
      });
    }
  }

  void leader_moves(const World& world, std::size_t n) {
    const Node& node = world.nodes[n];
    if (node.round_sent != world.now) {
      branch(world, [&](World& w) { round(w, n); });
    }
    if (node.grantor.next_renewal() <= world.now) {
      branch(world, [&](World& w) { renew(w, n); });
    }
    // Type b stays where it is: both are alike, and one that stays is what keeps renewals coming
    for (std::size_t target = 0; target < kNodes; ++target) {
      if (!may_propose(world, n, kTypes[0], target)) continue;
      branch(world, [&](World& w) { propose(w, n, kTypes[0], target); });
    }
  }

  static bool may_propose(const World& world, std::size_t n, std::string_view type,
                          std::size_t target) {
    const Node& node = world.nodes[n];
    if (world.left.assigns == 0 || node.proposed || !world.nodes[target].up) return false;
    const Owner& present = *world.row.owner(type);
    const bool same =
        present.node == id(target) && present.generation == world.nodes[target].generation;
    return !same && world.now >= *node.grantor.assignable_from(kShard, type);
  }

  void node_moves(const World& world, std::size_t n) {
    const Node& node = world.nodes[n];
    if (world.left.crashes > 0) {
      branch(world, [&](World& w) { crash(w, n); });
    }
    if (node.row < world.row.version) {
      branch(world, [&](World& w) { deliver_row(w, n); });
    }
  }

  void pair_moves(const World& world, std::size_t n, std::size_t peer) {
    const Node& node = world.nodes[n];
    const Node& other = world.nodes[peer];
    if (peer == n || !other.up) return;
    if (world.renewals[n][peer]) {
      branch(world, [&](World& w) { deliver_renewal(w, n, peer); });
    }
    if (world.left.elections > 0) {
      bool any_proposed = false;
      for (const Node& any : world.nodes) any_proposed |= any.proposed.has_value();
      branch(world, [&](World& w) { elect(w, n, peer, false); });
      if (any_proposed) {
        branch(world, [&](World& w) { elect(w, n, peer, true); });
      }
    }
    if (node.leads && other.term <= node.term) {
      if (node.round_open) {
        branch(world, [&](World& w) { ack_round(w, n, peer); });
      }
      if (node.proposed) {
        branch(world, [&](World& w) { commit(w, n, peer); });
      }
    }
    if (world.left.releases > 0 && other.leads) {
      for (const std::string_view type : kTypes) {
        if (!node.holder.right(kShard, type)) continue;
        branch(world, [&](World& w) { release(w, n, type, peer); });
      }
    }
  }

  // --- what must hold

  void inspect(const World& world) {
    for (const std::string_view type : kTypes) {
      const Owner& owner = *world.row.owner(type);
      int admitting = 0;
      for (std::size_t n = 0; n < kNodes; ++n) {
        const Node& node = world.nodes[n];
        const auto right = node.up ? node.holder.right(kShard, type) : std::nullopt;
        if (!right) continue;
        if (node.holder.admits(world.now, kShard, type)) ++admitting;
        const bool is_owner = owner.node == id(n) && owner.generation == node.generation;
        const bool accepted = right->epoch == owner.epoch || without_ == Without::kEpochCheck;
        if (accepted && !is_owner) violation_ = "a stale owner commits";
      }
      if (admitting > 1) violation_ = "two nodes admit";
    }
  }

  std::size_t fingerprint(const World& world) {
    Writer out;
    const auto write = [&](Time time) { out.integer(time.time_since_epoch().count()); };
    write(world.now);
    for (const int left :
         {world.left.crashes, world.left.elections, world.left.assigns, world.left.releases}) {
      out.integer(left);
    }
    encode(out, world.row);
    for (const Node& node : world.nodes) {
      out.boolean(node.up);
      out.id(node.generation);
      out.number(node.term);
      out.boolean(node.leads);
      write(std::max(node.last_ack, world.now - kConfig.length));
      out.boolean(node.round_open);
      const bool closed = !node.round_open;
      write(closed ? Time{node.round_sent == world.now ? kUnit : Duration(0)}
                   : std::max(node.round_sent, world.now - kConfig.length));
      out.id(node.row);
      out.bytes(node.proposed ? node.proposed->type + to_string(node.proposed->node) : "");
      if (!node.up) continue;
      out.bytes(node.grantor.fingerprint(world.now));
      out.bytes(node.holder.fingerprint(world.now));
    }
    for (std::size_t from = 0; from < kNodes; ++from) {
      for (std::size_t to = 0; to < kNodes; ++to) {
        const std::optional<InFlight>& flying = world.renewals[from][to];
        out.boolean(flying.has_value());
        if (!flying) continue;
        for (const Renewal::Shard& shard : flying->renewal.shards) {
          out.number(shard.term);
          out.number(shard.stamp.low);
          write(flying->made + shard.remaining);
          if (without_ == Without::kCountFromSending) write(flying->made);
        }
      }
    }
    return std::hash<std::string>()(out.take());
  }

  Without without_;
  Scope scope_;
  std::unordered_set<std::size_t> seen_;
  std::string violation_;
};

/// The scope is widened by TROUPE_LEASE_SCOPE=horizon,crashes,elections,assigns,releases.
Scope scope_or(Scope scope) {
  const char* text = std::getenv("TROUPE_LEASE_SCOPE");
  if (text == nullptr) return scope;
  for (int* part :
       {&scope.horizon, &scope.crashes, &scope.elections, &scope.assigns, &scope.releases}) {
    char* end = nullptr;
    *part = static_cast<int>(std::strtol(text, &end, 10));
    text = *end == ',' ? end + 1 : end;
  }
  return scope;
}

void expect_safe(Scope scope) {
  Explorer explorer(Without::kNothing, scope);
  EXPECT_EQ(explorer.explore(), "");
  std::printf("%zu states\n", explorer.states());
  std::fflush(stdout);
}

TEST(LeaseModel, NoTwoNodesAdmitInAnyScheduleWithElections) {
  expect_safe(scope_or({.horizon = 2, .crashes = 0, .elections = 1, .assigns = 1}));
}

TEST(LeaseModel, NoTwoNodesAdmitInAnyScheduleWithCrashes) {
  expect_safe({.horizon = 2, .crashes = 2, .elections = 0, .assigns = 1});
}

TEST(LeaseModel, NoTwoNodesAdmitInAnyScheduleWithReleases) {
  expect_safe({.horizon = 2, .crashes = 0, .elections = 0, .assigns = 1, .releases = 1});
}

TEST(LeaseModel, WithoutTheWaitTwoNodesAdmit) {
  Explorer explorer(Without::kWait, {.horizon = 2, .crashes = 0});
  EXPECT_EQ(explorer.explore(), "two nodes admit");
}

TEST(LeaseModel, WithoutTheEpochCheckAStaleOwnerCommits) {
  Explorer explorer(Without::kEpochCheck, {.horizon = 3, .crashes = 0});
  EXPECT_EQ(explorer.explore(), "a stale owner commits");
}

TEST(LeaseModel, CountingFromReceiptTwoNodesAdmit) {
  Explorer explorer(Without::kCountFromSending, {.horizon = 3, .crashes = 0, .elections = 0});
  EXPECT_EQ(explorer.explore(), "two nodes admit");
}

TEST(LeaseModel, WithoutTheStampALostRightRevives) {
  Explorer explorer(Without::kStamp, {.horizon = 4, .crashes = 0, .elections = 0});
  EXPECT_EQ(explorer.explore(), "two nodes admit");
}

TEST(LeaseModel, WithoutWithholdingTwoNodesAdmit) {
  Explorer explorer(Without::kWithholding, {.horizon = 4, .crashes = 0, .elections = 0});
  EXPECT_EQ(explorer.explore(), "two nodes admit");
}

}  // namespace
}  // namespace troupe::placement

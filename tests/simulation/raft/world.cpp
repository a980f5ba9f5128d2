#include "tests/simulation/raft/world.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::raft {
namespace {

using std::chrono::milliseconds;

}  // namespace

World::World(Profile profile, std::uint64_t seed)
    : profile_(profile), random_(seed), timeline_(clock_), network_(timeline_, random_) {
  const Surroundings around{timeline_, network_, random_, ledger_, profile_.trailing};
  Configuration founders;
  for (int i = 1; i <= profile_.nodes; ++i) {
    const NodeId id{.high = 0, .low = static_cast<std::uint64_t>(i)};
    nodes_.push_back(std::make_unique<Node>(id, around));
    if (i > profile_.voters) continue;
    founders.members.push_back({.address = {id, ReplicaId{++replicas_}}, .voter = true});
  }
  for (const Member& member : founders.members) {
    node(member.address.node)->found(member.address.replica, founders);
  }
}

Node* World::node(NodeId id) {
  const auto found = std::ranges::find_if(nodes_, [id](const auto& n) { return n->id() == id; });
  return found->get();
}

Node* World::leader() {
  Node* newest = nullptr;
  for (const auto& node : nodes_) {
    if (!node->running() || node->raft()->role() != Role::kLeader) continue;
    if (newest == nullptr || node->raft()->term() > newest->raft()->term()) newest = node.get();
  }
  return newest;
}

Outcome World::run() {
  for (const auto& node : nodes_) node->start();
  arrange_clients();
  arrange_chaos();
  const auto broken = [this] { return ledger_.violation().has_value(); };
  timeline_.run_until(timeline_.now() + profile_.chaos, broken);
  heal();
  const Time end = timeline_.now() + profile_.healing;
  while (!broken() && !recovered()) {
    if (timeline_.now() >= end) ledger_.violate("no progress after healing");
    timeline_.run_until(timeline_.now() + milliseconds(100), broken);
  }
  outcome_.violation = ledger_.violation();
  outcome_.acknowledged = ledger_.acknowledgements();
  outcome_.reads = ledger_.reads();
  outcome_.fingerprint = random_.next();
  for (const auto& node : nodes_) {
    outcome_.snapshots += node->snapshots();
    if (node->running()) outcome_.elections += node->raft()->term();
  }
  return outcome_;
}

// Clients ask whoever believes to lead, however wrongly.
void World::arrange_clients() {
  timeline_.after(milliseconds(1 + random_.below(30)), [this] {
    for (const auto& node : nodes_) {
      if (!node->running() || node->raft()->role() != Role::kLeader) continue;
      for (auto count = random_.below(3); count > 0; --count) {
        node->propose("command " + std::to_string(++commands_));
      }
      if (random_.chance(0.3)) node->read();
    }
    arrange_clients();
  });
}

void World::arrange_chaos() {
  timeline_.after(milliseconds(50 + random_.below(700)), [this] {
    if (!chaotic_) return;
    wreak_havoc();
    arrange_chaos();
  });
}

void World::wreak_havoc() {
  switch (random_.below(profile_.members_change ? 16 : 8)) {
    case 0:
      return crash(any());
    case 1:
      return crash(leader() != nullptr ? *leader() : any());
    case 2:
      return partition();
    case 3:
      return network_.unblock_all();
    case 4:
      network_.faults = {.loss = random_.chance(0.5) ? 0.2 : 0.02,
                         .duplication = 0.1,
                         .delay_max = milliseconds(random_.chance(0.5) ? 300 : 20)};
      return;
    case 5:
      network_.faults = {};
      return;
    case 6:
      return slow_disk();
    case 7:
      return random_.chance(0.5) ? transfer() : suspect();
    default:
      return change_members();
  }
}

void World::crash(Node& node) {
  if (!node.running()) return;
  node.crash();
  ++outcome_.crashes;
  timeline_.after(milliseconds(random_.below(2500)), [&node] {
    if (!node.running()) node.start();
  });
}

// Two sides that do not hear one another, or only one of them; or one replica and the rest.
void World::partition() {
  const bool one_way = random_.chance(0.3);
  const std::uint64_t sides =
      random_.chance(0.5) ? std::uint64_t{1} << random_.below(nodes_.size()) : random_.next();
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    for (std::size_t b = 0; b < nodes_.size(); ++b) {
      const bool a_side = (sides >> a) & 1;
      const bool b_side = (sides >> b) & 1;
      if (a_side == b_side || (one_way && a_side)) continue;
      network_.block(nodes_[a]->id(), nodes_[b]->id());
    }
  }
}

void World::slow_disk() {
  auto& disk = any().disk();
  disk.latency_max = milliseconds(random_.chance(0.5) ? 2500 : 3);
}

void World::transfer() {
  Node* from = leader();
  if (from == nullptr) return;
  const auto& members = from->raft()->configuration().members;
  (void)from->raft()->transfer(timeline_.now(), members[random_.below(members.size())].address);
  from->drain();
}

void World::suspect() {
  for (const auto& node : nodes_) {
    if (!node->running() || random_.chance(0.3)) continue;
    node->raft()->campaign_now(timeline_.now());
    node->drain();
  }
}

// The next step of a random walk: promote a learner, remove a member, or add a node under a fresh
// replica id.
void World::change_members() {
  Node* from = leader();
  if (!profile_.members_change || from == nullptr) return;
  Configuration next = from->raft()->configuration();
  const auto learner = std::ranges::find_if(next.members, [](const Member& m) { return !m.voter; });
  const auto keep = static_cast<std::size_t>(profile_.voters) - 1;
  if (learner != next.members.end() && random_.chance(0.7)) {
    learner->voter = true;
  } else if (next.voters() > keep && random_.chance(0.5)) {
    next.members.erase(next.members.begin() +
                       static_cast<std::ptrdiff_t>(random_.below(next.members.size())));
  } else {
    const NodeId added = any().id();
    if (next.on(added) != nullptr) return;
    next.members.push_back({.address = {added, ReplicaId{replicas_ + 1}}, .voter = false});
  }
  const auto index = from->raft()->propose_configuration(timeline_.now(), next);
  if (index) {
    ++outcome_.changes;
    ++replicas_;
  }
  from->drain();
}

void World::heal() {
  chaotic_ = false;
  network_.unblock_all();
  network_.faults = {};
  for (const auto& node : nodes_) {
    node->disk().latency_max = milliseconds(3);
    if (!node->running()) node->start();
  }
}

// A leader has committed something new, and all members agree with it on everything.
bool World::recovered() {
  Node* ahead = leader();
  if (ahead == nullptr || !ahead->raft()->settled()) return false;
  const Raft& raft = *ahead->raft();
  if (goal_ == 0) {
    goal_ = raft.log().last_index() + 1;
    ledger_.leads(raft, timeline_.now());
  }
  if (ledger_.newest_acknowledged() < goal_ ||
      raft.log().configuration_index() > raft.committed()) {
    return false;
  }
  return std::ranges::all_of(raft.configuration().members, [&](const Member& member) {
    Node& other = *node(member.address.node);
    // Everyone has applied the goal; the ledger has compared the hashes on the way.
    return other.running() && other.raft() != nullptr && other.raft()->self() == member.address &&
           other.raft()->applied() >= goal_;
  });
}

}  // namespace troupe::raft

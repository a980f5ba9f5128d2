#include "runtime/cluster/doubts.h"

#include <utility>

namespace troupe::cluster {

using placement::MemberStatus;
using placement::View;

std::vector<NodeId> Doubts::members_changed(const View& members) {
  std::vector<NodeId> fresh;
  for (const View::Entry& entry : members.members) {
    const NodeId node = entry.member->id;
    if (node == self_) continue;
    Peer& peer = peers_[node];
    const bool silent = entry.status != MemberStatus::kAlive;
    if (silent && !peer.silent) fresh.push_back(node);
    peer.silent = silent;
    if (entry.status == MemberStatus::kLeft) peer.broken = false;
    // What was said of earlier processes is of no use any more.
    peer.ends.erase(peer.ends.begin(), peer.ends.lower_bound(entry.member->generation));
  }
  std::erase_if(peers_, [&](const auto& each) { return members.find(each.first) == nullptr; });
  return fresh;
}

void Doubts::connected(NodeId peer, const View& members) {
  const View::Entry* const entry = members.find(peer);
  if (entry == nullptr) return;
  Peer& known = peers_[peer];
  known.broken = false;
  known.met_at = entry->member->address;
  known.lost.reset();
  known.ends.clear();
}

// The member list cannot know a later process yet than the one whose connection this was, unless
// that listens already.
void Doubts::disconnected(NodeId peer, const View& members) {
  const View::Entry* const entry = members.find(peer);
  if (entry == nullptr) return;
  Peer& known = peers_[peer];
  known.broken = true;
  const std::optional<placement::Address> met_at = std::exchange(known.met_at, std::nullopt);
  if (met_at && *met_at == entry->member->address) known.lost = entry->member->generation;
}

bool Doubts::in_doubt(NodeId node) const {
  const auto peer = peers_.find(node);
  return peer != peers_.end() && (peer->second.silent || peer->second.broken);
}

std::optional<Generation> Doubts::nobody_listens(NodeId peer, const View& members) {
  const View::Entry* const entry = members.find(peer);
  const auto known = peers_.find(peer);
  if (entry == nullptr || known == peers_.end()) return std::nullopt;
  const std::optional<Generation> lost = std::exchange(known->second.lost, std::nullopt);
  return lost == entry->member->generation ? lost : std::nullopt;
}

bool Doubts::testify(NodeId witness, NodeId node, Generation generation) {
  const auto peer = peers_.find(node);
  if (peer == peers_.end() || node == self_) return false;
  std::set<NodeId>& witnesses = peer->second.ends[generation];
  return witnesses.insert(witness).second && witnesses.size() == kWitnesses;
}

}  // namespace troupe::cluster

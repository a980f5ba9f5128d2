#include "tests/support/sim_fabric.h"

#include <algorithm>
#include <vector>

namespace troupe::sim {

void SimEndpoint::know(NodeId node, std::string address) {
  known_[node] = std::move(address);
  fabric_.dial(shared_from_this(), node);
}

std::shared_ptr<SimEndpoint> SimFabric::attach(NodeId node, std::string address,
                                               std::shared_ptr<SimProcess> process) {
  auto endpoint = std::make_shared<SimEndpoint>(*this, node, address, std::move(process));
  listeners_[address] = endpoint;
  return endpoint;
}

void SimFabric::detach(const std::shared_ptr<SimEndpoint>& endpoint) {
  const auto listener = listeners_.find(endpoint->address_);
  if (listener != listeners_.end() && listener->second == endpoint) listeners_.erase(listener);
  std::vector<std::shared_ptr<Connection>> broken;
  for (const auto& [nodes, open] : connections_) {
    const auto& ends = open->ends;
    if (ends[0] != endpoint && ends[1] != endpoint) continue;
    const NodeId other = ends[0] == endpoint ? ends[1]->node_ : ends[0]->node_;
    // A reset does not get through a partition: the other side finds out later, as of any silence.
    if (!blocked(endpoint->node_, other)) broken.push_back(open);
  }
  for (const auto& each : broken) close(each);
}

Duration SimFabric::latency() {
  const auto spread =
      static_cast<std::uint64_t>((options.latency_max - options.latency_min).count());
  return options.latency_min + Duration(static_cast<Duration::rep>(random_.below(spread + 1)));
}

std::shared_ptr<SimEndpoint> SimFabric::listener_at(const std::string& address) const {
  const auto found = listeners_.find(address);
  return found == listeners_.end() ? nullptr : found->second;
}

// Tries until it succeeds, or nobody wants it any more.
void SimFabric::dial(const std::shared_ptr<SimEndpoint>& from, NodeId to) {
  if (connection(*from, to) || !from->dialing_.insert(to).second) return;
  timeline_.after(latency() + latency(), [this, from, to] {
    from->dialing_.erase(to);
    if (!from->process_->alive() || !from->known_.contains(to)) return;
    if (connection(*from, to) || open(from, to)) return;
    if (nobody_listens(from, to)) {
      from->process_->happens([from, to] { from->listener_->nobody_listens(to); });
    }
    timeline_.after(options.reconnect, [this, from, to] {
      if (from->process_->alive()) dial(from, to);
    });
  });
}

// And packets get there and back, so that its host says so.
bool SimFabric::nobody_listens(const std::shared_ptr<SimEndpoint>& from, NodeId to) const {
  return from->listener_ != nullptr && !listener_at(from->known_.at(to)) &&
         !blocked(from->node_, to) && !blocked(to, from->node_);
}

bool SimFabric::open(const std::shared_ptr<SimEndpoint>& from, NodeId to) {
  const std::shared_ptr<SimEndpoint> target = listener_at(from->known_.at(to));
  if (!target || target->node_ != to || from->listener_ == nullptr ||
      target->listener_ == nullptr || from->process_->paused() || target->process_->paused() ||
      blocked(from->node_, to) || blocked(to, from->node_)) {
    return false;
  }
  const Hello here = from->listener_->hello();
  const Hello there = target->listener_->hello();
  if (here.cluster.empty() || here.cluster != there.cluster) return false;
  if (const auto old = connections_.find(pair(from->node_, to)); old != connections_.end()) {
    close(std::shared_ptr(old->second));  // of a process before: heard of first
    return false;
  }
  auto opened = std::make_shared<Connection>();
  opened->ends = {from, target};
  connections_[pair(from->node_, to)] = opened;
  from->process_->happens([from, there] { from->listener_->connected(there); });
  target->process_->happens([target, here] { target->listener_->connected(here); });
  return true;
}

// That of this very process, not of an earlier one of its node, as far as it knows.
std::shared_ptr<SimFabric::Connection> SimFabric::connection(const SimEndpoint& from, NodeId to) {
  const auto found = connections_.find(pair(from.node_, to));
  if (found == connections_.end()) return nullptr;
  const auto& [ends, directions, open, noticed] = *found->second;
  for (const std::size_t end : {0U, 1U}) {
    if (ends[end].get() == &from && !noticed[end]) return found->second;
  }
  return nullptr;
}

bool SimFabric::send(const SimEndpoint& from, NodeId to, Lane lane, std::string frame) {
  const std::shared_ptr<Connection> used = connection(from, to);
  if (!used) return false;
  const std::size_t end = used->ends[0].get() == &from ? 0 : 1;
  Time& free_at = used->directions[end].free_at[static_cast<std::size_t>(lane)];
  free_at = std::max(free_at, timeline_.now() + latency());
  timeline_.at(free_at, [this, used, end, frame = std::move(frame)]() mutable {
    arrive(used, end, std::move(frame));
  });
  return true;
}

void SimFabric::arrive(const std::shared_ptr<Connection>& connection, std::size_t end,
                       std::string frame) {
  if (!connection->open) return;
  const std::shared_ptr<SimEndpoint> from = connection->ends[end];
  const std::shared_ptr<SimEndpoint> to = connection->ends[1 - end];
  if (blocked(from->node_, to->node_)) {
    return connection->directions[end].stalled.push_back(std::move(frame));
  }
  to->process_->happens([to, sender = from->node_, frame = std::move(frame)] {
    to->listener_->received(sender, frame);
  });
}

// What the end that hears of it later sends meanwhile is lost.
void SimFabric::close(const std::shared_ptr<Connection>& connection) {
  if (!connection->open) return;
  connection->open = false;
  const auto lag_max = static_cast<std::uint64_t>(options.notice_max.count());
  const Duration lag{lag_max == 0 ? 0 : static_cast<Duration::rep>(random_.below(lag_max))};
  const std::size_t late = lag_max == 0 ? 1 : random_.below(2);
  notice(connection, 1 - late);
  if (lag == Duration(0)) return notice(connection, late);
  timeline_.after(lag, [this, connection, late] { notice(connection, late); });
}

void SimFabric::notice(const std::shared_ptr<Connection>& connection, std::size_t end) {
  const std::shared_ptr<SimEndpoint> here = connection->ends[end];
  const NodeId peer = connection->ends[1 - end]->node_;
  connection->noticed[end] = true;
  if (connection->noticed[1 - end]) connections_.erase(pair(here->node_, peer));
  here->process_->at(timeline_.now(), [here, peer] { here->listener_->disconnected(peer); });
  timeline_.after(options.reconnect, [this, here, peer] {
    if (here->process_->alive() && here->known_.contains(peer)) dial(here, peer);
  });
}

void SimFabric::reset(NodeId one, NodeId other) {
  const auto found = connections_.find(pair(one, other));
  if (found != connections_.end()) close(std::shared_ptr(found->second));
}

void SimFabric::block(NodeId from, NodeId to) {
  const std::uint64_t number = ++blocks_;
  if (!blocked_.emplace(Pair(from, to), number).second) return;
  timeline_.after(options.keepalive, [this, from, to, number] {
    const auto still = blocked_.find({from, to});
    if (still != blocked_.end() && still->second == number) reset(from, to);
  });
}

void SimFabric::heal() {
  blocked_.clear();
  std::vector<std::shared_ptr<Connection>> orphaned;
  for (const auto& each : connections_) {
    const std::shared_ptr<Connection> healed = each.second;
    if (!healed->ends[0]->process_->alive() || !healed->ends[1]->process_->alive()) {
      orphaned.push_back(healed);
    }
    for (std::size_t end : {0U, 1U}) {
      Direction& direction = healed->directions[end];
      for (std::string& frame : std::exchange(direction.stalled, {})) {
        for (Time& free_at : direction.free_at) free_at = std::max(free_at, timeline_.now());
        timeline_.at(timeline_.now(), [this, healed, end, frame = std::move(frame)]() mutable {
          arrive(healed, end, std::move(frame));
        });
      }
    }
  }
  for (const auto& each : orphaned) close(each);
}

void SimFabric::datagram(const SimEndpoint& from, const std::string& address,
                         const std::string& bytes) {
  const int copies = random_.chance(options.datagram_duplication) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    if (random_.chance(options.datagram_loss)) continue;
    timeline_.after(latency(), [this, sender = from.node_, source = from.address_, address, bytes] {
      const std::shared_ptr<SimEndpoint> to = listener_at(address);
      if (!to || to->listener_ == nullptr || blocked(sender, to->node_)) return;
      to->process_->happens(
          [to, source, bytes] { to->listener_->received_datagram(source, bytes); });
    });
  }
}

void SimFabric::introduce(const std::shared_ptr<SimEndpoint>& from, const std::string& address,
                          std::string question, Done<std::string> done) {
  auto once = std::make_shared<Done<std::string>>(std::move(done));
  const auto answer = [from, once](Result<std::string> result) {
    if (!*once) return;
    from->process_->happens([once, result = std::move(result)]() mutable {
      if (*once) std::exchange(*once, nullptr)(std::move(result));
    });
  };
  timeline_.after(options.introduction_patience,
                  [answer] { answer(fail(Code::kTimeout, "nobody answered")); });
  timeline_.after(latency(), [this, from, address, answer, question = std::move(question)] {
    const std::shared_ptr<SimEndpoint> to = listener_at(address);
    if (!to || to->listener_ == nullptr) {
      return timeline_.after(latency(),
                             [answer] { answer(fail(Code::kUnavailable, "nobody listens")); });
    }
    if (blocked(from->node_, to->node_) || random_.chance(options.introduction_loss)) return;
    to->process_->happens([this, from, to, question, answer] {
      to->listener_->introduced(question, [this, from, to, answer](Result<std::string> result) {
        if (!to->process_->alive() || blocked(to->node_, from->node_) ||
            random_.chance(options.introduction_loss)) {
          return;
        }
        timeline_.after(latency(), [answer, result = std::move(result)]() mutable {
          answer(std::move(result));
        });
      });
    });
  });
}

}  // namespace troupe::sim

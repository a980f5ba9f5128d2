#include "runtime/transport/links.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/transport/wire.h"

namespace troupe::transport {
namespace {

// Of those that do not send here any more it is forgotten beyond so many that they did.
constexpr std::size_t kRememberedMax = 4'096;

constexpr std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

Links::Links(World world) : world_(std::move(world)), random_(random_seed()) {}

void Links::know(NodeId node, std::string address) {
  if (finishing_) return;
  const auto [found, added] = peers_.try_emplace(node);
  Peer& peer = found->second;
  if (!added && peer.address == address) return;
  peer.address = std::move(address);
  peer.retry = world_.options.retry_first;
  if (!added) {
    close(peer);
    tell_disconnected(node, peer);
  }
  connect(node);
}

void Links::forget(NodeId node) {
  const auto found = peers_.find(node);
  if (found == peers_.end()) return;
  close(found->second);
  tell_disconnected(node, found->second);
  peers_.erase(found);
}

bool Links::open(const Peer& peer) { return peer.accepted[0] && peer.accepted[1]; }

bool Links::waiting(const Peer& peer) { return !peer.lanes.streams[0]; }

Links::Peer* Links::find(NodeId node, std::uint64_t attempt) {
  const auto found = peers_.find(node);
  return found != peers_.end() && found->second.attempt == attempt ? &found->second : nullptr;
}

OutgoingStream::Events Links::events(NodeId node, std::uint64_t attempt, Lane lane) {
  const std::shared_ptr<Links> self = shared_from_this();
  return {
      .greeted =
          [self, node, attempt, lane](const Greeting& greeting) {
            self->world_.executor.post([self, node, attempt, lane, greeting] {
              self->greeted(node, attempt, lane, greeting);
            });
          },
      .ended = [self, node, attempt](const StreamEnd& end) { self->ended(node, attempt, end); }};
}

void Links::connect(NodeId node) {
  Peer& peer = peers_.at(node);
  peer.attempt = ++last_attempt_;
  const TransportOptions& options = world_.options;
  const auto channel = make_channel(peer.address, world_.credentials, options);
  for (const Lane lane : {Lane::kCalls, Lane::kControl}) {
    const std::size_t queue_bytes_max =
        lane == Lane::kCalls ? options.calls_queue_bytes_max : options.control_queue_bytes_max;
    peer.lanes.streams[index(lane)] =
        open_stream(world_.streams, channel, world_.host.greeting(lane, node),
                    {options.batch_bytes_max, queue_bytes_max, options.frame_bytes_max},
                    events(node, peer.attempt, lane));
  }
  const std::weak_ptr<Links> weak = weak_from_this();
  world_.executor.post_at(world_.clock.now() + options.accept_timeout,
                          [weak, node, attempt = peer.attempt] {
                            const std::shared_ptr<Links> self = weak.lock();
                            Peer* late = self ? self->find(node, attempt) : nullptr;
                            if (late == nullptr || open(*late)) return;
                            self->ended(node, attempt, {.reason = "it did not accept in time"});
                          });
}

void Links::greeted(NodeId node, std::uint64_t attempt, Lane lane, const Greeting& greeting) {
  Peer* peer = find(node, attempt);
  if (peer == nullptr || finishing_) return;
  std::optional<std::string> reason = refusal(world_.host.greeting(lane, node), greeting);
  if (!reason) reason = world_.host.outdated(greeting);
  if (reason) {
    TransportMetrics::count(world_.streams.metrics.strangers_refused);
    peer->retry = world_.options.retry_longest;
    return ended(node, attempt, {.reason = *reason});
  }
  peer->accepted[index(lane)] = true;
  peer->greeting = greeting;
  if (!open(*peer)) return;
  TransportMetrics::count(world_.streams.metrics.connects);
  peer->retry = world_.options.retry_first;
  peer->complaint.clear();
  tell_connected(node, *peer);
}

void Links::ended(NodeId node, std::uint64_t attempt, const StreamEnd& end) {
  Peer* peer = find(node, attempt);
  if (peer == nullptr || finishing_) return;
  if (!open(*peer)) TransportMetrics::count(world_.streams.metrics.attempts_failed);
  if (end.refused) {
    TransportMetrics::count(world_.streams.metrics.refused_by_peers);
    peer->retry = world_.options.retry_longest;
  }
  complain(node, *peer, end.reason);
  close(*peer);
  tell_disconnected(node, *peer);
  if (end.nobody_listens) world_.listener.nobody_listens(node);
  retry(node, *peer);
}

void Links::close(Peer& peer) {
  peer.attempt = ++last_attempt_;
  peer.accepted = {};
  const Lanes lanes = std::exchange(peer.lanes, {});
  for (const auto& stream : lanes.streams) {
    if (stream) stream->cancel();
  }
}

void Links::retry(NodeId node, Peer& peer) {
  const auto jitter = random_.below(static_cast<std::uint64_t>(peer.retry.count() / 2 + 1));
  const Time when = world_.clock.now() + peer.retry + Duration(static_cast<Duration::rep>(jitter));
  peer.retry = std::min(2 * peer.retry, world_.options.retry_longest);
  peer.attempt = ++last_attempt_;  // of several waits only the last counts
  world_.executor.post_at(when, [weak = weak_from_this(), node, attempt = peer.attempt] {
    const std::shared_ptr<Links> self = weak.lock();
    const Peer* late = self && !self->finishing_ ? self->find(node, attempt) : nullptr;
    if (late != nullptr && waiting(*late)) self->connect(node);
  });
}

void Links::tell_connected(NodeId node, Peer& peer) {
  if (std::exchange(peer.connected, true)) return;
  world_.routes.with([&](auto& routes) { routes[node] = peer.lanes; });
  world_.listener.connected(peer.greeting.hello);
}

// Without a route from here on: what a stream took after the loss is told would be lost with it,
// and nobody would tell that.
void Links::tell_disconnected(NodeId node, Peer& peer) {
  world_.routes.with([&](auto& routes) { routes.erase(node); });
  if (!std::exchange(peer.connected, false)) return;
  TransportMetrics::count(world_.streams.metrics.disconnects);
  world_.listener.disconnected(node);
}

void Links::complain(NodeId node, Peer& peer, const std::string& reason) {
  if (std::exchange(peer.complaint, reason) == reason) return;
  world_.log.warning("no connection to a peer",
                     {{"node", short_name(node)}, {"address", peer.address}, {"reason", reason}});
}

void Links::incoming_began(const Greeting& from) {
  const NodeId node = from.hello.node;
  Incoming& incoming = incoming_[node];
  incoming.lanes[index(from.lane)] = true;
  const bool whole = incoming.lanes[0] && incoming.lanes[1];
  const bool returns = whole && std::exchange(incoming.lost, false);
  const auto found = peers_.find(node);
  if (found == peers_.end() || finishing_) return;
  Peer& peer = found->second;
  if (open(peer)) {
    if (const auto reason = world_.host.outdated(peer.greeting)) {
      return ended(node, peer.attempt, {.reason = *reason});
    }
    // The peer may have noticed the loss later than this node, which was connected again by then:
    // what it answered meanwhile went into the lost streams.
    if (returns) tell_disconnected(node, peer);
    if (whole) tell_connected(node, peer);
  } else if (waiting(peer)) {
    connect(node);  // it is there
  }
}

void Links::incoming_lost(NodeId node, Lane lane) {
  if (incoming_.size() >= kRememberedMax) {
    std::erase_if(incoming_,
                  [](const auto& each) { return !each.second.lanes[0] && !each.second.lanes[1]; });
  }
  Incoming& incoming = incoming_[node];
  incoming.lanes[index(lane)] = false;
  incoming.lost = true;
  const auto found = peers_.find(node);
  if (found != peers_.end() && !finishing_) tell_disconnected(node, found->second);
}

void Links::finish() {
  finishing_ = true;
  for (auto& [node, peer] : peers_) {
    for (const auto& stream : peer.lanes.streams) {
      if (!stream) continue;
      open(peer) ? stream->finish() : stream->cancel();
    }
  }
}

void Links::cancel() {
  for (auto& [node, peer] : peers_) {
    for (const auto& stream : peer.lanes.streams) {
      if (stream) stream->cancel();
    }
  }
  peers_.clear();
}

}  // namespace troupe::transport

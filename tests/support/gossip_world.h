#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "placement/gossip/gossip.h"
#include "placement/membership/messages.h"

namespace troupe::placement {

/// What befalls what is sent.
struct NetworkFaults {
  double loss = 0;  // of datagrams; on streams it costs a retransmission
  Duration latency_min = std::chrono::microseconds(500);
  Duration latency_max = std::chrono::milliseconds(3);
  Duration retransmission = std::chrono::milliseconds(200);
};

/// Many members in one thread, on virtual time, all decided by one seed.
class GossipWorld {
 public:
  struct Node {
    Random random;
    Table table;
    Gossip gossip;
    bool running = true;
    int side = 0;  // of a partition
    Time wakes{};

    Node(Member member, std::uint32_t shards, const GossipConfig& config, std::uint64_t seed)
        : random(seed), table(shards), gossip(std::move(member), table, config, random) {}
  };

  GossipWorld(std::size_t count, std::uint32_t shards, NetworkFaults faults, std::uint64_t seed,
              GossipConfig config = {.cluster = "test", .membership = {}, .table = {}})
      : faults_(faults), random_(seed), config_(std::move(config)), shards_(shards) {
    for (std::size_t i = 0; i < count; ++i) add();
  }

  static Member member(std::size_t i) {
    Member member;
    member.id = NodeId{.high = (i + 1) * 0x9e3779b97f4a7c15U, .low = i};
    member.generation = Generation{1};
    member.address = {.host = "n", .port = static_cast<std::uint16_t>(i)};
    member.zone = "z" + std::to_string(i % 3);
    member.types = {"Cart"};
    return member;
  }

  std::size_t add() {
    const std::size_t i = nodes_.size();
    nodes_.push_back(std::make_unique<Node>(member(i), shards_, config_, random_.next()));
    return i;
  }

  Node& operator[](std::size_t i) { return *nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  Time now() const { return now_; }
  NetworkFaults& faults() { return faults_; }

  /// Everyone knows everyone, as after a long while.
  void acquaint() {
    PushPull all;
    for (std::size_t i = 0; i < size(); ++i) all.entries.push_back({.member = member(i)});
    const std::string bytes = message_header(NodeId{.high = 1, .low = 1}) + encode_part(all);
    for (std::size_t i = 0; i < size(); ++i) {
      Gossip& gossip = nodes_[i]->gossip;
      check(gossip.membership().receive(now_, {}, bytes).has_value(), "a push-pull is taken");
      gossip.membership().take_events();
      wake(i);
    }
  }

  void join(std::size_t i, const std::vector<std::size_t>& seeds) {
    std::vector<Address> addresses;
    for (const std::size_t seed : seeds) addresses.push_back(member(seed).address);
    nodes_[i]->gossip.join(now_, addresses);
    flush(i);
  }

  /// Its next process, which knows nobody.
  void restart(std::size_t i) {
    Member self = nodes_[i]->gossip.membership().self();
    ++self.generation.value;
    nodes_[i] = std::make_unique<Node>(std::move(self), shards_, config_, random_.next());
    nodes_[i]->gossip.tick(now_);
    flush(i);
  }

  /// After a call to a node's gossip: sends what it says.
  void flush(std::size_t i) {
    for (Outgoing& message : nodes_[i]->gossip.take_outgoing()) {
      ++sent;
      sent_bytes += message.bytes.size();
      if (message.stream) ++streamed;
      transmit(i, std::move(message));
    }
    if (after) after(i);
    wake(i);
  }

  void run_for(Duration duration) {
    run_until([] { return false; }, duration);
  }

  /// False if `done` did not come true within `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit) {
    const Time end = now_ + limit;
    while (!done()) {
      if (events_.empty() || events_.top().when > end) {
        now_ = end;
        return done();
      }
      Event event = events_.top();
      events_.pop();
      now_ = std::max(now_, event.when);
      handle(event);
    }
    return true;
  }

  std::function<void(std::size_t)> after;  // each step of a node
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t streamed = 0;

 private:
  struct Event {
    Time when;
    std::uint64_t order = 0;
    std::size_t to = 0;
    std::size_t from = 0;
    bool stream = false;
    std::shared_ptr<const std::string> bytes;  // null: a tick

    bool operator<(const Event& other) const {
      return std::pair(when, order) > std::pair(other.when, other.order);
    }
  };

  void handle(const Event& event) {
    Node& node = *nodes_[event.to];
    if (!node.running) return;
    if (!event.bytes) {
      if (event.when != node.wakes) return;
      node.gossip.tick(now_);
    } else {
      if (node.side != nodes_[event.from]->side) return;
      check(node.gossip.receive(now_, member(event.from).address, *event.bytes, event.stream)
                .has_value(),
            "members understand one another");
    }
    flush(event.to);
  }

  void transmit(std::size_t from, Outgoing message) {
    const std::size_t to = message.to.port;
    if (to >= size() || nodes_[to]->side != nodes_[from]->side) return;
    const auto span =
        static_cast<std::uint64_t>((faults_.latency_max - faults_.latency_min).count());
    Duration delay =
        faults_.latency_min + Duration(static_cast<Duration::rep>(random_.below(span + 1)));
    if (random_.chance(faults_.loss)) {
      if (!message.stream) return;
      do delay += faults_.retransmission;
      while (random_.chance(faults_.loss));
    }
    events_.push({.when = now_ + delay,
                  .order = ++order_,
                  .to = to,
                  .from = from,
                  .stream = message.stream,
                  .bytes = std::make_shared<const std::string>(std::move(message.bytes))});
  }

  void wake(std::size_t i) {
    Node& node = *nodes_[i];
    const Time next = std::max(node.gossip.next_tick(), now_);
    // A node that is due at once still lets a moment pass, as a loop does
    const Time when = std::max(next, now_ + std::chrono::microseconds(100));
    if (node.wakes > now_ && node.wakes <= when) return;
    node.wakes = when;
    events_.push(
        {.when = when, .order = ++order_, .to = i, .from = i, .stream = false, .bytes = {}});
  }

  NetworkFaults faults_;
  Random random_;
  GossipConfig config_;
  std::uint32_t shards_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  Time now_{};
};

}  // namespace troupe::placement

#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "runtime/base/network.h"
#include "runtime/base/random.h"
#include "tests/support/sim_process.h"

namespace troupe::sim {

struct FabricOptions {
  Duration latency_min = std::chrono::microseconds(50);
  Duration latency_max = std::chrono::milliseconds(1);
  double datagram_loss = 0;
  double datagram_duplication = 0;
  double introduction_loss = 0;  // of questions, and of answers
  Duration reconnect = std::chrono::milliseconds(100);
  Duration keepalive = std::chrono::seconds(2);  // a silent connection breaks after it
  Duration notice_max{0};  // so much later than the other one end hears that a connection broke
  Duration introduction_patience = std::chrono::seconds(1);
};

class SimEndpoint;

/// The wires between simulated processes: connections that keep order and break on both sides,
/// which may hear of it at different times and are connected again after both have; datagrams that
/// do neither, and partitions.
class SimFabric {
 public:
  SimFabric(SimTimeline& timeline, Random& random) : timeline_(timeline), random_(random) {}

  FabricOptions options;

  /// Where `process`, as `node`, is reached from now on.
  std::shared_ptr<SimEndpoint> attach(NodeId node, std::string address,
                                      std::shared_ptr<SimProcess> process);
  /// The process is gone: its connections break, which others hear unless they are cut off.
  void detach(const std::shared_ptr<SimEndpoint>& endpoint);

  /// What `from` sends to `to` vanishes; what was on its way arrives if this heals in time.
  void block(NodeId from, NodeId to);
  void heal();
  bool blocked(NodeId from, NodeId to) const { return blocked_.contains({from, to}); }
  /// Resets a connection, with all that is on its way.
  void reset(NodeId one, NodeId other);

 private:
  friend class SimEndpoint;
  static constexpr std::size_t kLanes = 2;
  struct Direction {
    std::array<Time, kLanes> free_at{};
    std::deque<std::string> stalled;
  };
  struct Connection {
    std::array<std::shared_ptr<SimEndpoint>, 2> ends;
    std::array<Direction, 2> directions;  // from the end of that index
    bool open = true;
    std::array<bool, 2> noticed{};  // by each end, that it is not
  };
  using Pair = std::pair<NodeId, NodeId>;
  static Pair pair(NodeId a, NodeId b) { return a < b ? Pair(a, b) : Pair(b, a); }

  Duration latency();
  void dial(const std::shared_ptr<SimEndpoint>& from, NodeId to);
  bool open(const std::shared_ptr<SimEndpoint>& from, NodeId to);
  bool nobody_listens(const std::shared_ptr<SimEndpoint>& from, NodeId to) const;
  std::shared_ptr<Connection> connection(const SimEndpoint& from, NodeId to);
  bool send(const SimEndpoint& from, NodeId to, Lane lane, std::string frame);
  void arrive(const std::shared_ptr<Connection>& connection, std::size_t end, std::string frame);
  void close(const std::shared_ptr<Connection>& connection);
  void notice(const std::shared_ptr<Connection>& connection, std::size_t end);
  void datagram(const SimEndpoint& from, const std::string& address, const std::string& bytes);
  void introduce(const std::shared_ptr<SimEndpoint>& from, const std::string& address,
                 std::string question, Done<std::string> done);
  std::shared_ptr<SimEndpoint> listener_at(const std::string& address) const;

  SimTimeline& timeline_;
  Random& random_;
  std::map<std::string, std::shared_ptr<SimEndpoint>> listeners_;
  std::map<Pair, std::shared_ptr<Connection>> connections_;
  std::map<Pair, std::uint64_t> blocked_;  // from, to
  std::uint64_t blocks_ = 0;
};

/// One process's way to the others.
class SimEndpoint final : public Network, public std::enable_shared_from_this<SimEndpoint> {
 public:
  SimEndpoint(SimFabric& fabric, NodeId node, std::string address,
              std::shared_ptr<SimProcess> process)
      : fabric_(fabric), node_(node), address_(std::move(address)), process_(std::move(process)) {}

  void listen(NetworkListener& listener) { listener_ = &listener; }

  void know(NodeId node, std::string address) override;
  void forget(NodeId node) override { known_.erase(node); }
  bool send(NodeId to, Lane lane, std::string frame) override {
    return process_->alive() && fabric_.send(*this, to, lane, std::move(frame));
  }
  void introduce(const std::string& address, std::string question,
                 Done<std::string> done) override {
    fabric_.introduce(shared_from_this(), address, std::move(question), std::move(done));
  }
  void send_datagram(const std::string& address, std::string bytes) override {
    fabric_.datagram(*this, address, bytes);
  }

 private:
  friend class SimFabric;

  SimFabric& fabric_;
  NodeId node_;
  std::string address_;
  std::shared_ptr<SimProcess> process_;
  NetworkListener* listener_ = nullptr;
  std::map<NodeId, std::string> known_;
  std::set<NodeId> dialing_;
};

}  // namespace troupe::sim

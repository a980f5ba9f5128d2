#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/ids.h"
#include <troupe/function.h>

namespace troupe {

/// Which of the two streams between a pair of nodes a frame takes.
enum class Lane : std::uint8_t {
  kCalls,    // new calls: counted by a window, refused when it is full
  kControl,  // replies, commits, leases, replication, gossip too large for a datagram: never
             // refused
};

/// How a node reaches the others. runtime/transport implements it over gRPC and UDP; simulations
/// over a queue in memory. Thread-safe. Nothing here blocks, and nothing is promised to arrive:
/// what is sent over one lane to one node arrives in order, until the connection breaks.
class Network {
 public:
  virtual ~Network() = default;

  /// Where `node` listens (host:port), and keeps a connection to it from now on: reconnects with
  /// back-off until `forget`.
  virtual void know(NodeId node, std::string address) = 0;
  virtual void forget(NodeId node) = 0;

  /// False, and nothing sent, if there is no connection, or for a full window of kCalls.
  [[nodiscard]] virtual bool send(NodeId to, Lane lane, std::string frame) = 0;

  /// As send(), for calls and replies, of which many often come together: may let others join it,
  /// until those that are under way now are through, but a few milliseconds at most.
  [[nodiscard]] virtual bool send_soon(NodeId to, Lane lane, std::string frame) {
    return send(to, lane, std::move(frame));
  }

  /// Asks whoever listens at `address`, known or not, of this cluster or of none: for joining. The
  /// answer, or kUnavailable or kTimeout, comes on the network's own threads.
  virtual void introduce(const std::string& address, std::string question,
                         Done<std::string> done) = 0;

  /// At most 65,507 bytes, to host:port; lost without notice.
  virtual void send_datagram(const std::string& address, std::string bytes) = 0;
};

/// Makes datagrams useless to strangers, and those of strangers known. Thread-safe.
class DatagramGuard {
 public:
  virtual ~DatagramGuard() = default;

  virtual std::string seal(std::string_view text) = 0;
  /// Nothing if it was not sealed by one of us, was changed on its way, or came before.
  virtual std::optional<std::string> open(std::string_view datagram) = 0;
};

/// Who this node says it is when it connects. A stranger is refused with the reason.
struct Hello {
  std::uint64_t protocol_version = 3;
  std::string cluster;  // empty: not a member of any cluster yet
  NodeId node;
  Generation generation;
};

/// What a Network tells its node. Called on the network's own threads, in order for each lane and
/// peer; must not block.
class NetworkListener {
 public:
  virtual ~NetworkListener() = default;

  /// Asked at each new connection.
  virtual Hello hello() const = 0;
  virtual void connected(const Hello& peer) = 0;
  /// The connection broke: whatever was on its way may be lost.
  virtual void disconnected(NodeId peer) = 0;
  /// The host of `peer` said, to an attempt to connect again, that nobody listens there. After
  /// disconnected(), perhaps several times. Not every network tells it.
  virtual void nobody_listens(NodeId peer) = 0;
  /// `frame` lives during the call.
  virtual void received(NodeId from, std::string_view frame) = 0;
  /// Around what the network does at once on one of its threads, such as frames that came together:
  /// what is done once for many may wait for the end. Not every network tells it.
  virtual void work_begins() {}
  /// If it may stay, the node may run a little of what follows from the frames on this thread,
  /// which does nothing else meanwhile. True: it wants to go on, with a work_begins() and a
  /// work_ends() soon, until it has said false or may not stay.
  virtual bool work_ends(bool /*may_stay*/) { return false; }
  /// Answers somebody's introduce(); `respond` from any thread.
  virtual void introduced(std::string question, Done<std::string> respond) = 0;
  virtual void received_datagram(const std::string& from, std::string_view bytes) = 0;
};

}  // namespace troupe

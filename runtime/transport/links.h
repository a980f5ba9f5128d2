#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "runtime/base/log.h"
#include "runtime/base/network.h"
#include "runtime/base/random.h"
#include "runtime/transport/outgoing_stream.h"
#include "runtime/transport/peer_server.h"
#include "runtime/transport/transport_options.h"

namespace troupe::transport {

/// A stream for each lane; those that a node sends over once its peer has accepted both.
struct Lanes {
  std::array<std::shared_ptr<OutgoingStream>, 2> streams;

  const std::shared_ptr<OutgoingStream>& operator[](Lane lane) const {
    return streams[static_cast<std::size_t>(lane)];
  }
};

/// Where send() looks.
using Routes = Guarded<std::unordered_map<NodeId, Lanes>>;

/// Keeps a connection to each peer that is known: connects, tries again, tells the listener.
///
///     waiting ──time──→ opening ──both lanes accepted──→ open
///        ↑                 │ refused, broken, too late     │ broken
///        └─────────────────┴───────────────────────────────┘
///
/// All on one executor, its own but for what says otherwise.
class Links : public std::enable_shared_from_this<Links> {
 public:
  /// What the links live on; all of it outlives them, but for `credentials`, which is copied.
  struct World {
    StreamWorld streams;
    Executor& executor;  // where `streams.live` ends operations too
    Clock& clock;
    Log log;
    NetworkListener& listener;
    PeerServer::Host& host;
    const TransportOptions& options;
    Routes& routes;
    Credentials credentials;
  };

  explicit Links(World world);

  void know(NodeId node, std::string address);
  void forget(NodeId node);
  void incoming_began(const Greeting& from);
  void incoming_lost(NodeId node, Lane lane);

  /// Sends what is queued, then closes; nothing is told any more.
  void finish();
  /// Closes what finish() has left.
  void cancel();

 private:
  struct Peer {
    std::string address;
    std::uint64_t attempt = 0;  // the last: what belongs to another is stale
    Lanes lanes = {};
    std::array<bool, 2> accepted = {};
    bool connected = false;  // as far as the listener knows
    Greeting greeting = {};  // of whom accepted last
    Duration retry = {};
    std::string complaint = {};  // the last in the log
  };
  struct Incoming {
    std::array<bool, 2> lanes = {};
    bool lost = false;  // one of them, since both were there
  };

  static bool open(const Peer& peer);
  static bool waiting(const Peer& peer);
  Peer* find(NodeId node, std::uint64_t attempt);
  OutgoingStream::Events events(NodeId node, std::uint64_t attempt, Lane lane);
  void connect(NodeId node);
  void greeted(NodeId node, std::uint64_t attempt, Lane lane, const Greeting& greeting);
  void ended(NodeId node, std::uint64_t attempt, const StreamEnd& end);
  void close(Peer& peer);
  void retry(NodeId node, Peer& peer);
  void tell_connected(NodeId node, Peer& peer);
  void tell_disconnected(NodeId node, Peer& peer);
  void complain(NodeId node, Peer& peer, const std::string& reason);

  const World world_;
  Random random_;
  std::map<NodeId, Peer> peers_;
  std::map<NodeId, Incoming> incoming_;  // of peers that send or have sent here, known or not
  std::uint64_t last_attempt_ = 0;
  bool finishing_ = false;
};

}  // namespace troupe::transport

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/network.h"
#include <troupe/time.h>

namespace troupe::transport {

/// PEM texts for mutual TLS: each side shows its certificate, and believes those that one of the
/// authorities signed.
struct TlsIdentity {
  std::string authorities;
  std::string certificate;
  std::string key;
  /// The name that every node's certificate carries, whatever address it is reached by. Empty: each
  /// carries the host that it is reached by.
  std::string name = {};
};

struct TransportOptions {
  /// Where to listen: one number for streams (TCP) and datagrams (UDP). 0: any free one.
  std::string host = "127.0.0.1";
  std::uint16_t port = 7400;
  /// Where others reach this node, host:port. Empty: where it listens.
  std::string advertised = {};

  /// Bytes waiting for one peer before send() refuses. Calls are refused early, since their callers
  /// can slow down: more would only add latency. The control lane carries what answers them and
  /// what replicates; it refuses only to bound memory when a peer stands still.
  std::size_t calls_queue_bytes_max = 4 * 1024 * 1024;
  std::size_t control_queue_bytes_max = 256 * 1024 * 1024;
  /// One write: larger spreads its cost over more frames, smaller lets the lanes alternate more
  /// often.
  std::size_t batch_bytes_max = 64 * 1024;
  /// The largest frame sent or put together again.
  std::size_t frame_bytes_max = 65 * 1024 * 1024;

  /// Wait before connecting again: doubles from the first to the longest, plus up to a half.
  Duration retry_first = std::chrono::milliseconds(50);
  Duration retry_longest = std::chrono::seconds(1);
  /// A peer that has not accepted both lanes by then is tried again; who connects here and has not
  /// said who it is, or what it asks, by then is closed.
  Duration accept_timeout = std::chrono::seconds(3);
  /// A peer silent for their sum is taken for dead. Shorter notices earlier, and mistakes a busy
  /// machine for a dead one.
  Duration keepalive_interval = std::chrono::seconds(1);
  Duration keepalive_timeout = std::chrono::seconds(2);
  Duration introduce_timeout = std::chrono::seconds(2);
  /// For how long stop() goes on sending what is queued.
  Duration stop_patience = std::chrono::milliseconds(500);

  /// Without, streams are in clear.
  std::optional<TlsIdentity> tls = std::nullopt;
  /// Without, datagrams are in clear.
  std::shared_ptr<DatagramGuard> datagram_guard = nullptr;
};

/// Whether only this machine reaches `host`: 127.0.0.0/8, ::1 or localhost. Asks no name server.
bool is_loopback(std::string_view host);

}  // namespace troupe::transport

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/net/http_client.h"
#include "sdk/src/address_watch.h"
#include <troupe/client.h>

namespace troupe {

/// Longer calls are refused a key by the nodes, which would have to remember them for so long.
inline constexpr Duration kKeyedTimeoutMax = std::chrono::minutes(10);

struct HttpClientTransportOptions {
  /// `host:port` each, in order of preference, at least one.
  std::vector<std::string> addresses;
  std::string token;  // shown as `dapr-api-token`; empty: none
  /// Further attempts of a call; each address is tried once anyway.
  std::uint32_t retries = std::numeric_limits<std::uint32_t>::max();
  /// Of these, while nobody has ever answered, or where nodes are overloaded.
  std::uint32_t retries_in_vain = 3;
  /// Before an address is asked again, at most, and half of it at least, at random; doubles each
  /// time. Shorter finds a new owner sooner, longer spares nodes that are overloaded.
  Duration pause = std::chrono::milliseconds(50);
  Duration pause_max = std::chrono::seconds(2);
  /// When an address is asked whether it is there, and when it is not; 0 as `late_after`: never.
  AddressWatchOptions silence = {};
};

/// What the transport needs. All outlive it.
struct HttpClientTransportParts {
  Clock& clock;
  Executor& pauses;         // runs what waits before it is sent again
  Executor& ticks;          // looks for late answers
  net::HttpClient& http;    // for calls
  net::HttpClient& probes;  // for questions whether a node is there; one connection each will do
};

/// Calls actors over the HTTP API of nodes: `POST /v1.0/actors/{type}/{id}/method/{method}`.
///
/// Keeps to the address that answered last; when it does not, the next one is asked. Each call has
/// a key (`troupe-call-key`) under which it is sent again, until its time-out, when there is no
/// connection, when it breaks, and when the node answers `unavailable`, `exhausted` or `unknown
/// outcome`: it takes effect once whichever attempts ran. Read-only calls need no key. Calls of
/// more than kKeyedTimeoutMax have none, and are sent again only if they certainly did not run.
/// One-way messages travel like calls.
///
/// With several addresses, one that has fallen silent (its process is stopped, its host is gone) is
/// found out by a probe while calls wait for it; those that may be sent again go to the next one,
/// and others avoid it until it answers probes again. Calls that take their time at a node that
/// does answer wait on.
///
/// Thread-safe. Its destructor waits for no call: none may be under way.
class HttpClientTransport final : public ClientTransport {
 public:
  HttpClientTransport(const HttpClientTransportParts& parts,
                      const HttpClientTransportOptions& options);

  /// Errors: as the actor or the node gave them; kInvalid, nothing sent, if an address is none;
  /// kUnavailable if nobody answers, naming who was asked; kTimeout if `timeout` passed and the
  /// call has not run; kUnknownOutcome if it may have: also when the actor refuses it after an
  /// attempt of which nothing was heard.
  Result<Payload> call(const ClientCall& call) override;

 private:
  struct Nodes;
  class Attempts;

  std::shared_ptr<Nodes> nodes_;
};

/// What the answer of a node to a call means. For tests, too.
Result<Payload> reply_of(const net::HttpResponse& response);

/// The transport with all it needs, for a program that has none of that: a thread for sockets, one
/// for pauses.
std::shared_ptr<ClientTransport> http_transport(const HttpClientTransportOptions& options);

}  // namespace troupe

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
/// Thread-safe. Its destructor waits for no call: none may be under way.
class HttpClientTransport final : public ClientTransport {
 public:
  /// All outlive it. `pauses` runs what waits before it is sent again.
  HttpClientTransport(Clock& clock, Executor& pauses, net::HttpClient& http,
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
std::shared_ptr<ClientTransport> http_transport(HttpClientTransportOptions options);

}  // namespace troupe

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/net/http_client.h"
#include <troupe/client.h>

namespace troupe {

struct HttpClientTransportOptions {
  /// `host:port` each, in order of preference, at least one.
  std::vector<std::string> addresses;
  std::string token;  // shown as `dapr-api-token`; empty: none
  /// Further attempts of a call that cannot have taken effect; each address is tried once anyway.
  std::uint32_t retries = 3;
  /// Before an address is asked again; doubles each time. Shorter finds a new owner sooner, longer
  /// spares nodes that are overloaded.
  Duration pause = std::chrono::milliseconds(50);
  Duration pause_max = std::chrono::seconds(2);
};

/// Calls actors over the HTTP API of nodes: `POST /v1.0/actors/{type}/{id}/method/{method}`.
///
/// Keeps to the address that answered last; when it does not, the next one is asked. Sends a call
/// again only if it certainly had no effect: no connection, `unavailable` or `exhausted`. One-way
/// messages travel like calls.
///
/// Thread-safe. Its destructor waits for no call: none may be under way.
class HttpClientTransport final : public ClientTransport {
 public:
  /// All outlive it. `pauses` runs what waits before it is sent again.
  HttpClientTransport(Clock& clock, Executor& pauses, net::HttpClient& http,
                      const HttpClientTransportOptions& options);

  /// Errors: as the actor or the node gave them; kInvalid, nothing sent, if an address is none;
  /// kUnavailable if nobody answers, naming who was asked; kTimeout if `timeout` passed and the
  /// call has not run; kUnknownOutcome if it may have.
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

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/api/service.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/net/io_threads.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::api {

struct GrpcApiOptions {
  /// Numeric address or name of this machine; empty: every interface.
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any, see GrpcApi::port()
  /// Callers must show it as metadata `dapr-api-token`, except for health. Empty: nobody is asked.
  std::string api_token = {};
  /// Larger messages, in or out, are refused with RESOURCE_EXHAUSTED. Dapr's default.
  std::size_t message_bytes_max = 4 * 1024 * 1024;
  /// Calls at a time on one connection; beyond, clients wait.
  std::uint32_t calls_max = 1'000;
};

/// The API over gRPC: Dapr's service as far as actors, metadata and shutdown go, health checks and
/// reflection, each on the same port. Only translates: what an operation does is Service's.
///
/// Calls arrive on gRPC's own threads, which only hand them on. A caller that gives up, or waits
/// when the server stops, is answered at once; what it began goes on without it.
class GrpcApi {
 public:
  struct Dependencies {
    Service& service;
    Clock& clock;
    net::IoThreads& threads;  // to say why a port cannot be had
    Log log;
    /// Asked to stop this process: in order, or at once. Called on any thread; must not block.
    std::function<void(bool force)> shutdown;
  };

  /// All outlive it.
  GrpcApi(Dependencies dependencies, GrpcApiOptions options);
  /// Stops, without patience.
  ~GrpcApi();
  GrpcApi(const GrpcApi&) = delete;
  GrpcApi& operator=(const GrpcApi&) = delete;

  /// Listens. Once only. kUnavailable where it cannot: "cannot listen on 127.0.0.1:50001: address
  /// already in use; choose another port".
  Result<void> start();
  /// Refuses new calls, waits for those begun as long as `patience`, then cancels them. Idempotent.
  /// Not from a call of the API.
  void stop(Duration patience);

  /// Requires start().
  std::uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::api

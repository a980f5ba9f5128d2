#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/net/socket_address.h"
#include <troupe/function.h>

namespace troupe::net {

/// Finds the addresses of `host:port` texts: numeric ones at once, names by the system's resolver,
/// on threads of its own since that blocks. Thread-safe.
class Resolver {
 public:
  explicit Resolver(std::size_t threads = 2, std::size_t queue_length_max = 1'000);

  /// All addresses of `where`, in the system's order of preference, at least one. `done` runs on
  /// the caller's thread, inside this call, for a numeric host; else on a thread of the resolver.
  /// Errors: kUnavailable (no such name, or nobody to ask), kExhausted (too many waiting). After
  /// stop(): kCancelled.
  void resolve(const HostPort& where, Done<std::vector<SocketAddress>> done);

  /// Ends what runs, cancels what waits.
  void stop();

 private:
  std::atomic<bool> stopped_ = false;
  ThreadPool pool_;
};

/// The same on the caller's thread, which it may block for seconds: for start-up and tools.
Result<std::vector<SocketAddress>> resolve_now(const HostPort& where);

}  // namespace troupe::net

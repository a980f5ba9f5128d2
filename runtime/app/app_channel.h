#pragma once

#include "runtime/net/http_message.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::app {

/// The way to the app beside this node. Thread-safe.
class AppChannel {
 public:
  virtual ~AppChannel() = default;

  /// Asks the app, and gives its answer, whatever its status. The app's token and Host are filled
  /// in. `done` runs on any thread, never inside this call, and must not block.
  ///
  /// Errors say whether the app may have seen it. Certainly not: kInvalid, kUnavailable (nobody
  /// listens), kExhausted (too many wait), kTimeout (`deadline` passed while it waited), kCancelled
  /// (stopped). Perhaps: kUnknownOutcome.
  virtual void ask(net::HttpRequest request, Time deadline, Done<net::HttpResponse> done) = 0;

  /// Whether the app is well, by the answer to a GET of `path`: beside what is limited, and without
  /// the token.
  virtual void check(const std::string& path, Time deadline, Done<net::HttpResponse> done) = 0;

  /// Whether anybody listens there. kUnavailable: surely nobody. kTimeout: not to be learned by
  /// `deadline`. As for ask().
  virtual void probe(Time deadline, Done<void> done) = 0;
};

}  // namespace troupe::app

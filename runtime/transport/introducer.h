#pragma once

#include <memory>
#include <string>

#include "runtime/transport/live_count.h"
#include "runtime/transport/transport_options.h"
#include "runtime/transport/wire.h"
#include <troupe/function.h>

namespace troupe::transport {

/// Asks nodes that are perhaps not known yet. Thread-safe.
class Introducer {
 public:
  /// All outlive it; `live` counts what is asked.
  Introducer(const TransportOptions& options, LiveCount& live);
  /// Before the first question: what it is asked over, and is served until the last has ended.
  void use(grpc::CompletionQueue& queue);
  ~Introducer();
  Introducer(const Introducer&) = delete;
  Introducer& operator=(const Introducer&) = delete;

  void ask(const Credentials& credentials, const std::string& address, std::string question,
           Done<std::string> done);
  /// What is asked, now or later, answers kUnavailable soon.
  void stop();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace troupe::transport

#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "runtime/net/http_client.h"
#include "sdk/src/address_watch.h"
#include <troupe/function.h>

namespace troupe {

/// Asks nodes whether they are there (`GET /v1.0/healthz`; whatever they answer will do) when their
/// answers are late, and tells those who wait in vain: AddressWatch with a clock and connections.
///
/// Thread-safe. Held by shared_ptr.
class SilenceWatch final : public std::enable_shared_from_this<SilenceWatch> {
 public:
  using Waiter = AddressWatch::Waiter;

  /// The references outlive it. `probes` are sent over connections of their own, so that they do
  /// not queue behind calls.
  SilenceWatch(Clock& clock, Executor& ticks, net::HttpClient& probes,
               std::vector<net::HttpOrigin> origins, AddressWatchOptions options);

  /// `fell_silent` is called, on a thread of `probes`, if this one should go elsewhere. Either that
  /// happens or ended() is true, not both.
  Waiter wait(std::size_t address, Function<void()> fell_silent);
  /// The wait is over, by an answer or without. False: `fell_silent` was called, or will be.
  [[nodiscard]] bool ended(Waiter waiter, bool answered);
  /// `address`, or the first after it that is not silent; `address` if all are.
  std::size_t speaking(std::size_t address) const;

 private:
  struct Waiting {
    AddressWatch watch;
    std::map<Waiter, Function<void()>> fell_silent = {};
    bool ticking = false;  // a tick will come
  };

  void tick();
  void probe(std::size_t address);
  void probed(std::size_t address, bool answered);
  void schedule_tick();

  Clock& clock_;
  Executor& ticks_;
  net::HttpClient& probes_;
  const std::vector<net::HttpOrigin> origins_;
  const AddressWatchOptions options_;
  Guarded<Waiting> waiting_;
};

}  // namespace troupe

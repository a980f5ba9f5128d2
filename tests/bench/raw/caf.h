#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "tests/bench/raw/cpu.h"

/// What benchmarks compare actors with: request/then of bare CAF.
namespace troupe::bench {

/// Shared immutable bytes, as our own calls carry.
struct RawPayload {
  std::shared_ptr<const std::string> bytes;
};

}  // namespace troupe::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::bench::RawPayload)

namespace troupe::bench {

inline constexpr int kPairs = 256;
inline constexpr int kRounds = 2'000;

// CPU nanoseconds a call and reply.
inline double measure(const std::function<void()>& run) {
  const double before = cpu_seconds();
  run();
  return (cpu_seconds() - before) / (double{kPairs} * kRounds) * 1e9;
}

struct Countdown {
  std::atomic<int> left{kPairs};
  void one() {
    if (left.fetch_sub(1) == 1) left.notify_all();
  }
  void wait() {
    for (int now = left.load(); now > 0; now = left.load()) left.wait(now);
  }
};

using Go = caf::atom_constant<caf::atom("go")>;
using Ping = caf::atom_constant<caf::atom("ping")>;

inline caf::behavior echo(caf::event_based_actor*) {
  return {[](Ping, const RawPayload& payload) { return payload; }};
}

struct Caller {
  int left = kRounds;
  RawPayload payload{std::make_shared<const std::string>(100, 'x')};
};

inline void next(caf::stateful_actor<Caller>* self, const caf::actor& target, Countdown* ended) {
  self->request(target, caf::infinite, Ping::value, self->state.payload)
      .then([=](const RawPayload&) {
        if (--self->state.left == 0) return ended->one();
        next(self, target, ended);
      });
}

/// CPU nanoseconds of a call and its reply between event-based actors.
inline double bare_caf() {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  caf::actor_system system(config);
  Countdown ended;
  std::vector<caf::actor> callers;
  for (int i = 0; i < kPairs; ++i) {
    const caf::actor target = system.spawn(echo);
    callers.push_back(system.spawn([target, &ended](caf::stateful_actor<Caller>* self) {
      return caf::behavior{[=, &ended](Go) { next(self, target, &ended); }};
    }));
  }
  const double cost = measure([&] {
    for (const caf::actor& each : callers) caf::anon_send(each, Go::value);
    ended.wait();
  });
  callers.clear();
  return cost;
}

}  // namespace troupe::bench

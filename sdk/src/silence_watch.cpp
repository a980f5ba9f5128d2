#include "sdk/src/silence_watch.h"

#include <utility>

namespace troupe {
namespace {

// Of the time after which an answer is late: a probe leaves no later than that after it is due.
constexpr int kTicks = 4;

}  // namespace

SilenceWatch::SilenceWatch(Clock& clock, Executor& ticks, net::HttpClient& probes,
                           std::vector<net::HttpOrigin> origins, AddressWatchOptions options)
    : clock_(clock),
      ticks_(ticks),
      probes_(probes),
      origins_(std::move(origins)),
      options_(options),
      waiting_(Waiting{.watch = AddressWatch(origins_.size(), options)}) {}

SilenceWatch::Waiter SilenceWatch::wait(std::size_t address, Function<void()> fell_silent) {
  const Time now = clock_.now();
  bool first = false;
  const Waiter waiter = waiting_.with([&](Waiting& waiting) {
    first = !std::exchange(waiting.ticking, true);
    const Waiter number = waiting.watch.wait(now, address);
    waiting.fell_silent.emplace_hint(waiting.fell_silent.end(), number, std::move(fell_silent));
    return number;
  });
  if (first) schedule_tick();
  return waiter;
}

bool SilenceWatch::ended(Waiter waiter, bool answered) {
  const Time now = clock_.now();
  Function<void()> dropped;  // not under the lock: others' destructors
  return waiting_.with([&](Waiting& waiting) {
    if (!waiting.watch.ended(now, waiter, answered)) return false;
    const auto found = waiting.fell_silent.find(waiter);
    dropped = std::move(found->second);
    waiting.fell_silent.erase(found);
    return true;
  });
}

std::size_t SilenceWatch::speaking(std::size_t address) const {
  return waiting_.with([&](const Waiting& waiting) { return waiting.watch.speaking(address); });
}

// Only while somebody waits.
void SilenceWatch::tick() {
  const Time now = clock_.now();
  std::vector<std::size_t> due;
  const bool go_on = waiting_.with([&](Waiting& waiting) {
    waiting.ticking = !waiting.watch.idle();
    if (waiting.ticking) due = waiting.watch.take_probes(now);
    return waiting.ticking;
  });
  for (const std::size_t address : due) probe(address);
  if (go_on) schedule_tick();
}

void SilenceWatch::schedule_tick() {
  ticks_.post_at(clock_.now() + options_.late_after / kTicks, [back = weak_from_this()] {
    if (const std::shared_ptr<SilenceWatch> self = back.lock()) self->tick();
  });
}

void SilenceWatch::probe(std::size_t address) {
  const Time deadline = clock_.now() + options_.probe_timeout;
  probes_.send(origins_[address], {.method = "GET", .target = "/v1.0/healthz"}, deadline,
               [back = weak_from_this(), address, deadline](const auto& response) {
                 const std::shared_ptr<SilenceWatch> self = back.lock();
                 if (self == nullptr) return;
                 // A connection that is refused says that somebody is there to refuse it: then
                 // those that calls wait on tell what becomes of them.
                 self->probed(address, response || self->clock_.now() < deadline);
               });
}

void SilenceWatch::probed(std::size_t address, bool answered) {
  const Time now = clock_.now();
  std::vector<Function<void()>> lost;
  waiting_.with([&](Waiting& waiting) {
    for (const Waiter waiter : waiting.watch.probed(now, address, answered)) {
      lost.push_back(std::move(waiting.fell_silent.extract(waiter).mapped()));
    }
  });
  for (Function<void()>& each : lost) each();
}

}  // namespace troupe

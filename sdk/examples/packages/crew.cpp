#include "sdk/examples/packages/crew.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <poll.h>

#include "runtime/base/clock.h"

using troupe::Code;
using troupe::Result;

namespace {

constexpr auto kPatience = std::chrono::seconds(90);
constexpr int kPauseMs = 50;

bool passes(Code code) {
  return code == Code::kUnavailable || code == Code::kExhausted || code == Code::kTimeout ||
         code == Code::kUnknownOutcome || code == Code::kPrecondition || code == Code::kCancelled;
}

}  // namespace

Result<void> persist(const std::function<Result<void>()>& call, troupe::Duration patience,
                     const std::function<void(const troupe::Error&)>& repeating) {
  const troupe::SystemClock clock;
  const troupe::Time end = clock.now() + patience;
  for (;;) {
    Result<void> outcome = call();
    if (outcome || !passes(outcome.error().code) || clock.now() >= end) return outcome;
    repeating(outcome.error());
    poll(nullptr, 0, kPauseMs);
  }
}

Crew::~Crew() {
  next_ = count_;
  for (const auto& worker : workers_) {
    if (worker.valid()) worker.wait();
  }
}

void Crew::begin(std::size_t count, Piece piece) {
  workers_.clear();
  count_ = count;
  piece_ = std::move(piece);
  next_ = 0;
  done_ = 0;
  for (std::size_t i = 0; i < std::min(threads_, count); ++i) {
    workers_.push_back(std::async(std::launch::async, [this, i] { return work(i); }));
  }
}

Result<void> Crew::work(std::size_t thread) {
  const troupe::Client& client = clients_[thread % clients_.size()];
  for (std::size_t i = next_++; i < count_; i = next_++) {
    const auto repeating = [&](const troupe::Error& why) {
      ++repeats_;
      reason_.with([&](std::string& reason) { reason = why.message; });
    };
    const Result<void> outcome = persist([&] { return piece_(client, i); }, kPatience, repeating);
    if (!outcome) {
      next_ = count_;
      return outcome;
    }
    ++done_;
  }
  return {};
}

bool Crew::wait(troupe::Duration patience) {
  const troupe::SystemClock clock;
  const troupe::Time end = clock.now() + patience;
  return std::ranges::all_of(workers_, [&](const auto& worker) {
    const troupe::Duration left = std::max(end - clock.now(), troupe::Duration::zero());
    return worker.wait_for(left) == std::future_status::ready;
  });
}

Result<void> Crew::end() {
  Result<void> first;
  for (auto& worker : workers_) {
    const Result<void> outcome = worker.get();
    if (!outcome && first) first = outcome;
  }
  workers_.clear();
  return first;
}

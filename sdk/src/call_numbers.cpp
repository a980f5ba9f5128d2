#include "sdk/src/call_numbers.h"

#include <algorithm>

namespace troupe {
namespace {

// Calls open at once are no reason for another caller.
constexpr std::size_t kSpanPerOpenCall = 4;

bool held_up(const CallNumbers::Caller& caller) {
  const std::uint64_t span = caller.next - caller.done_below();
  return span >= CallNumbers::kSpanMin && span >= caller.open.size() * kSpanPerOpenCall;
}

NodeId random_caller() { return {.high = random_seed(), .low = random_seed()}; }

}  // namespace

CallNumbers::Name CallNumbers::begin() {
  if (current_ == nullptr || held_up(*current_)) {
    current_ = std::make_shared<Caller>(Caller{.id = random_caller()});
  }
  const std::uint64_t number = current_->next++;
  current_->open.insert(current_->open.end(), number);
  return {.caller = current_, .number = number};
}

}  // namespace troupe

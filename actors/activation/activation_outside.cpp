// What is different where turns run in a program beside the node: they cannot be undone, and must
// not be begun twice.
#include <utility>

#include "actors/activation/activation.h"

namespace troupe::actors {
namespace {

bool same_tick(const storage::Cause& a, const storage::Cause& b) {
  const auto* one = std::get_if<storage::TickCause>(&a);
  const auto* other = std::get_if<storage::TickCause>(&b);
  return one != nullptr && other != nullptr && one->name == other->name &&
         one->registration == other->registration && one->number == other->number;
}

}  // namespace

// Changes from elsewhere come from a program that had the actor before it moved.
std::optional<Error> Activation::refusal_outside(const Call& call) const {
  if (call.kind == CallKind::kState && !call.from.empty() && changes_values(call.message.view())) {
    return Error{Code::kPrecondition, to_string(key_) + " is not active on that node"};
  }
  if (call.kind != CallKind::kTick) return std::nullopt;
  for (const Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    if (same_tick(static_cast<const Turn*>(each)->request.cause, call.cause)) {
      return Error{Code::kUnavailable, "that tick is being handled"};
    }
  }
  return std::nullopt;
}

// A turn runs: what its program asks for does not wait for its end, whatever becomes of the
// activation.
bool Activation::serves_outside() const {
  if (!type_->options.outside) return false;
  bool runs = false;
  for (const Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    if (each->access != Access::kWrite) continue;
    if (each->state != Ticket::State::kRunning) return false;
    runs = true;
  }
  return runs;
}

// False: the call was dealt with.
bool Activation::admit_outside(Turn& turn) {
  Call& call = turn.request;
  call.must_record = call.named() && right_ != nullptr;
  call.may_repeat = call.must_record;
  if (!call.may_have_run && !call.asked_before) return true;
  if (call.must_record) {
    recall(turn);
  } else {
    finish(turn, fail(perhaps_run(turn)));
  }
  return false;
}

Error Activation::perhaps_run(const Turn& turn) const {
  return {Code::kUnknownOutcome, turn.request.method + " on " + to_string(key_) +
                                     " was begun, and its program has not said how it went"};
}

// Nothing of it has run: whoever has the program may take it.
void Activation::not_reached(Turn& turn, const Error& error) {
  Call& call = turn.request;
  const Time now = home_->dependencies.clock.now();
  if (call.ownerless_since == Time{}) call.ownerless_since = now;
  if (call.kind == CallKind::kMethod &&
      now - call.ownerless_since < home_->options.lapse_patience) {
    turn.leave(home_->dependencies.router);
  }
  finish(turn, fail(error));
}

// Its turn took no effect and never will, if it was ours to undo. A call that may be repeated
// begins anew at the next owner, as it would if its caller heard nothing.
void Activation::replaced(Turn& turn, const Error& error) {
  if (type_->options.outside) {
    if (turn.request.kind == CallKind::kState) return lost(turn, error);
    return lost(turn, perhaps_run(turn));
  }
  if (turn.request.may_repeat) turn.leave(home_->dependencies.router);
  lost(turn, error);
}

}  // namespace troupe::actors

#include "actors/turns/turn.h"

#include <algorithm>

#include "actors/activation/activation.h"
#include "runtime/base/deadline.h"

namespace troupe::actors {
namespace {

// Gives a completion back to the turn that began the operation, if that still runs.
template <class T>
void complete(Activation& activation, std::uint64_t number, Done<T>& done, Result<T>&& outcome) {
  Turn* const turn = activation.running(number);
  if (turn == nullptr || turn->result) return;
  --turn->outstanding;
  const Time now = activation.home().dependencies.clock.now();
  activation.run_user_code(*turn, now, [&] { done(std::move(outcome)); });
}

template <class T>
void post_completion(std::shared_ptr<Activation> to, std::uint64_t number, Done<T> done,
                     Result<T> outcome) {
  Activation::post_work_to(std::move(to), [number, done = std::move(done),
                                           outcome = std::move(outcome)](Activation& self) mutable {
    complete(self, number, done, std::move(outcome));
  });
}

// Programs beside nodes mark what is an error for who called.
Result<Payload> payload_of(Reply&& reply) {
  for (const Metadata& each : reply.metadata) {
    if (each.name == kErrorMetadata) {
      return fail(Code::kApplication, std::string(reply.body.view()));
    }
  }
  return std::move(reply.body);
}

}  // namespace

void Turn::handle(Activation& activation, std::unique_ptr<Event> self) {
  static_cast<void>(self.release());
  activation.arrive(std::unique_ptr<Turn>(this));
}

// One whose caller does not wait was answered on its arrival.
void Turn::hand_back(Router& router) {
  if (request.kind == CallKind::kTimer) return;
  if (!request.done) request.done = [](const Result<Reply>&) {};
  router.returned(std::move(request));
}

// Most turns never ask.
WallTime Turn::now() const {
  const Clock& clock = home->home().dependencies.clock;
  return clock.wall() - (clock.now() - began);
}

Duration Turn::time_left() const {
  return std::max(Duration{0}, request.deadline - home->home().dependencies.clock.now());
}

std::uint64_t Turn::fencing_token() const {
  return home->right() == nullptr ? 0 : home->right()->epoch.value;
}

void Turn::reply(Result<Reply>&& outcome) {
  if (request.done) std::exchange(request.done, nullptr)(std::move(outcome));
}

// What is left of the user's code may still ask who it is.
void Turn::leave(Router& router) {
  const ActorKey left = request.key;
  chain = {};
  hand_back(router);
  request.key = left;
}

bool Turn::may_restart() const { return state == State::kRunning && left_no_trace(); }

bool Turn::left_no_trace() const {
  return !asked_for_change && !deactivates && transaction == nullptr &&
         request.kind != CallKind::kTimer;
}

Call Turn::nested_call(NestedCall& nested, Done<Payload>& done) {
  const ActorsDependencies& on = home->home().dependencies;
  Call call;
  call.deadline = request.deadline;
  if (nested.timeout)
    call.deadline = std::min(call.deadline, after(on.clock.now(), *nested.timeout));
  call.key = std::move(nested.target);
  call.method = std::move(nested.method);
  call.message = std::move(nested.message);
  call.content_type = std::move(nested.content_type);
  call.traceparent = request.traceparent;
  call.chain.id = request.chain.id;
  call.chain.waiting.reserve(request.chain.waiting.size() + 1);
  call.chain.waiting = request.chain.waiting;
  call.chain.waiting.push_back(request.key);
  call.id = on.ids.next();
  call.done = [back = home->shared_from_this(), turn = number,
               done = std::move(done)](Result<Reply>&& reply) mutable {
    Result<Payload> outcome = reply ? payload_of(*std::move(reply)) : fail(reply.error());
    post_completion(std::move(back), turn, std::move(done), std::move(outcome));
  };
  return call;
}

void Turn::call(NestedCall nested, Done<Payload> done) {
  ++outstanding;
  asked_for_change = asked_for_change || !nested.read_only;
  if (request.chain.waiting.size() + 1 > kChainLengthMax) {
    return post_completion<Payload>(
        home->shared_from_this(), number, std::move(done),
        fail(Code::kInvalid, "a chain of more than " + std::to_string(kChainLengthMax) +
                                 " calls, at " + to_string(nested.target)));
  }
  waiting_for.assign(nested.target.type);
  waiting_for.append("/").append(nested.target.id).append(" ").append(nested.method);
  Call call = nested_call(nested, done);
  const ActorsDependencies& on = home->home().dependencies;
  if (home->may_leave(on.clock.now())) return on.router.route(std::move(call));
  home->home().metrics.confirms.add();
  on.shards.confirm(home->right(), [&router = on.router,
                                    call = std::move(call)](const Result<void>& current) mutable {
    if (current) return router.route(std::move(call));
    call.done(fail(Code::kPrecondition, "no longer the owner of the calling actor"));
  });
}

// Of other types it is the caller's own affair.
std::string_view Turn::chain_id() const {
  return home->type().options.reentrant ? chain : std::string_view();
}

// Not owning: what an activation waits for does not keep it from going.
Function<void()> Turn::from_any_thread(Function<void()> next) {
  ++outstanding;
  waiting_for = "the program beside this node";
  return [back = home->weak_from_this(), turn = number, next = std::move(next)]() mutable {
    std::shared_ptr<Activation> activation = back.lock();
    if (activation == nullptr) return;
    Done<void> done = [next = std::move(next)](const Result<void>& /*always*/) mutable { next(); };
    post_completion<void>(std::move(activation), turn, std::move(done), {});
  };
}

void Turn::sleep(Duration duration, Done<void> done) {
  ++outstanding;
  waiting_for = "a timer";
  const ActorsDependencies& on = home->home().dependencies;
  on.timers.post_at(after(on.clock.now(), duration), [back = home->weak_from_this(), turn = number,
                                                      done = std::move(done)]() mutable {
    if (std::shared_ptr<Activation> activation = back.lock()) {
      post_completion<void>(std::move(activation), turn, std::move(done), {});
    }
  });
}

}  // namespace troupe::actors

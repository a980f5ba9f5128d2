#include <utility>

#include "sdk/src/native_instance.h"
#include <troupe/actor.h>
#include <troupe/call.h>
#include <troupe/error.h>
#include <troupe/turn.h>

namespace troupe {
namespace detail {

Turn::Turn(NativeInstance& instance, TurnContext& context, TurnMessage message,
           Done<TurnResult> done)
    : instance_(instance),
      context_(context),
      message_(std::move(message)),
      done_(std::move(done)) {}

Turn::~Turn() = default;

void Turn::refuse(const Error& error) const {
  throw ActorError(error.code, "the message of method '" + message_.method + "' of " +
                                   context_.self().type + ": " + error.message);
}

void Turn::resume(std::coroutine_handle<> waiter) { instance_.resume(shared_from_this(), waiter); }

void CallStep::await_suspend(std::coroutine_handle<> waiter) {
  Turn& turn = caller_->turn();
  target_ = call_.target;
  method_ = call_.method;
  turn.context().call(std::move(call_),
                      [this, waiter, turn = turn.shared_from_this()](Result<Payload> reply) {
                        if (turn->abandoned()) return;
                        reply_ = std::move(reply);
                        turn->resume(waiter);
                      });
}

void CallStep::raise(const Error& error) const { throw CallError(target_, method_, error); }

Error CallStep::unreadable(const Error& error) const {
  return {error.code,
          "the reply of " + to_string(target_) + " to '" + method_ + "': " + error.message};
}

}  // namespace detail

void Sleep::await_suspend(std::coroutine_handle<> waiter) {
  detail::Turn& turn = sleeper_->turn();
  turn.context().sleep(duration_,
                       [this, waiter, turn = turn.shared_from_this()](Result<void> slept) {
                         if (turn->abandoned()) return;
                         if (!slept) error_ = slept.error();
                         turn->resume(waiter);
                       });
}

void Sleep::await_resume() const {
  if (error_) throw ActorError(error_->code, error_->message);
}

}  // namespace troupe

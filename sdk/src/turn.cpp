#include <utility>

#include "sdk/src/native_instance.h"
#include <troupe/actor.h>
#include <troupe/call.h>
#include <troupe/error.h>
#include <troupe/turn.h>

namespace troupe {
namespace detail {

// Only finds the ends: whoever reads the element sees whether it is sound.
std::optional<std::string_view> only_element(std::string_view json) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = json.find_first_not_of(kBlank);
  const std::size_t end = json.find_last_not_of(kBlank);
  if (begin == std::string_view::npos || begin == end || json[begin] != '[' || json[end] != ']') {
    return std::nullopt;
  }
  const std::string_view inside = json.substr(begin + 1, end - begin - 1);
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const char c = inside[i];
    if (in_text && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text) {
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
      if (depth < 0 || (c == ',' && depth == 0)) return std::nullopt;
    }
  }
  if (inside.find_first_not_of(kBlank) == std::string_view::npos) return std::nullopt;
  return inside;
}

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
                       [this, waiter, turn = turn.shared_from_this()](const Result<void>& slept) {
                         if (turn->abandoned()) return;
                         if (!slept) error_ = slept.error();
                         turn->resume(waiter);
                       });
}

void Sleep::await_resume() const {
  if (error_) throw ActorError(error_->code, error_->message);
}

}  // namespace troupe

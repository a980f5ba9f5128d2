#include "runtime/app/app_instance.h"

#include <chrono>
#include <utility>

#include "runtime/app/actor_messages.h"

namespace troupe::app {
namespace {

// A turn lasts until the app has answered. Even one that hangs has an end.
constexpr auto kTurnMax = std::chrono::hours(24);

}  // namespace

/// One turn at the app.
struct AppInstance::Asked {
  TurnMessage message;
  Done<TurnResult> done;
  std::shared_ptr<Place> place;
  std::optional<Result<net::HttpResponse>> answer = {};

  Result<TurnResult> result(const TurnContext& context) {
    if (*answer) return result_of(message, context, **std::move(answer));
    Error error = answer->error();
    // It has not run, and may elsewhere.
    if (error.code == Code::kCancelled || error.code == Code::kTimeout) {
      error.code = Code::kUnavailable;
    }
    return fail(std::move(error));
  }
};

void AppInstance::run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) {
  auto asked = std::make_shared<Asked>(std::move(message), std::move(done), place_);
  if (place_ != nullptr) return ask(asked, context);
  auto resume = context.from_any_thread([this, asked, &context] {
    if (place_ == nullptr) place_ = std::move(asked->place);
    asked->place = place_;
    ask(asked, context);
  });
  places_->take(context.self(),
                [asked, resume = std::move(resume)](std::shared_ptr<Place> place) mutable {
                  asked->place = std::move(place);
                  resume();
                });
}

// The request owns the place too: nobody else has it before the app has answered, even if the
// activation is gone by then.
void AppInstance::ask(const std::shared_ptr<Asked>& asked, TurnContext& context) {
  asked->place->used();
  auto resume = context.from_any_thread([asked, &context] {
    Done<TurnResult> done = std::move(asked->done);
    done(asked->result(context));
  });
  places_->channel.ask(
      request_of(asked->message, context), places_->clock.now() + kTurnMax,
      [asked, resume = std::move(resume)](Result<net::HttpResponse> answer) mutable {
        asked->answer.emplace(std::move(answer));
        resume();
      });
}

void AppInstance::deactivate(TurnContext& context, Done<TurnResult> done) {
  if (place_ == nullptr) return done(TurnResult{});
  auto kept = std::make_shared<Done<TurnResult>>(std::move(done));
  auto resume = context.from_any_thread([kept] { (*kept)(TurnResult{}); });
  places_->let_go(context.self(), [place = place_, resume = std::move(resume)]() mutable {
    place->emptied();
    resume();
  });
}

}  // namespace troupe::app

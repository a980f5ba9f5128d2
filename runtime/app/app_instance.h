#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "runtime/app/places.h"
#include <troupe/actor_type.h>

namespace troupe::app {

/// An activation of an actor whose code is in the app: forwards each turn as an HTTP request, and
/// keeps nothing else.
///
/// What ended a turn, as its error: kApplication, "(503) its body": the app's own failure, or a 200
/// that it marked as an error; kUnimplemented: the app has no such method; kUnavailable: the app
/// was not reached, and has not run it; kUnknownOutcome: the connection broke, or what came was no
/// answer.
class AppInstance final : public ActorInstance {
 public:
  explicit AppInstance(std::shared_ptr<Places> places) : places_(std::move(places)) {}

  /// The app reads its values by itself.
  Result<void> load(std::optional<std::string_view> /*state*/) override { return {}; }
  void run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) override;
  void deactivate(TurnContext& context, Done<TurnResult> done) override;
  /// What went wrong in the app is the app's to mend.
  bool spoiled() const override { return false; }

 private:
  struct Asked;

  void ask(const std::shared_ptr<Asked>& asked, TurnContext& context);

  const std::shared_ptr<Places> places_;
  std::shared_ptr<Place> place_;  // none before the first turn
};

}  // namespace troupe::app

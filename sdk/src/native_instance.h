#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/actor_class.h>
#include <troupe/actor_type.h>
#include <troupe/turn.h>

namespace troupe::detail {

/// A live actor of a user's class.
///
/// A turn of plain functions ends within run_turn(). One with a coroutine is kept in `waiting_`
/// from the moment it first waits to its end; its completions find it by shared ownership, so that
/// they may come after this object is gone.
class NativeInstance final : public ActorInstance {
 public:
  explicit NativeInstance(std::shared_ptr<const ActorClassTable> table);
  NativeInstance(const NativeInstance&) = delete;
  NativeInstance& operator=(const NativeInstance&) = delete;
  ~NativeInstance() override;

  Result<void> load(std::optional<std::string_view> state) override;
  void run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) override;
  void deactivate(TurnContext& context, Done<TurnResult> done) override;
  bool spoiled() const override { return spoiled_; }

  /// Goes on with a turn that waited.
  void resume(const std::shared_ptr<Turn>& turn, std::coroutine_handle<> waiter);

 private:
  class Current;

  void run(const std::shared_ptr<Turn>& turn, Step before, Step step);
  void finish(const std::shared_ptr<Turn>& turn, std::optional<Error> error);
  Result<TurnResult> outcome(Turn& turn, std::optional<Error> error);

  std::shared_ptr<const ActorClassTable> table_;
  std::unique_ptr<ActorBase> actor_;
  std::vector<std::shared_ptr<Turn>> waiting_;
  bool spoiled_ = false;
};

}  // namespace troupe::detail

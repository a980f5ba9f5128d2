#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/activation/mailbox.h"
#include "actors/directory/call.h"
#include "actors/state/content_hash.h"
#include "actors/timers/timers.h"
#include "actors/turns/gate.h"
#include <troupe/actor_type.h>

namespace troupe::actors {

class Turn;

/// Turns that overlap by reentrancy: their effects are one entry, when the last of them ends.
struct Transaction {
  Turn* outermost = nullptr;  // began first: its cause is the entry's
  std::size_t open = 0;
  bool outermost_ended = false;
  TurnResult effects;           // of those that have ended
  std::optional<Error> failed;  // one of them threw: none takes effect
};

/// One call of one actor, from its arrival at the activation to its reply: an event in the mailbox,
/// a ticket at the gate, and the world as the user's code sees it while it runs.
class Turn final : public Event, public Ticket, public TurnContext {
 public:
  explicit Turn(Call&& the_request) : request(std::move(the_request)) {}

  void handle(Activation& activation, std::unique_ptr<Event> self) override;
  bool is_call() const override { return request.kind != CallKind::kTimer; }
  void hand_back(Router& router) override;

  const ActorKey& self() const override { return request.key; }
  WallTime now() const override;
  Time deadline() const override { return request.deadline; }
  Duration time_left() const override;
  std::uint64_t fencing_token() const override;
  std::string_view traceparent() const override { return request.traceparent; }
  void call(NestedCall nested, Done<Payload> done) override;
  void sleep(Duration duration, Done<void> done) override;
  std::span<const Metadata> metadata() const override { return request.metadata; }
  std::string_view chain_id() const override;
  Function<void()> from_any_thread(Function<void()> next) override;

  void reply(Result<Reply>&& outcome);
  /// Its call goes on to the next owner, while what has begun here stays until its activation goes.
  void leave(Router& router);
  /// Waits, and has left no trace anywhere: may begin anew elsewhere.
  bool may_restart() const;
  /// Nothing that it asked for can have changed anything.
  bool left_no_trace() const;

  Call request;

  // Since it began:
  Activation* home = nullptr;
  std::uint64_t number = 0;
  Time began;
  bool activates = false;
  bool deactivates = false;
  bool reported = false;  // by the watchdog
  std::uint32_t attempts = 0;
  std::uint32_t outstanding = 0;                 // nested calls and sleeps
  bool asked_for_change = false;                 // called a method that is not read-only
  std::string waiting_for;                       // the last of them
  TimerTick timer_tick;                          // of kTimer
  std::shared_ptr<const TickFacts> timer_facts;  // likewise, of types that are `outside`
  std::string tick_method;                       // of kTick
  std::optional<Result<TurnResult>> result;      // the user's code has ended
  std::optional<ContentHash> state_written;      // what is being committed, if it has one
  std::shared_ptr<Transaction> transaction;      // of reentrant types

 private:
  Call nested_call(NestedCall& nested, Done<Payload>& done);
};

}  // namespace troupe::actors

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/activation/home.h"
#include "actors/activation/mailbox.h"
#include "actors/activation/scheduler.h"
#include "actors/directory/call.h"
#include "actors/state/content_hash.h"
#include "actors/state/operations.h"
#include "actors/state/timer_operations.h"
#include "actors/timers/timers.h"
#include "actors/turns/effects.h"
#include "actors/turns/gate.h"
#include "actors/turns/right.h"
#include "actors/turns/turn.h"
#include <troupe/actor_type.h>

namespace troupe::actors {

/// The live instance of one actor: its mailbox, its gate, the user's object, and what runs turns.
///
///     offer -> mailbox -> gate -> begin -> user's code -> conclude -> commit -> settle -> reply
///
/// Everything but the section "from any thread" happens in run(), on one thread at a time. It ends
/// once: idle, its right gone, or given up; what waits is then delivered anew.
class Activation final : public Runnable, public std::enable_shared_from_this<Activation> {
 public:
  /// `right`: null for stateless workers.
  Activation(std::shared_ptr<Home> home, ActorKey key, std::shared_ptr<const ActorType> type,
             std::shared_ptr<Right> right);
  ~Activation() override;

  // From any thread.

  /// False, and `call` left alone, if it has ended.
  static bool offer(std::shared_ptr<Activation> to, Call& call);
  /// As offer(), for a call that was counted and made a turn before.
  bool offer_again(std::unique_ptr<Event>& turn);
  /// Dropped if it has ended.
  void post(std::unique_ptr<Event> event);
  template <class Work>
  void post_work(Work work);
  /// The same, for who has a share in it to give away.
  template <class Work>
  static void post_work_to(std::shared_ptr<Activation> to, Work work);
  static void post_to(std::shared_ptr<Activation> to, std::unique_ptr<Event> event);

  const ActorKey& key() const { return key_; }
  const ActorType& type() const { return *type_; }
  const std::shared_ptr<Right>& right() const { return right_; }
  ActivationFacts facts(Time now) const;

  /// What the periodic scan does: idle activations end, turns that overrun are reported. True: its
  /// user's code holds its thread for so long that it has been given up, and its mailbox is closed.
  bool look(Time now);

  /// Ends it in order: begun turns may finish. Calls that wait are refused.
  void request_drain();
  /// Ends it now: what still runs is left to itself, and nothing of it leaves. Commits under way
  /// are waited for all the same.
  void request_end();

  /// For Home::ended only.
  EventList close_mailbox() { return mailbox_.close(); }

  // On its own thread of control.

  Outcome run() override;
  void arrive(std::unique_ptr<Turn> turn);
  /// Runs some of the user's code for `turn`, which is running, and what follows from its end.
  template <class Code>
  void run_user_code(Turn& turn, Time now, Code code);
  void commit_ended() { committing_.fetch_sub(1, std::memory_order_release); }
  Turn* running(std::uint64_t number) const;
  /// Whether a turn of the call of this id has begun and not ended.
  bool runs(const storage::CallId& id) const;
  Home& home() const { return *home_; }
  bool may_leave(Time now) const { return right_ == nullptr || right_->lets_out(now); }

 private:
  enum class Phase : std::uint8_t { kEmpty, kLoading, kReady, kEnded };

  // Admission.
  bool work();
  bool begin_one();
  bool may_begin(Time now);
  std::unique_ptr<Event> next_event();
  void refuse_waiting(const Error& error);
  void refuse_ownerless(Time now);
  void return_waiting();
  void drop_expired(Time now);
  void pause();

  // Life.
  void load();
  void loaded(Result<std::vector<std::pair<std::string, StoredValue>>> values);
  void drain();
  void close();
  bool try_end();
  bool all_may_restart() const;
  void deactivate();
  void end();
  void end_if_idle();
  void answer_overdue(Time now);
  void report_overruns(Time now);

  // Turns.
  void begin(Turn& turn, Time now);
  void begin_again(Turn& turn);
  void join_chain(Turn& turn);
  void recall(Turn& turn);
  void recalled(Turn& turn, Result<std::optional<storage::Outcome>> before);
  void start(Turn& turn, Time now);
  void run_method(Turn& turn, Time now, std::optional<TurnMessage>& tick);
  void skip(Turn& turn);
  void code_ended(Turn& turn);
  void merge(Turn& turn);
  void conclude(Turn& turn, Result<TurnResult>&& result);
  void conclude_without_entry(Turn& turn, TurnResult&& result, Time now);
  template <class Then>
  void propose(Turn& turn, storage::TurnCommand command, Then then);
  void settled(Turn& turn, const Result<storage::Outcome>& outcome);
  void succeed(Turn& turn, TurnResult&& result);
  void threw(Turn& turn, const Error& error);
  void aborted(Turn& turn, const Error& error);
  void failed(Turn& turn, const Error& error);
  void commit_consumption(Turn& turn, const Error& error);
  void consumed(Turn& turn, const Result<storage::Outcome>& outcome, const Error& error,
                bool given_up);
  void replaced(Turn& turn, const Error& error);
  void lost(Turn& turn, const Error& error);
  void finish(Turn& turn, Result<Reply>&& reply);
  void run_state_operations(Turn& turn);
  void values_changed(Turn& turn, const Result<storage::Outcome>& outcome);
  void read_values(Turn& turn, StateOperations operations);

  // Of types that are `outside`.
  std::optional<Error> refusal_outside(const Call& call) const;
  bool serves_outside() const;
  bool admit_outside(Turn& turn);
  void not_reached(Turn& turn, const Error& error);
  Error perhaps_run(const Turn& turn) const;

  // Timers.
  void change_timers(const TurnResult& result);
  void run_timer_operation(Turn& turn);
  Result<void> change_timer(TimerOperation operation);
  void arm_timers();
  void timers_due();

  const std::shared_ptr<Home> home_;
  const ActorKey key_;
  const std::shared_ptr<const ActorType> type_;
  const std::shared_ptr<Right> right_;
  std::unique_ptr<Slot> slot_;
  const Time since_;
  Mailbox mailbox_;
  EventList batch_;  // taken from the mailbox, not handled yet
  EventList late_;   // calls for the next activation

  Gate gate_;
  Phase phase_ = Phase::kEmpty;
  bool spoiled_ = false;   // the instance must not serve another turn
  bool leaves_ = false;    // it asked to end as soon as nothing waits
  bool activates_ = true;  // the next turn begins with on_activate
  bool draining_ = false;  // nothing new begins
  bool moved_ = false;     // and what waits is refused, not kept for the next activation
  bool ending_ = false;    // begun turns are left to themselves
  bool pausing_ = false;
  bool given_up_ = false;
  std::uint64_t last_turn_ = 0;
  std::optional<ContentHash> committed_;  // the state as the shard has it
  std::unique_ptr<Timers> timers_;        // null until one is set
  std::optional<Time> armed_;             // when timers_ will be looked at
  std::unique_ptr<ActorInstance> instance_;

  // Seen by other threads.
  std::atomic<std::uint32_t> waiting_{0};        // calls in the mailbox and at the gate
  std::atomic<std::uint32_t> open_{0};           // turns that have begun; written here only
  std::atomic<std::uint32_t> committing_{0};     // commits under way
  std::atomic<Duration::rep> used_;              // when a turn last began or ended
  std::atomic<Duration::rep> in_code_since_{0};  // of the user's; kGivenUp
  std::atomic<std::uint64_t> turns_{0};          // written here only
  std::atomic<bool> has_timers_{false};          // written here only
};

template <class Work>
class PostedWork final : public Event {
 public:
  explicit PostedWork(Work work) : work_(std::move(work)) {}
  void handle(Activation& activation, std::unique_ptr<Event>) override { work_(activation); }

 private:
  Work work_;
};

/// Hears the outcome of a turn's commit. Made before the commit begins, so that whoever tells it
/// allocates nothing.
template <class Then>
class CommitEnded final : public Event {
 public:
  CommitEnded(Turn& turn, Then then) : turn_(turn), then_(std::move(then)) {}
  void tell(Result<storage::Outcome>&& outcome) { outcome_ = std::move(outcome); }
  void handle(Activation& activation, std::unique_ptr<Event>) override {
    activation.commit_ended();
    then_(activation, turn_, std::move(outcome_));
  }

 private:
  Turn& turn_;
  Then then_;
  Result<storage::Outcome> outcome_{storage::Outcome{}};
};

template <class Work>
void Activation::post_work(Work work) {
  post(std::make_unique<PostedWork<Work>>(std::move(work)));
}

template <class Work>
void Activation::post_work_to(std::shared_ptr<Activation> to, Work work) {
  post_to(std::move(to), std::make_unique<PostedWork<Work>>(std::move(work)));
}

template <class Then>
void Activation::propose(Turn& turn, storage::TurnCommand command, Then then) {
  if (turn.state == Ticket::State::kRunning) gate_.finish(turn);
  committing_.fetch_add(1, std::memory_order_relaxed);
  home_->metrics.commits.add();
  home_->dependencies.shards.commit(
      right_, std::move(command),
      [self = shared_from_this(),
       ended = std::make_unique<CommitEnded<Then>>(turn, std::move(then))](
          Result<storage::Outcome> outcome) mutable {
        ended->tell(std::move(outcome));
        post_to(std::move(self), std::move(ended));
      });
}

inline constexpr Duration::rep kGivenUp = -1;

template <class Code>
void Activation::run_user_code(Turn& turn, Time now, Code code) {
  home_->dependencies.scheduler.share();
  in_code_since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  code();
  if (in_code_since_.exchange(0, std::memory_order_acq_rel) == kGivenUp) {
    given_up_ = true;
    return;
  }
  if (turn.result && turn.state == Ticket::State::kRunning) code_ended(turn);
}

}  // namespace troupe::actors

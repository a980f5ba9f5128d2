#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdk/src/test_schedule.h"
#include <troupe/actor_type.h>
#include <troupe/client.h>
#include <troupe/function.h>
#include <troupe/testing.h>

namespace troupe {

/// A node in miniature. Whatever happens is an event of the queue `events_`, in order of time, then
/// of arrival; nothing else calls actors, so that no completion comes inside the call that began
/// it.
class TestHost::Impl final : public ClientTransport {
 public:
  explicit Impl(std::vector<ActorType> types);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() override;

  Result<Payload> call(const ClientCall& call) override;

  WallTime now() const { return now_; }
  void advance(Duration duration);
  void deactivate(const ActorKey& key);
  void crash();
  void fail_calls(const ActorKey& key, std::optional<Error> error);
  std::vector<Error> take_failures() { return std::exchange(failures_, {}); }

  bool active(const ActorKey& key) const;
  std::vector<std::string> timers(const ActorKey& key) const;
  std::vector<std::string> reminders(const ActorKey& key) const;
  std::optional<std::string> stored_state(const ActorKey& key) const;

 private:
  class Context;

  /// A message on its way to an actor.
  struct Work {
    ActorKey target;
    TurnMessage message;
    std::vector<ActorKey> chain;  // the actors that wait for it, outermost first
    WallTime deadline;
    Done<Payload> done;     // runs user code, so never at once
    Done<Payload> consume;  // belongs to the commit: the host's own books
  };
  struct Running {
    std::uint64_t number = 0;
    Work work;
    Access access = Access::kWrite;
    std::unique_ptr<TurnContext> context;
  };
  struct Timer {
    TimerChange change;
    std::uint64_t number = 0;  // of this setting
    std::optional<WallTime> expiry;
  };
  struct Activation {
    const ActorType* type = nullptr;
    std::unique_ptr<ActorInstance> instance;
    bool activated = false;
    bool leaving = false;
    std::deque<Work> mailbox;
    std::vector<Running> running;
    std::vector<TurnResult> inner;  // effects of re-entered turns, until the outermost ends
    std::map<std::string, Timer> timers;
  };
  struct Reminder {
    ReminderChange change;
    TestSchedule schedule;
    std::uint64_t number = 0;  // of this registration
    std::uint32_t attempts = 0;
  };
  struct Prepared {
    std::string name;
    std::optional<Reminder> reminder;  // nothing: cancelled
  };

  void post(WallTime at, Function<void()> event);
  bool step(WallTime limit);
  WallTime deadline_after(Duration timeout) const;

  void deliver(Work work);
  void nested_call(const Context& caller, NestedCall call, Done<Payload> done);
  void pump(const ActorKey& key);
  bool admissible(const Activation& activation, const Work& work) const;
  void start(const ActorKey& key, Work work);
  Result<void> ready(const ActorKey& key, Activation& activation);
  void ended(const ActorKey& key, std::uint64_t number, Result<TurnResult> result);
  void discard(const ActorKey& key, const Error& why);
  void answer(Work& work, Result<Payload> reply);

  Result<void> commit(const ActorKey& key, std::vector<TurnResult> effects);
  Result<std::vector<Prepared>> prepare(const ActorKey& key, const TurnResult& effects);
  void send(OneWayMessage message);
  void deliver_message(std::uint64_t number);

  void change_timer(const ActorKey& key, TimerChange change);
  void arm_timer(const ActorKey& key, const std::string& name, std::uint64_t number, Duration wait);
  void fire_timer(const ActorKey& key, const std::string& name, std::uint64_t number);
  void timer_ended(const ActorKey& key, const std::string& name, std::uint64_t number);

  Reminder* reminder(const ActorKey& key, const std::string& name, std::uint64_t number);
  void arm_reminder(const ActorKey& key, const std::string& name, const Reminder& reminder,
                    WallTime at);
  void fire_reminder(const ActorKey& key, const std::string& name, std::uint64_t number);
  void reminder_ended(const ActorKey& key, const std::string& name, std::uint64_t number,
                      bool succeeded);

  std::map<std::string, ActorType> types_;
  WallTime now_;
  std::uint64_t numbers_ = 0;
  std::uint64_t starts_ = 1;  // of the imagined node
  std::map<std::pair<WallTime, std::uint64_t>, Function<void()>> events_;
  std::map<ActorKey, Activation> activations_;
  std::map<ActorKey, Error> failing_;
  std::vector<Error> failures_;
  // What a crash spares.
  std::map<ActorKey, std::string> states_;
  std::map<ActorKey, std::map<std::string, Reminder>> reminders_;
  std::map<std::uint64_t, OneWayMessage> outbox_;
};

}  // namespace troupe

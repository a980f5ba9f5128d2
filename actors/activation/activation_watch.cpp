// What the periodic scan does to an activation: idle ones end, turns that overrun are told of.
#include "actors/activation/activation.h"

namespace troupe::actors {

void Activation::end_if_idle() {
  const Time now = home_->dependencies.clock.now();
  const Duration unused = now.time_since_epoch() - Duration(used_.load(std::memory_order_relaxed));
  if (!gate_.idle() || unused < type_->options.idle_timeout || draining_) return;
  if (has_timers_.load(std::memory_order_relaxed)) return;  // they would be gone with it
  close();
}

bool Activation::look(Time now) {
  const Duration since_epoch = now.time_since_epoch();
  Duration::rep in_code = in_code_since_.load(std::memory_order_acquire);
  const Duration late = since_epoch - Duration(in_code) - home_->options.stuck_grace;
  if (in_code > 0 && late > type_->options.turn_timeout &&
      committing_.load(std::memory_order_acquire) == 0 &&
      in_code_since_.compare_exchange_strong(in_code, kGivenUp)) {
    return true;
  }
  if (open_.load(std::memory_order_relaxed) > 0 || waiting_.load(std::memory_order_relaxed) > 0) {
    post_work([](Activation& self) {
      const Time looked = self.home_->dependencies.clock.now();
      self.drop_expired(looked);
      self.answer_overdue(looked);
      self.report_overruns(looked);
    });
    return false;
  }
  const Duration unused = since_epoch - Duration(used_.load(std::memory_order_relaxed));
  if (unused >= type_->options.idle_timeout && !has_timers_.load(std::memory_order_relaxed)) {
    post_work([](Activation& self) { self.end_if_idle(); });
  }
  return false;
}

// Code and commit may take longer than the caller waits: the turn stays open, the caller hears.
void Activation::answer_overdue(Time now) {
  for (Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    auto& turn = *static_cast<Turn*>(each);
    if (now < turn.request.deadline) continue;
    if (type_->options.outside) {
      turn.reply(fail(perhaps_run(turn)));
      continue;
    }
    // What still runs will be aborted, unless it is part of another turn's transaction.
    if (turn.state == Ticket::State::kRunning && turn.transaction == nullptr) {
      turn.reply(fail(Code::kTimeout, turn.request.method + " on " + to_string(key_) +
                                          " ran beyond its deadline, and will be aborted"));
      continue;
    }
    turn.reply(fail(Code::kUnknownOutcome,
                    turn.request.method + " on " + to_string(key_) +
                        " was not committed by its deadline, and may still take effect"));
  }
}

void Activation::report_overruns(Time now) {
  for (Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    auto& turn = *static_cast<Turn*>(each);
    if (turn.reported || now - turn.began < home_->options.watchdog_patience) continue;
    turn.reported = true;
    home_->metrics.turns_overrun.add();
    const Overrun overrun{
        .key = key_,
        .method = turn.request.method,
        .running = now - turn.began,
        .waiting_for = turn.state == Ticket::State::kFinishing ? "its commit" : turn.waiting_for};
    home_->dependencies.log.warning("turn overruns", {{"actor", to_string(key_)},
                                                      {"method", overrun.method},
                                                      {"running_us", overrun.running.count()},
                                                      {"waiting_for", overrun.waiting_for}});
    if (home_->options.on_overrun) home_->options.on_overrun(overrun);
  }
}

}  // namespace troupe::actors

#include "actors/activation/caf_scheduler.h"

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <unistd.h>

#include "actors/activation/caf_sharing.h"

namespace troupe::actors {
namespace {

// CAF's own choice is four at least: more than there are cores only take turns with one another.
std::size_t cores() {
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<std::size_t>(online) : 1;
}

struct Config : caf::actor_system_config {
  explicit Config(const CafSchedulerOptions& options) : policy(options.policy) {
    if (options.policy == CafSchedulerOptions::Policy::kSharing) {
      module_factories.emplace_back([](caf::actor_system& system) -> caf::actor_system::module* {
        return new caf::scheduler::coordinator<CafSharing>(system);
      });
    } else {
      set("scheduler.policy", caf::atom("stealing"));
    }
    set("scheduler.max-threads", options.threads > 0 ? options.threads : cores());
  }

  const CafSchedulerOptions::Policy policy;
};

// Runs of one after another that a thread does before it looks at the queue again.
constexpr int kRowMax = 64;

}  // namespace

struct CafScheduler::State {
  explicit State(const CafSchedulerOptions& options) : config(options) { system.emplace(config); }

  Config config;
  std::optional<caf::actor_system> system;  // until stop()
  std::atomic<std::size_t> unfinished{0};   // queued, or what a thread runs in a row

  void begin() { unfinished.fetch_add(1, std::memory_order_relaxed); }
  void end() {
    if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished.notify_all();
  }
  void put_held();
  // For guests of CafSharing. Nothing is taken down while there is one.
  void enter();
  void leave();
  // Null for the other policy.
  CafSharing::coordinator_data* sharing();
};

namespace {

// What this thread is to CAF; nothing on other threads.
struct Worker {
  caf::execution_unit* unit = nullptr;  // of a guest: null
  const void* scheduler = nullptr;
  caf::resumable* next = nullptr;  // woken here, past the queue
};
thread_local Worker worker;

// What a thread holds back; nothing on others.
struct Held {
  const void* scheduler = nullptr;
  std::vector<caf::resumable*> jobs;
};
thread_local Held held;

// The scheduler that this thread helps, if it does.
thread_local const void* guest_of = nullptr;

// Jobs in a row of a thread that helps; then it looks after what else it has to do.
constexpr int kHelpedMax = 16;

// Beyond, they are better run beside what this thread does.
constexpr std::size_t kHeldMax = 64;

}  // namespace

// The first wakes a thread, which finds the others.
void CafScheduler::State::put_held() {
  for (caf::resumable* const job : held.jobs) system->scheduler().enqueue(job);
  held.jobs.clear();
}

CafSharing::coordinator_data* CafScheduler::State::sharing() {
  if (config.policy != CafSchedulerOptions::Policy::kSharing) return nullptr;
  return &static_cast<caf::scheduler::coordinator<CafSharing>&>(system->scheduler()).data();
}

void CafScheduler::State::enter() {
  begin();
  sharing()->enter();
  guest_of = this;
}

void CafScheduler::State::leave() {
  guest_of = nullptr;
  sharing()->leave();
  end();
}

// What CAF schedules. Lives until neither its owner nor a queue of CAF's knows it any more.
class CafScheduler::Job final : public caf::resumable {
 public:
  explicit Job(State& state) : state_(state) {}

  void wake(std::shared_ptr<Runnable> self) {
    runnable_ = std::move(self);
    handed_over_.store(true, std::memory_order_release);
    intrusive_ptr_add_ref_impl();
    if (worker.scheduler != &state_) return queue();
    caf::resumable* const before = std::exchange(worker.next, this);
    if (before != nullptr) static_cast<Job*>(before)->queue();
  }

  // With a reference that the queue takes over.
  void queue() {
    state_.begin();
    if (worker.scheduler == &state_ && worker.unit != nullptr) {
      worker.unit->exec_later(this);
    } else if (held.scheduler == &state_) {
      held.jobs.push_back(this);
      if (held.jobs.size() >= kHeldMax) state_.put_held();
    } else {
      state_.system->scheduler().enqueue(this);
    }
  }

  // This, and then what has been woken on this thread. Once asleep, another thread may run this
  // anew at the same time.
  resume_result resume(caf::execution_unit* unit, size_t) override {
    State& state = state_;
    worker = {.unit = unit, .scheduler = &state, .next = nullptr};
    run();
    for (int row = 1; worker.next != nullptr; ++row) {
      Job* const next = static_cast<Job*>(std::exchange(worker.next, nullptr));
      if (row == kRowMax) {
        next->queue();
        break;
      }
      next->run();
      next->intrusive_ptr_release_impl();
    }
    worker = {};
    state.end();
    return awaiting_message;
  }

  void intrusive_ptr_add_ref_impl() override { uses_.fetch_add(1, std::memory_order_relaxed); }
  void intrusive_ptr_release_impl() override {
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  void run() {
    static_cast<void>(handed_over_.load(std::memory_order_acquire));
    std::shared_ptr<Runnable> runnable = std::move(runnable_);
    if (runnable->run() == Runnable::Outcome::kAsleep) return;
    runnable_ = std::move(runnable);
    handed_over_.store(true, std::memory_order_release);
    intrusive_ptr_add_ref_impl();
    queue();
  }

  State& state_;
  std::atomic<std::size_t> uses_{1};
  std::shared_ptr<Runnable> runnable_;  // while awake
  // Orders one run after another by itself, whatever CAF's queues do, and where sanitizers see it.
  std::atomic<bool> handed_over_{false};
};

class CafScheduler::JobSlot final : public Slot {
 public:
  explicit JobSlot(Job* job) : job_(job) {}
  JobSlot(const JobSlot&) = delete;
  JobSlot& operator=(const JobSlot&) = delete;
  ~JobSlot() override { job_->intrusive_ptr_release_impl(); }
  void wake(std::shared_ptr<Runnable> self) override { job_->wake(std::move(self)); }

 private:
  Job* job_;
};

CafScheduler::CafScheduler(CafSchedulerOptions options)
    : state_(std::make_unique<State>(options)) {}

CafScheduler::~CafScheduler() { stop(); }

std::unique_ptr<Slot> CafScheduler::attach(Runnable&) {
  return std::make_unique<JobSlot>(new Job(*state_));
}

void CafScheduler::share() {
  if (worker.next == nullptr) return;
  static_cast<Job*>(std::exchange(worker.next, nullptr))->queue();
}

void CafScheduler::hold() { held.scheduler = state_.get(); }

void CafScheduler::release() {
  held.scheduler = nullptr;
  if (!held.jobs.empty()) state_->put_held();
  if (guest_of == state_.get()) state_->leave();
}

bool CafScheduler::release_and_help() {
  const bool guest = guest_of == state_.get();
  if (state_->sharing() == nullptr || (held.jobs.empty() && !guest)) {
    release();
    return false;
  }
  held.scheduler = nullptr;
  if (!guest) state_->enter();
  if (!held.jobs.empty()) state_->put_held();
  for (int i = 0; i < kHelpedMax; ++i) {
    caf::resumable* const job = state_->sharing()->take_as_guest();
    if (job == nullptr) {
      state_->leave();
      return false;
    }
    job->resume(nullptr, 0);
    job->intrusive_ptr_release_impl();
  }
  return true;
}

void CafScheduler::stop() {
  if (!state_->system) return;
  std::atomic<std::size_t>& unfinished = state_->unfinished;
  for (std::size_t left = unfinished.load(); left > 0; left = unfinished.load()) {
    unfinished.wait(left);
  }
  state_->system.reset();
}

}  // namespace troupe::actors

#include "actors/activation/caf_scheduler.h"

#include <atomic>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace troupe::actors {
namespace {

struct Config : caf::actor_system_config {
  explicit Config(const CafSchedulerOptions& options) {
    set("scheduler.policy", options.policy == CafSchedulerOptions::Policy::kSharing
                                ? caf::atom("sharing")
                                : caf::atom("stealing"));
    if (options.threads > 0) set("scheduler.max-threads", options.threads);
  }
};

// Which of CAF's workers this thread is; null on other threads.
thread_local caf::execution_unit* this_worker = nullptr;

}  // namespace

struct CafScheduler::State {
  explicit State(const CafSchedulerOptions& options) : config(options), system(config) {}

  Config config;
  caf::actor_system system;
  std::atomic<std::size_t> unfinished{0};  // awake or running
};

namespace {

// What CAF schedules. Lives until neither its owner nor a queue of CAF's knows it any more.
class Job final : public caf::resumable {
 public:
  Job(caf::actor_system& system, std::atomic<std::size_t>& unfinished)
      : system_(system), unfinished_(unfinished) {}

  void wake(std::shared_ptr<Runnable> self) {
    runnable_ = std::move(self);
    handed_over_.store(true, std::memory_order_release);
    intrusive_ptr_add_ref_impl();
    unfinished_.fetch_add(1, std::memory_order_relaxed);
    if (this_worker != nullptr) {
      this_worker->exec_later(this);
    } else {
      system_.scheduler().enqueue(this);
    }
  }

  // Once asleep, another thread may have set runnable_ anew.
  resume_result resume(caf::execution_unit* worker, size_t) override {
    static_cast<void>(handed_over_.load(std::memory_order_acquire));
    std::shared_ptr<Runnable> runnable = std::move(runnable_);
    this_worker = worker;
    const Runnable::Outcome outcome = runnable->run();
    if (outcome == Runnable::Outcome::kMore) {
      runnable_ = std::move(runnable);
      handed_over_.store(true, std::memory_order_release);
    }
    runnable.reset();  // while it counts as running: its end may wake others
    this_worker = nullptr;
    if (outcome == Runnable::Outcome::kMore) return resume_later;
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_all();
    return awaiting_message;
  }

  void intrusive_ptr_add_ref_impl() override { uses_.fetch_add(1, std::memory_order_relaxed); }
  void intrusive_ptr_release_impl() override {
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  caf::actor_system& system_;
  std::atomic<std::size_t>& unfinished_;
  std::atomic<std::size_t> uses_{1};
  std::shared_ptr<Runnable> runnable_;  // while awake
  // Orders one run after another by itself, whatever CAF's queues do, and where sanitizers see it.
  std::atomic<bool> handed_over_{false};
};

class CafSlot final : public Slot {
 public:
  explicit CafSlot(Job* job) : job_(job) {}
  CafSlot(const CafSlot&) = delete;
  CafSlot& operator=(const CafSlot&) = delete;
  ~CafSlot() override { job_->intrusive_ptr_release_impl(); }
  void wake(std::shared_ptr<Runnable> self) override { job_->wake(std::move(self)); }

 private:
  Job* job_;
};

}  // namespace

CafScheduler::CafScheduler(CafSchedulerOptions options)
    : state_(std::make_unique<State>(options)) {}

CafScheduler::~CafScheduler() { stop(); }

std::unique_ptr<Slot> CafScheduler::attach(Runnable&) {
  return std::make_unique<CafSlot>(new Job(state_->system, state_->unfinished));
}

void CafScheduler::stop() {
  if (!state_) return;
  std::atomic<std::size_t>& unfinished = state_->unfinished;
  for (std::size_t left = unfinished.load(); left > 0; left = unfinished.load()) {
    unfinished.wait(left);
  }
  state_.reset();
}

}  // namespace troupe::actors

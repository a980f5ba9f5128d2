#include "actors/activation/inline_scheduler.h"

#include <utility>

namespace troupe::actors {

class InlineScheduler::InlineSlot final : public Slot {
 public:
  explicit InlineSlot(std::deque<std::shared_ptr<Runnable>>& awake) : awake_(awake) {}
  void wake(std::shared_ptr<Runnable> self) override { awake_.push_back(std::move(self)); }

 private:
  std::deque<std::shared_ptr<Runnable>>& awake_;
};

std::unique_ptr<Slot> InlineScheduler::attach(Runnable&) {
  return std::make_unique<InlineSlot>(awake_);
}

bool InlineScheduler::step() {
  if (awake_.empty()) return false;
  std::shared_ptr<Runnable> next = std::move(awake_.front());
  awake_.pop_front();
  if (next->run() == Runnable::Outcome::kMore) awake_.push_back(std::move(next));
  return true;
}

void InlineScheduler::run() {
  while (step()) {
  }
}

}  // namespace troupe::actors

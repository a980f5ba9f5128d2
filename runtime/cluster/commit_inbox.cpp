#include "runtime/cluster/commit_inbox.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/base/guarded.h"

namespace troupe::cluster {
namespace {

constexpr std::size_t kMany = 32;

}  // namespace

struct CommitInbox::State {
  explicit State(Function<void(Commit)> to) : propose(std::move(to)) {}

  void take() {
    waiting.with([this](std::vector<Commit>& commits) { commits.swap(taken); });
    for (Commit& each : taken) {
      if (stopped) {
        each.done(fail(Code::kPrecondition, "this node is stopping"));
      } else {
        propose(std::move(each));
      }
    }
    taken.clear();
  }

  Guarded<std::vector<Commit>> waiting;
  // Of the loop.
  Function<void(Commit)> propose;
  std::vector<Commit> taken;  // empty, but for its memory
  bool stopped = false;
};

CommitInbox::CommitInbox(Executor& loop, const std::function<void(Work)>& gather,
                         Function<void(Commit)> propose)
    : loop_(loop), gather_(gather), state_(std::make_shared<State>(std::move(propose))) {}

CommitInbox::~CommitInbox() { state_->stopped = true; }

void CommitInbox::put(Commit commit) {
  const std::size_t arrived = state_->waiting.with([&](std::vector<Commit>& commits) {
    commits.push_back(std::move(commit));
    return commits.size();
  });
  const bool many = arrived == kMany;
  if (arrived != 1 && !many) return;  // taken along
  Work take = [state = state_] { state->take(); };
  if (!gather_ || many) return loop_.post(std::move(take));
  gather_([&loop = loop_, take = std::move(take)]() mutable { loop.post(std::move(take)); });
}

}  // namespace troupe::cluster

#include "storage/raft/progress.h"

#include <algorithm>

namespace troupe::raft {

void Progress::probe(Index from) {
  mode = Mode::kProbe;
  next = std::max(from, match + 1);
  paused = false;
  window.clear();
  window_bytes = 0;
}

void Progress::replicate() {
  probe(match + 1);
  mode = Mode::kReplicate;
}

void Progress::send_snapshot() {
  probe(match + 1);
  mode = Mode::kSnapshot;
}

void Progress::sent(Index last, std::size_t bytes) {
  if (mode == Mode::kProbe) {
    paused = true;
  } else if (last >= next) {
    next = last + 1;
    window.push_back({.last = last, .bytes = bytes});
    window_bytes += bytes;
  }
}

bool Progress::accepted(Index index) {
  while (!window.empty() && window.front().last <= index) {
    window_bytes -= window.front().bytes;
    window.pop_front();
  }
  next = std::max(next, index + 1);
  if (index <= match) return false;
  match = index;
  return true;
}

}  // namespace troupe::raft

#include "runtime/cluster/inbox.h"

#include <utility>

namespace troupe::cluster {
namespace {

// Room beyond this, made for a few large frames, is given back.
constexpr std::size_t kRoomBytes = 1024 * 1024;

}  // namespace

// True for whoever is to do it.
bool Inbox::hand_on_now(Waiting& waiting) {
  return !waiting.frames.marks.empty() && !std::exchange(waiting.handed_on, true);
}

void Inbox::put(NodeId from, std::string_view frame) {
  if (!hand_on_) return handle_(from, frame);
  const bool now = waiting_.with([&](Waiting& waiting) {
    waiting.frames.bytes.append(frame);
    waiting.frames.marks.push_back({.from = from, .size = frame.size()});
    return waiting.open_batches == 0 && hand_on_now(waiting);
  });
  if (now) hand_on_([this] { drain(); });
}

void Inbox::begin_batch() {
  waiting_.with([](Waiting& waiting) { ++waiting.open_batches; });
}

// Does not wait for the batches of others: there may always be one.
void Inbox::end_batch() {
  const bool now = waiting_.with([](Waiting& waiting) {
    if (waiting.open_batches > 0) --waiting.open_batches;  // it may have begun before *this
    return hand_on_now(waiting);
  });
  if (now) hand_on_([this] { drain(); });
}

void Inbox::drain() {
  waiting_.with([&](Waiting& waiting) {
    std::swap(waiting.frames, draining_);
    waiting.handed_on = false;
  });
  std::string_view rest = draining_.bytes;
  for (const Frames::Mark& mark : draining_.marks) {
    handle_(mark.from, rest.substr(0, mark.size));
    rest.remove_prefix(mark.size);
  }
  draining_.marks.clear();
  draining_.bytes.clear();
  if (draining_.bytes.capacity() > kRoomBytes) draining_.bytes.shrink_to_fit();
}

}  // namespace troupe::cluster

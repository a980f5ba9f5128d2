#include "runtime/cluster/inbox.h"

namespace troupe::cluster {
namespace {

// Room beyond this, made for a few large frames, is given back.
constexpr std::size_t kRoomBytes = 1024 * 1024;

}  // namespace

void Inbox::put(NodeId from, std::string_view frame) {
  if (!hand_on_) return handle_(from, frame);
  const bool first = frames_.with([&](Frames& frames) {
    frames.bytes.append(frame);
    frames.marks.push_back({.from = from, .size = frame.size()});
    return frames.marks.size() == 1;
  });
  if (first) hand_on_([this] { drain(); });
}

void Inbox::drain() {
  frames_.with([&](Frames& frames) { std::swap(frames, draining_); });
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

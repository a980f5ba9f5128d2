#include "runtime/cluster/inbox.h"

#include <variant>

namespace troupe::cluster {

void Inbox::put(NodeId from, Frame frame) {
  if (!hand_on_) return hand(from, frame);
  const bool first = items_.with([&](Items& items) {
    items.emplace_back(from, std::move(frame));
    return items.size() == 1;
  });
  if (first) hand_on_([this] { drain(); });
}

void Inbox::drain() {
  items_.with([&](Items& items) { items.swap(draining_); });
  for (auto& [from, frame] : draining_) hand(from, frame);
  draining_.clear();
}

void Inbox::hand(NodeId from, Frame& frame) {
  if (auto* call = std::get_if<CallFrame>(&frame)) {
    router_.received(from, std::move(*call));
  } else if (auto* reply = std::get_if<ReplyFrame>(&frame)) {
    router_.received(from, std::move(*reply));
  }
}

}  // namespace troupe::cluster

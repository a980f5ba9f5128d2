#include "runtime/cluster/answers.h"

#include <utility>

namespace troupe::cluster {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(50);
constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kWaitingMax = 10'000;

}  // namespace

Answers::Answers(Clock& clock, Executor& loop, Network& network)
    : clock_(clock), loop_(loop), network_(network) {}

void Answers::send(NodeId to, const ReplyFrame& reply) {
  if (network_.send_soon(to, Lane::kControl, encode_reply(reply))) return;
  if (waiting_.fetch_add(1, std::memory_order_relaxed) >= kWaitingMax) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  try_again(to, encode_reply(reply), clock_.now() + kPatience);
}

void Answers::try_again(NodeId to, std::string bytes, Time until) {
  loop_.post_at(clock_.now() + kInterval, [this, alive = alive_, to, until,
                                           bytes = std::move(bytes)]() mutable {
    if (!*alive) return;
    const bool over = network_.send_soon(to, Lane::kControl, bytes) || clock_.now() >= until;
    if (!over) return try_again(to, std::move(bytes), until);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  });
}

}  // namespace troupe::cluster

#include "placement/membership/broadcasts.h"

#include <utility>

namespace troupe::placement {

void Broadcasts::add(NodeId about, std::string part) {
  remove(about);
  const std::uint64_t age = next_age_--;
  order_.emplace(0U, age, about);
  news_.emplace(about, News{.part = std::move(part), .times = 0, .age = age});
}

void Broadcasts::remove(NodeId about) {
  const auto found = news_.find(about);
  if (found == news_.end()) return;
  order_.erase({found->second.times, found->second.age, about});
  news_.erase(found);
}

void Broadcasts::told(NodeId about, unsigned times_max) {
  News& news = news_.at(about);
  order_.erase({news.times, news.age, about});
  if (++news.times >= times_max) {
    news_.erase(about);
    return;
  }
  order_.emplace(news.times, news.age, about);
}

void Broadcasts::append(std::string& out, std::size_t size_max, unsigned times_max) {
  // The rest of a full datagram is not searched for ever smaller pieces
  constexpr int kMissesMax = 4;
  int misses = 0;
  std::vector<NodeId> taken;
  for (const auto& [times, age, about] : order_) {
    const std::string& part = news_.at(about).part;
    if (out.size() + part.size() > size_max) {
      if (++misses > kMissesMax) break;
      continue;
    }
    out.append(part);
    taken.push_back(about);
  }
  for (const NodeId about : taken) told(about, times_max);
}

std::vector<std::string> Broadcasts::take(std::size_t count_max, std::size_t size_max,
                                          unsigned times_max) {
  std::vector<std::string> lots;
  std::vector<NodeId> taken;
  for (const auto& [times, age, about] : order_) {
    const std::string& part = news_.at(about).part;
    if (part.size() > size_max) continue;
    if (lots.empty() || lots.back().size() + part.size() > size_max) {
      if (lots.size() == count_max) break;
      lots.emplace_back();
    }
    lots.back().append(part);
    taken.push_back(about);
  }
  for (const NodeId about : taken) told(about, times_max);
  return lots;
}

std::string Broadcasts::take_large(std::size_t size_min, unsigned times_max) {
  for (const auto& [times, age, about] : order_) {
    const News& news = news_.at(about);
    if (news.part.size() <= size_min) continue;
    std::string part = news.part;
    told(about, times_max);
    return part;
  }
  return {};
}

}  // namespace troupe::placement

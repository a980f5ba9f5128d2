#include "storage/layer.h"

#include <algorithm>
#include <iterator>

namespace troupe::storage {

// Joins those it touches into one.
void ErasedRanges::add(std::string_view from, std::string_view to) {
  std::string start(from);
  std::string end(to);
  auto range = ranges_.upper_bound(start);
  if (range != ranges_.begin() && std::prev(range)->second >= start) --range;
  while (range != ranges_.end() && range->first <= end) {
    start = std::min(start, range->first);
    end = std::max(end, range->second);
    range = ranges_.erase(range);
  }
  ranges_.emplace(std::move(start), std::move(end));
}

bool ErasedRanges::contains(std::string_view key) const {
  if (ranges_.empty()) return false;
  const auto after = ranges_.upper_bound(key);
  return after != ranges_.begin() && key < std::prev(after)->second;
}

ErasedRanges::Ranges ErasedRanges::take(std::string_view from, std::string_view to) {
  Ranges taken;
  auto range = ranges_.lower_bound(from);
  while (range != ranges_.end() && range->first < to) taken.insert(ranges_.extract(range++));
  return taken;
}

}  // namespace troupe::storage

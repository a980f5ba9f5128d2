#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "runtime/base/ids.h"
#include <troupe/time.h>

namespace troupe::placement {

/// How long a suspect has to refute: the longest at first, shorter with every other member that
/// suspects it as well (Lifeguard's dynamic suspicion).
class Suspicion {
 public:
  static constexpr std::size_t kConfirmationsMax = 3;

  /// `confirmations`: how many others there are to be had.
  Suspicion(NodeId from, Time now, Duration shortest, Duration longest, std::size_t confirmations)
      : from_{from},
        started_(now),
        shortest_(shortest),
        longest_(longest),
        wanted_(std::min(confirmations, kConfirmationsMax)) {}

  /// True if it is news that this member suspects it too.
  bool confirm(NodeId from) {
    if (from_.size() > wanted_ || std::ranges::find(from_, from) != from_.end()) return false;
    from_.push_back(from);
    return true;
  }

  Time deadline() const {
    if (wanted_ == 0) return started_ + shortest_;
    const auto confirmed = static_cast<double>(from_.size() - 1);
    const double share = std::log(confirmed + 1) / std::log(static_cast<double>(wanted_) + 1);
    const auto span = static_cast<double>((longest_ - shortest_).count());
    const Duration left(longest_.count() - static_cast<Duration::rep>(share * span));
    return started_ + std::max(shortest_, left);
  }

 private:
  std::vector<NodeId> from_;  // the first suspected, the others confirmed
  Time started_;
  Duration shortest_;
  Duration longest_;
  std::size_t wanted_;
};

}  // namespace troupe::placement

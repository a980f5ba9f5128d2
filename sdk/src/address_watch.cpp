#include "sdk/src/address_watch.h"

#include <algorithm>
#include <utility>

namespace troupe {

AddressWatch::Waiter AddressWatch::wait(Time now, std::size_t address) {
  Address& there = addresses_[address];
  if (there.waiters++ == 0 && !there.silent) there.heard = now;
  waiters_.emplace_hint(waiters_.end(), ++last_, address);
  return last_;
}

bool AddressWatch::ended(Time now, Waiter waiter, bool answered) {
  const auto found = waiters_.find(waiter);
  if (found == waiters_.end()) return false;
  Address& there = addresses_[found->second];
  --there.waiters;
  waiters_.erase(found);
  if (answered) {
    there.heard = std::max(there.heard, now);
    there.silent = false;
  }
  return true;
}

std::vector<std::size_t> AddressWatch::take_probes(Time now) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    Address& each = addresses_[i];
    const bool wanted = each.silent || each.waiters > 0;
    if (!wanted || each.probing || now - each.heard < options_.late_after) continue;
    each.probing = true;
    due.push_back(i);
  }
  return due;
}

std::vector<AddressWatch::Waiter> AddressWatch::probed(Time now, std::size_t address,
                                                       bool answered) {
  Address& there = addresses_[address];
  there.probing = false;
  there.silent = !answered;
  there.heard = std::max(there.heard, now);
  std::vector<Waiter> lost;
  if (answered) return lost;
  for (const auto& [waiter, where] : waiters_) {
    if (where == address) lost.push_back(waiter);
  }
  for (const Waiter waiter : lost) waiters_.erase(waiter);
  there.waiters = 0;
  return lost;
}

std::size_t AddressWatch::speaking(std::size_t address) const {
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const std::size_t other = (address + i) % addresses_.size();
    if (!addresses_[other].silent) return other;
  }
  return address;
}

}  // namespace troupe

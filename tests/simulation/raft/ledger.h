#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "storage/raft/raft.h"
#include <troupe/time.h>

namespace troupe::raft {

/// What a whole simulated group has said and done, and whether it kept its promises. Sees
/// everything at once, as no replica can.
class Ledger {
 public:
  /// How long an owner's lease lasts after the round that a quorum acknowledged.
  static constexpr Duration kLease = std::chrono::seconds(1);

  const std::optional<std::string>& violation() const { return violation_; }
  void violate(const std::string& what) {
    if (!violation_) violation_ = what;
  }

  /// Every replica applies the same entry at the same index, and so comes to the same hash.
  void applied(const Address& who, const Entry& entry, std::uint64_t hash) {
    const auto [place, is_new] = applied_.try_emplace(entry.index, Applied{entry, hash});
    if (is_new && entry.index > 1 && !applied_.contains(entry.index - 1)) {
      violate(to_string(who) + " skipped entries before " + std::to_string(entry.index));
    }
    if (place->second.entry != entry || place->second.hash != hash) {
      violate(to_string(who) + " applied another entry at " + std::to_string(entry.index));
    }
  }

  /// A proposal was acknowledged to its client. Since applied entries never change, it survives if
  /// every replica ends at or after it.
  void acknowledged(Index index) {
    acknowledged_ = std::max(acknowledged_, index);
    ++acknowledgements_;
  }
  Index newest_acknowledged() const { return acknowledged_; }
  std::uint64_t acknowledgements() const { return acknowledgements_; }

  /// A read that began when `acknowledged` was the newest is served at `index`.
  void served(const Address& who, Index acknowledged, Index index) {
    ++reads_;
    if (index < acknowledged) violate(to_string(who) + " served a stale read");
  }
  std::uint64_t reads() const { return reads_; }

  /// One leader in a term; it has all that was applied anywhere; nobody's lease lasts beyond the
  /// moment at which a later leader may assign owners.
  void leads(const Raft& raft, Time now) {
    const Term term = raft.term();
    const auto [leader, is_new] = leaders_.try_emplace(term, raft.self());
    if (leader->second != raft.self()) {
      violate(to_string(raft.self()) + " and " + to_string(leader->second) + " both lead term " +
              std::to_string(term));
    }
    if (is_new) elected(raft);
    const auto acked = raft.quorum_acked_at(now);
    if (!acked) return;
    Time& end = lease_ends_[term];
    end = std::max(end, *acked + kLease);
    for (auto later = assigns_at_.upper_bound(term); later != assigns_at_.end(); ++later) {
      if (later->second < end) violate("a lease of term " + std::to_string(term) + " lives on");
    }
  }

 private:
  struct Applied {
    Entry entry;
    std::uint64_t hash;
  };

  void elected(const Raft& raft) {
    if (!applied_.empty()) {
      const Entry& last = applied_.rbegin()->second.entry;
      const bool has =
          last.index < raft.log().start().index || raft.log().matches(last.index, last.term);
      if (!has) violate("the leader of term " + std::to_string(raft.term()) + " lacks an entry");
    }
    const Duration wait = std::max(Duration::zero(), kLease - raft.leader_silence());
    const Time assigns_at = raft.elected_at() + wait;
    assigns_at_[raft.term()] = assigns_at;
    for (const auto& [term, end] : lease_ends_) {
      if (term < raft.term() && end > assigns_at) {
        violate("term " + std::to_string(raft.term()) + " assigns before a lease of term " +
                std::to_string(term) + " ends");
      }
    }
  }

  std::optional<std::string> violation_;
  std::map<Index, Applied> applied_;
  std::map<Term, Address> leaders_;
  std::map<Term, Time> lease_ends_;
  std::map<Term, Time> assigns_at_;
  Index acknowledged_ = 0;
  std::uint64_t acknowledgements_ = 0;
  std::uint64_t reads_ = 0;
};

}  // namespace troupe::raft

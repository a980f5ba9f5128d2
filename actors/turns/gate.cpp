#include "actors/turns/gate.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace troupe::actors {
namespace {

bool finishing(const Ticket& ticket) { return ticket.state == Ticket::State::kFinishing; }
bool reads_only(const Ticket& ticket) { return ticket.access != Access::kWrite; }

}  // namespace

void TicketList::push_back(Ticket& ticket) {
  ticket.previous = last_;
  ticket.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &ticket;
  last_ = &ticket;
  ++size_;
}

void TicketList::push_front(Ticket& ticket) {
  ticket.previous = nullptr;
  ticket.next = first_;
  (first_ == nullptr ? last_ : first_->previous) = &ticket;
  first_ = &ticket;
  ++size_;
}

void TicketList::remove(Ticket& ticket) {
  (ticket.previous == nullptr ? first_ : ticket.previous->next) = ticket.next;
  (ticket.next == nullptr ? last_ : ticket.next->previous) = ticket.previous;
  ticket.previous = nullptr;
  ticket.next = nullptr;
  --size_;
}

bool Gate::same_transaction(const Ticket& a, const Ticket& b) const {
  return reentrant_ && !a.chain.empty() && a.chain == b.chain;
}

bool Gate::shares_transaction(const Ticket& ticket) const {
  for (const Ticket* each = running_.first(); each != nullptr; each = each->next) {
    if (each != &ticket && same_transaction(*each, ticket)) return true;
  }
  return false;
}

bool Gate::may_begin_beside(const Ticket& ticket, const Ticket& running) const {
  if (reads_only(ticket) && reads_only(running)) return true;
  if (running.access == Access::kInterleave) return true;  // and it waits, or only commits
  if (finishing(running)) return false;
  return ticket.access == Access::kInterleave || same_transaction(ticket, running);
}

bool Gate::may_begin(const Ticket& ticket) const {
  for (const Ticket* each = running_.first(); each != nullptr; each = each->next) {
    if (!may_begin_beside(ticket, *each)) return false;
  }
  return true;
}

Gate::Verdict Gate::arrive(Ticket& ticket) {
  check(ticket.state == Ticket::State::kOutside, "a ticket arrives once");
  const bool joins = shares_transaction(ticket);
  const bool awaited = joins || (ticket.chain_waits_here && !running_.empty());
  if (closed_ && !awaited) return Verdict::kClosed;
  if (joins) {
    std::size_t depth = 0;
    for (const Ticket* each = running_.first(); each != nullptr; each = each->next) {
      if (same_transaction(ticket, *each)) ++depth;
    }
    if (depth >= depth_max_) return Verdict::kTooDeep;
  }
  if (awaited && !joins && !may_begin(ticket)) return Verdict::kDeadlock;
  ticket.state = Ticket::State::kWaiting;
  ticket.urgent = awaited;
  earliest_ = std::min(earliest_, ticket.expires);
  if (!awaited && ticket.access == Access::kInterleave) ++interleaving_;
  (awaited ? urgent_ : waiting_).push_back(ticket);
  return Verdict::kWaits;
}

void Gate::arrive_first(Ticket& ticket) {
  check(ticket.state == Ticket::State::kOutside, "a ticket arrives once");
  ticket.state = Ticket::State::kWaiting;
  ticket.urgent = false;
  earliest_ = std::min(earliest_, ticket.expires);
  if (ticket.access == Access::kInterleave) ++interleaving_;
  waiting_.push_front(ticket);
}

Ticket* Gate::begin(Ticket& ticket) {
  cancel(ticket);
  ticket.state = Ticket::State::kRunning;
  running_.push_back(ticket);
  return &ticket;
}

Ticket* Gate::begin_next(bool awaited_only) {
  if (Ticket* first = urgent_.first(); first != nullptr && may_begin(*first)) return begin(*first);
  if (closed_ || awaited_only) return nullptr;
  Ticket* const first = waiting_.first();
  if (first == nullptr) return nullptr;
  if (may_begin(*first)) return begin(*first);
  if (interleaving_ == 0) return nullptr;
  for (Ticket* each = first; each != nullptr; each = each->next) {
    if (each->access == Access::kInterleave && may_begin(*each)) return begin(*each);
  }
  return nullptr;
}

void Gate::begin_alone(Ticket& ticket) {
  check(running_.empty(), "what begins alone begins alone");
  ticket.state = Ticket::State::kRunning;
  running_.push_back(ticket);
}

void Gate::finish(Ticket& ticket) {
  check(ticket.state == Ticket::State::kRunning, "what finishes ran");
  ticket.state = Ticket::State::kFinishing;
}

void Gate::end(Ticket& ticket) {
  check(ticket.state == Ticket::State::kRunning || finishing(ticket), "what ends ran");
  running_.remove(ticket);
  ticket.state = Ticket::State::kOutside;
}

Ticket* Gate::take_expired(Time now) {
  if (now < earliest_) return nullptr;
  Time earliest = Time::max();
  for (TicketList* list : {&urgent_, &waiting_}) {
    for (Ticket* each = list->first(); each != nullptr; each = each->next) {
      if (each->expires <= now) {
        cancel(*each);
        return each;
      }
      earliest = std::min(earliest, each->expires);
    }
  }
  earliest_ = earliest;
  return nullptr;
}

Ticket* Gate::take_waiting() {
  Ticket* const first = urgent_.empty() ? waiting_.first() : urgent_.first();
  if (first != nullptr) cancel(*first);
  return first;
}

void Gate::cancel(Ticket& ticket) {
  check(ticket.state == Ticket::State::kWaiting, "only what waits is cancelled");
  if (!ticket.urgent && ticket.access == Access::kInterleave) --interleaving_;
  (ticket.urgent ? urgent_ : waiting_).remove(ticket);
  ticket.state = Ticket::State::kOutside;
}

}  // namespace troupe::actors

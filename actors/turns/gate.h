#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <troupe/actor_type.h>
#include <troupe/time.h>

namespace troupe::actors {

/// A call's place at the gate: waiting, then running. A turn is one. Must not move or go while it
/// is in the gate.
struct Ticket {
  enum class State : std::uint8_t { kOutside, kWaiting, kRunning, kFinishing };

  Access access = Access::kWrite;
  std::string_view chain;         // the reentrancy id; empty: none
  bool chain_waits_here = false;  // a turn of this very actor waits for this call
  Time expires;                   // it waits no longer

  // The gate's own.
  State state = State::kOutside;
  bool urgent = false;
  Ticket* previous = nullptr;
  Ticket* next = nullptr;
};

/// A list of tickets through their own links.
class TicketList {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  Ticket* first() const { return first_; }
  void push_back(Ticket& ticket);
  void push_front(Ticket& ticket);
  void remove(Ticket& ticket);

 private:
  Ticket* first_ = nullptr;
  Ticket* last_ = nullptr;
  std::size_t size_ = 0;
};

/// Decides which calls of one activation may run now.
///
/// In the order of arrival, one at a time, but for what the type asks for:
///
///   beside a running ...   write        read-only    interleave
///   write may begin        -            -            while that waits
///   read-only may begin    -            yes          yes
///   interleave may begin   while that   yes          yes
///                          waits
///
/// A running turn waits (for a nested call, a timer) whenever the gate is asked, unless it is
/// finishing: its commit is under way. On a reentrant type, calls of the same chain as a running
/// turn begin beside it. Interleaving calls and those of a running chain overtake calls that cannot
/// begin; nothing else overtakes.
///
/// Pure: told what happened, asked what may begin. Not thread-safe.
class Gate {
 public:
  Gate(bool reentrant, std::size_t reentrant_depth_max)
      : reentrant_(reentrant), depth_max_(reentrant_depth_max) {}

  enum class Verdict : std::uint8_t {
    kWaits,     // until next() returns it
    kDeadlock,  // it would wait for a turn of its own chain: not taken
    kTooDeep,   // its chain has entered too many times: not taken
    kClosed,    // nothing new begins here: not taken
  };
  Verdict arrive(Ticket& ticket);

  /// Back in front of all others: one that is to begin once more.
  void arrive_first(Ticket& ticket);

  /// The next that may begin; it runs from now on. Null if none may. `awaited_only`: of those that
  /// running turns wait for.
  Ticket* begin_next(bool awaited_only = false);

  /// Begins a turn that never waited, even if closed. Requires that none runs.
  void begin_alone(Ticket& ticket);

  /// Its user's code has ended, its outcome is not known yet.
  void finish(Ticket& ticket);

  /// Its outcome is known, and the next may begin.
  void end(Ticket& ticket);

  /// Takes a waiting one whose deadline has passed out of the gate. Null if there is none.
  Ticket* take_expired(Time now);

  /// Takes the first waiting one out of the gate, whatever it is. Null if none waits.
  Ticket* take_waiting();

  /// Takes a waiting one out of the gate.
  void cancel(Ticket& ticket);

  /// Nothing arrives or begins from now on, but what running turns wait for.
  void close() { closed_ = true; }
  bool closed() const { return closed_; }

  /// Those that wait, but for what running turns wait for.
  const TicketList& queue() const { return waiting_; }
  std::size_t waiting() const { return urgent_.size() + waiting_.size(); }
  const TicketList& running() const { return running_; }
  bool idle() const { return waiting() == 0 && running_.empty(); }

  /// A turn of the same transaction as `ticket` runs: what overlaps by reentrancy commits together.
  bool shares_transaction(const Ticket& ticket) const;

 private:
  bool same_transaction(const Ticket& a, const Ticket& b) const;
  bool may_begin_beside(const Ticket& ticket, const Ticket& running) const;
  bool may_begin(const Ticket& ticket) const;
  Ticket* begin(Ticket& ticket);

  bool reentrant_;
  bool closed_ = false;
  std::size_t depth_max_;
  Time earliest_ = Time::max();   // none that waits expires before it
  std::size_t interleaving_ = 0;  // of those in waiting_
  TicketList urgent_;             // of chains that run here: the running turns wait for them
  TicketList waiting_;
  TicketList running_;
};

}  // namespace troupe::actors

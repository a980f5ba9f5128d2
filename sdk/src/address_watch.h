#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <troupe/time.h>

namespace troupe {

struct AddressWatchOptions {
  /// An address of which nothing was heard for so long, though somebody waits, is asked whether it
  /// is there, and as often. Shorter notices silence sooner, longer spares nodes the question while
  /// calls take their time.
  Duration late_after = std::chrono::seconds(1);
  /// It is silent if it has not answered that for so long. Shorter takes a busy node for a silent
  /// one, which costs a call a second attempt.
  Duration probe_timeout = std::chrono::seconds(1);
};

/// Which of a client's addresses have fallen silent: a stopped process, or a host that is gone,
/// breaks no connection, and who waits for its answer would wait until the call's time-out.
///
///     somebody waits, nothing heard for late_after ─→ one probe ─┬─ answered: it is there, and the
///                                                                │  calls take their time
///                                                                └─ not: silent; who waits goes
///                                                                   elsewhere
///
/// A silent address is probed on, while anybody calls, and is itself again with its first answer.
/// At most one probe of an address is under way, so that many who wait cost as much as one.
///
/// A core: told what happens and when, asked what to do. For one thread at a time.
class AddressWatch {
 public:
  using Waiter = std::uint64_t;

  AddressWatch(std::size_t addresses, AddressWatchOptions options)
      : options_(options), addresses_(addresses) {}

  /// Somebody waits for an answer from there. Numbers begin at 1.
  Waiter wait(Time now, std::size_t address);
  /// The wait is over: an answer came, or it is known that none will. False if this one waits no
  /// more: it went elsewhere.
  bool ended(Time now, Waiter waiter, bool answered);

  /// Who has to be probed now; each then ends with probed().
  std::vector<std::size_t> take_probes(Time now);
  /// How a probe ended. Who waits there and has to go elsewhere, if it was not answered; they wait
  /// no more.
  std::vector<Waiter> probed(Time now, std::size_t address, bool answered);

  bool silent(std::size_t address) const { return addresses_[address].silent; }
  /// `address`, or the first after it that is not silent; `address` if all are.
  std::size_t speaking(std::size_t address) const;
  /// Nobody waits.
  bool idle() const { return waiters_.empty(); }

 private:
  struct Address {
    std::size_t waiters = 0;
    Time heard;  // or the beginning of the first wait since nobody waited, or of the last probe
    bool probing = false;
    bool silent = false;
  };

  AddressWatchOptions options_;
  std::vector<Address> addresses_;
  std::map<Waiter, std::size_t> waiters_;  // and where
  Waiter last_ = 0;
};

}  // namespace troupe

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "storage/shard/entry.h"
#include <troupe/time.h>

namespace troupe::storage {

/// Which calls a caller repeats no more, and until when that is kept.
struct DoneCalls {
  std::uint64_t below = 0;
  WallTime keep_until;
};

/// Which calls a shard remembers, and below which number each caller repeats none any more; the
/// replies are in the rows.
///
///     a caller's numbers:   ... dropped ...│done_below  recorded  recorded ...
///                            refused, while│            answered as before
///                            they may come │
///
/// Equal rows give equal answers: what this remembers beyond them (entries of its heap that are
/// void by now) decides nothing. For one thread.
class RecordedCalls {
 public:
  /// What to forget: a call, or its caller's mark.
  struct Expired {
    CallId id;
    bool mark = false;
  };
  /// What a caller's word leads to.
  struct Done {
    std::vector<CallId> dropped;
    DoneCalls mark;
  };

  void clear() { *this = RecordedCalls(); }

  /// Calls, without marks.
  std::size_t size() const { return calls_; }
  /// What is bounded: calls and marks.
  std::size_t rows() const { return calls_ + marks_; }
  std::size_t bytes() const { return bytes_; }

  bool contains(const CallId& id) const;
  /// The caller of `id` has said that it will not repeat it, and it may have been dropped for that.
  bool done(const CallId& id) const;

  /// Requires !contains(id). `bytes`: what it counts for.
  void record(const CallId& id, WallTime keep_until, std::size_t bytes);
  /// As it is in the rows.
  void set_mark(const CallId& caller, const DoneCalls& mark);
  /// The caller of `id` repeats none below `below`: its calls there are dropped, `count_max` at
  /// most. Nothing, if there are none.
  std::optional<Done> drop_below(const CallId& id, std::uint64_t below, std::size_t count_max);
  /// The next that has expired at `now`, forgotten. By its time; of one time by its id.
  std::optional<Expired> take_expired(WallTime now);

 private:
  struct Recorded {
    WallTime keep_until;
    std::size_t bytes = 0;
  };
  struct Caller {
    DoneCalls mark;  // below 0: none
    std::map<std::uint64_t, Recorded> calls;
  };
  struct CallerId {
    NodeId origin;
    Generation generation;
    friend bool operator==(const CallerId&, const CallerId&) = default;
  };
  struct CallerHash {
    std::size_t operator()(const CallerId& id) const noexcept;
  };
  // Void when the call was dropped, or the mark is kept for longer.
  struct Expiry {
    WallTime keep_until;
    CallId id;
    bool mark = false;
    friend auto operator<=>(const Expiry&, const Expiry&) = default;
  };
  using Callers = std::unordered_map<CallerId, Caller, CallerHash>;  // asked, never iterated

  static CallerId caller_of(const CallId& id) { return {id.origin, id.generation}; }
  void push(const Expiry& expiry);
  void drop_void();
  bool counts(const Expiry& expiry) const;
  void forget(Callers::iterator caller, const Expiry& expiry);

  Callers callers_;
  std::vector<Expiry> expiring_;  // a heap, the next to expire in front
  std::size_t calls_ = 0;
  std::size_t marks_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace troupe::storage

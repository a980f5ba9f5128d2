#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>

#include "runtime/base/ids.h"
#include "runtime/base/random.h"

namespace troupe {

/// Names of a client's calls, and which of them are done.
///
/// A caller numbers its calls, and tells shards with each of them below which number none is open
/// any more: what they remember of those goes. One call that takes long would keep all later ones,
/// so when many have begun since the oldest that is open, a new caller takes over and leaves the
/// old one to those:
///
///     caller a:  done done open done done ...        its shards keep these until their time-outs
///     caller b:                                1 2 3 ...
///
/// For one thread at a time.
class CallNumbers {
 public:
  /// Shorter keeps less for each call that takes long, longer lets more calls run side by side.
  static constexpr std::uint64_t kSpanMin = 1024;

  /// One caller, for whom calls are open. Kept by them.
  struct Caller {
    NodeId id;
    std::uint64_t next = 1;
    std::set<std::uint64_t> open = {};

    /// No call below is open.
    std::uint64_t done_below() const { return open.empty() ? next : *open.begin(); }
  };
  struct Name {
    std::shared_ptr<Caller> caller;
    std::uint64_t number = 0;
  };

  /// Opens a call.
  Name begin();
  /// Closes it: it will not be sent again.
  static void end(const Name& name) { name.caller->open.erase(name.number); }

 private:
  std::shared_ptr<Caller> current_;
};

}  // namespace troupe

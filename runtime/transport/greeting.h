#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/network.h"

namespace troupe::transport {

/// The first message of a stream, either way.
struct Greeting {
  Hello hello;
  std::string address = {};  // where the sender is reached
  Lane lane = Lane::kControl;
  NodeId expected = {};       // whom the sender believes to talk to; nobody: anyone
  std::uint64_t process = 0;  // random, the same for a process's life
};

std::string encode(const Greeting& greeting);

/// Nothing if the bytes are no greeting. One of another protocol version keeps at least its
/// version.
std::optional<Greeting> decode_greeting(std::string_view bytes);

/// Why `own` will not talk to `peer`; nothing if it will.
std::optional<std::string> refusal(const Greeting& own, const Greeting& peer);

/// The newest process that was heard of each node: when a data directory was copied, the one that
/// registered last is heard, the older is not. Not thread-safe.
class NewestProcesses {
 public:
  /// Beyond so many nodes it begins anew.
  static constexpr std::size_t kNodesMax = 4'096;

  /// Why `peer` is too old to be heard. Nothing, and remembered, if it is not; one that has not
  /// registered yet cannot be compared, and is heard.
  std::optional<std::string> refusal(const Greeting& peer);

 private:
  struct Process {
    Generation generation;
    std::uint64_t process;
  };
  std::map<NodeId, Process> newest_;
};

}  // namespace troupe::transport

#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/guarded.h"
#include "runtime/base/network.h"
#include "runtime/security/cluster_key.h"

namespace troupe::security {

/// Which numbers of a sender were seen: each once, and none that is too far behind the highest.
class ReplayWindow {
 public:
  static constexpr std::size_t kWidth = 512;

  /// False if it was seen or is too old; else it is seen from now on.
  bool take(std::uint64_t number);

 private:
  std::uint64_t highest_ = 0;
  std::bitset<kWidth> seen_;  // bit i: highest_ - i
};

/// Seals datagrams with the cluster's key: strangers can neither read nor make nor repeat them.
///
///     TRS1 | which secret, 4 | sender, 16 | number, 8 | AES-256-GCM of the text | tag, 16
///
/// A sender is a random number drawn with this object, so once a process; its key is derived from
/// the cluster's and that number, and its nonces are the numbers it counts, so no nonce is used
/// twice under a key. A receiver that starts anew has forgotten what it saw, so that old datagrams
/// may be repeated to it: gossip's own counters stand that. Thread-safe.
class DatagramSeal final : public DatagramGuard {
 public:
  static constexpr std::size_t kOverhead = 48;       // bytes that sealing adds
  static constexpr std::size_t kSendersMax = 4'096;  // remembered; beyond, the longest silent goes

  explicit DatagramSeal(ClusterKey key);
  ~DatagramSeal() override;

  std::string seal(std::string_view text) override;
  std::optional<std::string> open(std::string_view datagram) override;

 private:
  using SenderId = std::string;
  struct Sender {
    std::string key;
    ReplayWindow seen;
    std::uint64_t last_used = 0;
  };
  struct State {
    std::uint64_t next_number = 1;
    std::uint64_t opened = 0;
    std::map<SenderId, Sender> senders;
  };

  std::string sender_key(std::string_view mark, std::string_view sender) const;
  void remember(State& state, SenderId id, std::string key) const;

  ClusterKey key_;
  std::vector<std::string> marks_;  // of the secrets
  std::string header_;              // of what is sealed here, but for the number
  std::string own_key_;
  Guarded<State> state_;
};

}  // namespace troupe::security

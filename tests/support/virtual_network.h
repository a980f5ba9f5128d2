#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <troupe/time.h>

namespace troupe {

/// A network of this process's own, with hosts that are network namespaces. Every packet between
/// two of them crosses user space, where links are cut, lose, or are slow. Host 0 is the thread
/// that made it and all that this thread starts from then on; Process::start takes the others. For
/// one thread, which is back on the machine's own network afterwards.
class VirtualNetwork {
 public:
  /// What happens to packets from one host to another.
  struct Link {
    bool cut = false;
    double loss = 0;       // share of the packets, 0 to 1
    Duration delay = {};   // of each
    Duration jitter = {};  // up to so much more: packets overtake one another
  };

  /// Why there can be none here, or nothing: it needs root and /dev/net/tun.
  static std::string impossible();

  /// `hosts`: at most 200, beside host 0. `seed` decides which packets are lost and how late they
  /// are.
  VirtualNetwork(std::size_t hosts, std::uint64_t seed);
  ~VirtualNetwork();
  VirtualNetwork(const VirtualNetwork&) = delete;
  VirtualNetwork& operator=(const VirtualNetwork&) = delete;

  static std::string address(std::size_t host);
  /// The namespace of a host, for setns(2); lives as long as this.
  int name_space(std::size_t host) const;

  /// One way. Packets under way are not touched.
  void set(std::size_t from, std::size_t to, Link link);
  /// Both ways between each of `some` hosts and each other one but host 0.
  void set_around(std::initializer_list<std::size_t> some, Link link);
  /// All links as they were at first.
  void heal();

 private:
  class Switch;
  std::unique_ptr<Switch> switch_;
};

}  // namespace troupe

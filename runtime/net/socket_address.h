#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <troupe/result.h>

namespace troupe::net {

/// Where a socket is: an IPv4 or IPv6 address and a port, or nowhere in particular (a Unix domain
/// socket, or none). A small value, ordered, to be used as a key.
struct SocketAddress {
  enum class Family : std::uint8_t { kNone, kIpv4, kIpv6, kUnix };

  Family family = Family::kNone;
  std::uint16_t port = 0;
  std::uint32_t scope = 0;                  // of a link-local IPv6 address; else 0
  std::array<std::uint8_t, 16> bytes = {};  // network order; IPv4 uses the first four

  bool is_loopback() const;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

/// `127.0.0.1:80`, `[::1]:80`, `unix` or `none`.
std::string to_string(const SocketAddress& address);

/// The host alone: `127.0.0.1`, `::1`.
std::string host_text(const SocketAddress& address);

/// The address that a numeric host spells (`127.0.0.1`, `::1`, `[::1]`, `fe80::1%eth0`).
/// kInvalid for a name: ask a Resolver.
Result<SocketAddress> parse_numeric_host(std::string_view host, std::uint16_t port);

/// A host, which may be a name, and a port.
struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

/// `host:port`, with brackets around an IPv6 address.
std::string to_string(const HostPort& where);

/// Reads `name:80`, `127.0.0.1:80`, `[::1]:80`; and, where `port_default` is not 0, the same
/// without the port. kInvalid otherwise.
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t port_default = 0);

}  // namespace troupe::net

#pragma once

#include <string>

#include <sys/socket.h>

#include "runtime/net/socket_address.h"

namespace troupe::net {

/// An address in the form of the system's calls.
struct SystemAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;

  sockaddr* pointer() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

/// Requires an IPv4 or IPv6 address.
SystemAddress to_system(const SocketAddress& address);
SocketAddress from_system(const SystemAddress& address);

/// Where the socket is bound. kNone if the system does not say.
SocketAddress local_address(int socket);

/// `connection refused`: the system's text for an error number, in lower case.
std::string error_text(int number);

}  // namespace troupe::net

#pragma once

#include "runtime/net/io_threads.h"
#include "runtime/net/socket_address.h"

namespace troupe::net {

/// Where a library that opens a socket of its own can listen now, with a free port if `where` has
/// none: such libraries do not say why they cannot. Another may take the port before they do.
/// kUnavailable: "cannot listen on 127.0.0.1:7400: address already in use; choose another port".
/// May block for seconds if the host is a name.
Result<SocketAddress> listening_place(IoThreads& threads, const HostPort& where);

}  // namespace troupe::net

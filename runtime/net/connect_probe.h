#pragma once

#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/net/socket_address.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::net {

/// Whether anybody listens at `where`: connects, and closes at once. kUnavailable, saying why, if
/// no address of it takes a connection; kTimeout if none has by `deadline`, as where a process is
/// stopped. `done` runs on an io thread, or on the resolver's; never inside this call. Dropped,
/// uncalled, when the io threads have stopped.
void probe(IoThreads& threads, Resolver& resolver, const HostPort& where, Time deadline,
           Done<void> done);

}  // namespace troupe::net

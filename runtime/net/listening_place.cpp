#include "runtime/net/listening_place.h"

#include <vector>

#include "runtime/net/listener.h"
#include "runtime/net/resolver.h"

namespace troupe::net {

Result<SocketAddress> listening_place(IoThreads& threads, const HostPort& where) {
  Result<std::vector<SocketAddress>> found = resolve_now(where);
  if (!found) {
    return fail(Code::kUnavailable,
                "cannot listen on " + to_string(where) + ": " + found.error().message);
  }
  SocketAddress& at = found->front();
  Result<Listener> listener = Listener::tcp(threads.pick(), at, true);
  if (!listener) return fail(listener.error());
  at.port = listener->local().port;
  listener->close();
  return at;
}

}  // namespace troupe::net

#include "runtime/net/resolver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <netdb.h>

#include "runtime/net/socket_system.h"

namespace troupe::net {
namespace {

// Cancels a resolution whose work is dropped unrun.
class Pending {
 public:
  explicit Pending(Done<std::vector<SocketAddress>> done) : done_(std::move(done)) {}
  Pending(Pending&&) = default;
  Pending& operator=(Pending&&) = delete;
  ~Pending() {
    if (done_) done_(fail(Code::kCancelled, "the resolver has stopped"));
  }
  void finish(Result<std::vector<SocketAddress>> result) {
    std::exchange(done_, nullptr)(std::move(result));
  }

 private:
  Done<std::vector<SocketAddress>> done_;
};

}  // namespace

Result<std::vector<SocketAddress>> resolve_now(const HostPort& where) {
  if (const auto numeric = parse_numeric_host(where.host, where.port)) {
    return std::vector<SocketAddress>{*numeric};
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = getaddrinfo(where.host.c_str(), nullptr, &hints, &found);
  if (result != 0) {
    std::string why = result == EAI_SYSTEM ? error_text(errno) : gai_strerror(result);
    return fail(Code::kUnavailable, "cannot resolve '" + where.host + "': " + why);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = found; info; info = info->ai_next) {
    SystemAddress system;
    if (info->ai_addrlen > sizeof system.storage) continue;
    std::memcpy(&system.storage, info->ai_addr, info->ai_addrlen);
    SocketAddress address = from_system(system);
    address.port = where.port;
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) {
    return fail(Code::kUnavailable, "cannot resolve '" + where.host + "': it has no address");
  }
  return addresses;
}

Resolver::Resolver(std::size_t threads, std::size_t queue_length_max)
    : pool_(threads, queue_length_max, "resolver") {}

void Resolver::resolve(const HostPort& where, Done<std::vector<SocketAddress>> done) {
  if (const auto numeric = parse_numeric_host(where.host, where.port)) {
    return done(std::vector<SocketAddress>{*numeric});
  }
  // Shared, so that a refusal can be told apart from a cancellation.
  const auto pending = std::make_shared<Pending>(std::move(done));
  const bool taken = pool_.post([pending, where] { pending->finish(resolve_now(where)); });
  if (taken) return;
  if (stopped_) return pending->finish(fail(Code::kCancelled, "the resolver has stopped"));
  pending->finish(fail(Code::kExhausted, "too many names wait to be resolved"));
}

void Resolver::stop() {
  stopped_ = true;
  pool_.stop();
}

}  // namespace troupe::net

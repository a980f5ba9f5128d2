#include "runtime/net/listener.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/check.h"
#include "runtime/net/socket_system.h"

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

constexpr int kBacklog = 4096;
// So many at a time, then others have their turn.
constexpr int kAcceptedAtOnce = 64;
// Out of file descriptors: some may be free again by then.
constexpr auto kPause = std::chrono::milliseconds(100);

Failure cannot_listen(const std::string& where, int number) {
  std::string message = "cannot listen on " + where + ": " + error_text(number);
  if (number == EADDRINUSE) message += "; choose another port";
  if (number == EACCES) message += "; ports below 1024 need privileges, choose another";
  if (number == EADDRNOTAVAIL) message += "; choose an address of this machine";
  return fail(Code::kUnavailable, std::move(message));
}

Failure cannot_listen_on_path(const std::string& path, std::string_view why) {
  return fail(Code::kUnavailable, "cannot listen on unix socket " + path + ": " + std::string(why));
}

// Whether somebody answers at `path`, so that it must not be replaced.
bool is_alive(const sockaddr_un& name) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return true;
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof name);
  const bool alive = result == 0 || errno != ECONNREFUSED;
  ::close(probe);
  return alive;
}

}  // namespace

struct Listener::State : std::enable_shared_from_this<Listener::State> {
  State(std::shared_ptr<IoThread> the_thread, int socket, std::string the_path)
      : thread(std::move(the_thread)),
        descriptor(thread->context()),
        resume([this] { wait(); }),
        path(std::move(the_path)),
        local(local_address(socket)) {
    boost::system::error_code error;
    // Fails only without memory or watches left, at start-up.
    check(!descriptor.assign(socket, error), "a listening socket can be waited for");
  }

  void wait() {
    descriptor.async_wait(Descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error) self->accept();
                          });
  }

  void accept() {
    for (int i = 0; i < kAcceptedAtOnce; ++i) {
      SystemAddress peer;
      peer.size = sizeof peer.storage;
      const int socket = ::accept4(descriptor.native_handle(), peer.pointer(), &peer.size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0) {
        accepted(socket, from_system(peer));
        continue;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return thread->wheel().set(resume, thread->wheel().now() + kPause);
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    }
    wait();
  }

  std::shared_ptr<IoThread> thread;
  Descriptor descriptor;
  Timeout resume;
  Accepted accepted;
  std::string path;  // of a Unix domain socket, else empty
  SocketAddress local;
};

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}
Listener::Listener(Listener&&) noexcept = default;

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

Listener::~Listener() { close(); }

Result<Listener> Listener::tcp(std::shared_ptr<IoThread> thread, const SocketAddress& at,
                               bool both_families) {
  const SystemAddress address = to_system(at);
  const int socket = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return cannot_listen(to_string(at), errno);
  const int on = 1;
  const int ipv6_only = both_families ? 0 : 1;
  // Reuse only means not to wait for old connections to fade: a listener still excludes others.
  bool good = ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
  if (address.family() == AF_INET6) {
    good =
        good && ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &ipv6_only, sizeof ipv6_only) == 0;
  }
  good = good && ::bind(socket, address.pointer(), address.size) == 0;
  good = good && ::listen(socket, kBacklog) == 0;
  if (!good) {
    const int number = errno;
    ::close(socket);
    return cannot_listen(to_string(at), number);
  }
  return Listener(std::make_shared<State>(std::move(thread), socket, ""));
}

Result<Listener> Listener::unix_domain(std::shared_ptr<IoThread> thread, const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path || path.find('\0') != std::string::npos) {
    return cannot_listen_on_path(path, "the path is longer than 107 bytes");
  }
  path.copy(name.sun_path, path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return cannot_listen_on_path(path, error_text(errno));
  const auto bind = [&] {
    return ::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  };
  bool good = bind();
  if (!good && errno == EADDRINUSE && !is_alive(name)) {
    ::unlink(path.c_str());
    good = bind();
  }
  good = good && ::listen(socket, kBacklog) == 0;
  if (!good) {
    const int number = errno;
    ::close(socket);
    return cannot_listen_on_path(path, error_text(number));
  }
  return Listener(std::make_shared<State>(std::move(thread), socket, path));
}

SocketAddress Listener::local() const { return state_->local; }

void Listener::start(Accepted accepted) {
  state_->accepted = std::move(accepted);
  state_->thread->post([state = state_] { state->wait(); });
}

void Listener::close() {
  if (!state_) return;
  const auto state = std::exchange(state_, nullptr);
  const auto end = [state] {
    boost::system::error_code ignored;
    state->resume.clear();
    static_cast<void>(state->descriptor.close(ignored));
  };
  if (!state->thread->run(end)) end();
  if (!state->path.empty()) ::unlink(state->path.c_str());
}

}  // namespace troupe::net

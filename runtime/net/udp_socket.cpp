#include "runtime/net/udp_socket.h"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/check.h"
#include "runtime/base/guarded.h"
#include "runtime/net/socket_system.h"

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

// So many at a time, then others have their turn.
constexpr int kReceivedAtOnce = 64;

}  // namespace

struct UdpSocket::State : std::enable_shared_from_this<UdpSocket::State> {
  explicit State(std::shared_ptr<IoThread> the_thread)
      : thread(std::move(the_thread)), descriptor(thread->context()) {}

  void wait() {
    descriptor.async_wait(Descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error) self->take();
                          });
  }

  void take() {
    for (int i = 0; i < kReceivedAtOnce && descriptor.is_open(); ++i) {
      SystemAddress from;
      from.size = sizeof from.storage;
      const ssize_t size = ::recvfrom(descriptor.native_handle(), buffer.data(), buffer.size(),
                                      MSG_DONTWAIT, from.pointer(), &from.size);
      if (size < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
        continue;  // an ICMP error of an earlier send: says nothing about this socket
      }
      receive(from_system(from), {buffer.data(), static_cast<std::size_t>(size)});
    }
    if (descriptor.is_open()) wait();
  }

  const std::shared_ptr<IoThread> thread;
  Descriptor descriptor;
  Guarded<int> sending{-1};  // the same socket, for senders of any thread
  SocketAddress local;
  Receive receive;
  std::vector<char> buffer = std::vector<char>(64 * 1024);
};

UdpSocket::UdpSocket(IoThreads& threads) : state_(std::make_shared<State>(threads.pick())) {}

UdpSocket::~UdpSocket() { close(); }

Result<void> UdpSocket::open(const SocketAddress& at, Receive receive) {
  const auto refused = [&](int number) {
    std::string message =
        "cannot receive datagrams on " + to_string(at) + ": " + error_text(number);
    if (number == EADDRINUSE) message += "; choose another port";
    return fail(Code::kUnavailable, std::move(message));
  };
  check(state_->local == SocketAddress{}, "a datagram socket is opened once");
  const SystemAddress address = to_system(at);
  const int socket = ::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return refused(errno);
  if (::bind(socket, address.pointer(), address.size) != 0) {
    const int number = errno;
    ::close(socket);
    return refused(number);
  }
  state_->local = local_address(socket);
  state_->receive = std::move(receive);
  boost::system::error_code error;
  state_->thread->run([&] { static_cast<void>(state_->descriptor.assign(socket, error)); });
  if (!state_->descriptor.is_open()) {
    ::close(socket);
    return refused(error ? error.value() : ECANCELED);
  }
  state_->sending.with([&](int& sender) { sender = socket; });
  state_->thread->post([state = state_] {
    if (state->descriptor.is_open()) state->wait();
  });
  return {};
}

SocketAddress UdpSocket::local() const { return state_->local; }

Result<void> UdpSocket::send(const SocketAddress& to, std::string_view bytes) {
  if (bytes.size() > kDatagramBytesMax) {
    return fail(Code::kInvalid, "a datagram of " + std::to_string(bytes.size()) + " bytes to " +
                                    to_string(to) + " is larger than " +
                                    std::to_string(kDatagramBytesMax));
  }
  const SystemAddress address = to_system(to);
  // Guarded, lest the number be closed and given to another socket in between. Does not block.
  const int number = state_->sending.with([&](const int& socket) {
    if (socket < 0) return EBADF;
    const ssize_t sent = ::sendto(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  address.pointer(), address.size);
    return sent < 0 ? errno : 0;
  });
  if (number == 0) return {};
  const bool full = number == EAGAIN || number == EWOULDBLOCK || number == ENOBUFS;
  const Code code = full                 ? Code::kExhausted
                    : number == EMSGSIZE ? Code::kInvalid
                                         : Code::kUnavailable;
  return fail(code, "cannot send a datagram to " + to_string(to) + ": " +
                        (number == EBADF ? "the socket is closed" : error_text(number)));
}

void UdpSocket::close() {
  state_->sending.with([](int& socket) { socket = -1; });
  const auto end = [state = state_] {
    boost::system::error_code ignored;
    static_cast<void>(state->descriptor.close(ignored));
  };
  if (!state_->thread->run(end)) end();
}

}  // namespace troupe::net

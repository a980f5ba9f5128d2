#include "runtime/transport/datagrams.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "runtime/base/guarded.h"

namespace troupe::transport {
namespace {

constexpr std::size_t kNamesMax = 4'096;
constexpr Duration kNameLifetime = std::chrono::seconds(30);

struct Place {
  net::SocketAddress address;
  Time until;
};

}  // namespace

struct Datagrams::State : std::enable_shared_from_this<State> {
  State(net::IoThreads& the_threads, net::Resolver& the_resolver, Clock& the_clock,
        NetworkListener& the_listener, std::shared_ptr<DatagramGuard> the_guard,
        std::shared_ptr<TransportMetrics> the_metrics)
      : threads(the_threads),
        resolver(the_resolver),
        clock(the_clock),
        listener(the_listener),
        guard(std::move(the_guard)),
        metrics(std::move(the_metrics)) {}

  std::shared_ptr<net::UdpSocket> open_socket() {
    return socket.with([](const auto& open) { return open; });
  }

  std::optional<net::SocketAddress> known(const std::string& address, Time now) {
    return places.with([&](auto& all) -> std::optional<net::SocketAddress> {
      const auto found = all.find(address);
      if (found == all.end() || found->second.until < now) return std::nullopt;
      return found->second.address;
    });
  }

  void remember(const std::string& address, const net::SocketAddress& place, Time now) {
    places.with([&](auto& all) {
      if (all.size() >= kNamesMax) all.clear();
      all[address] = {place, now + kNameLifetime};
    });
  }

  void received(const net::SocketAddress& from, std::string_view bytes) {
    TransportMetrics::count(metrics->datagrams_received);
    if (!guard) return listener.received_datagram(to_string(from), bytes);
    const std::optional<std::string> text = guard->open(bytes);
    if (!text) return TransportMetrics::count(metrics->datagrams_refused);
    listener.received_datagram(to_string(from), *text);
  }

  void send(const net::SocketAddress& to, std::string_view bytes) {
    const std::shared_ptr<net::UdpSocket> open = open_socket();
    const bool sent = open && open->send(to, bytes).has_value();
    TransportMetrics::count(sent ? metrics->datagrams_sent : metrics->datagrams_dropped);
  }

  // Of the family that the socket speaks, if there is one.
  void found(const std::string& address, const Result<std::vector<net::SocketAddress>>& all,
             std::string_view bytes) {
    const std::shared_ptr<net::UdpSocket> open = open_socket();
    if (!open) return;
    if (!all) return TransportMetrics::count(metrics->datagrams_dropped);
    const auto fits = std::ranges::find(*all, open->local().family, &net::SocketAddress::family);
    const net::SocketAddress& place = fits == all->end() ? all->front() : *fits;
    remember(address, place, clock.now());
    send(place, bytes);
  }

  net::IoThreads& threads;
  net::Resolver& resolver;
  Clock& clock;
  NetworkListener& listener;
  const std::shared_ptr<DatagramGuard> guard;  // null: in clear
  const std::shared_ptr<TransportMetrics> metrics;
  Guarded<std::shared_ptr<net::UdpSocket>> socket;  // none: not started, or stopped
  Guarded<std::map<std::string, Place>> places;
};

Datagrams::Datagrams(net::IoThreads& threads, net::Resolver& resolver, Clock& clock,
                     NetworkListener& listener, std::shared_ptr<DatagramGuard> guard,
                     std::shared_ptr<TransportMetrics> metrics)
    : state_(std::make_shared<State>(threads, resolver, clock, listener, std::move(guard),
                                     std::move(metrics))) {}

Datagrams::~Datagrams() { stop(); }

Result<std::uint16_t> Datagrams::start(const net::SocketAddress& at) {
  auto socket = std::make_shared<net::UdpSocket>(state_->threads);
  const Result<void> opened = socket->open(
      at, [state = state_.get()](const net::SocketAddress& from, std::string_view bytes) {
        state->received(from, bytes);
      });
  if (!opened) return fail(opened.error());
  const std::uint16_t port = socket->local().port;
  state_->socket.with([&](auto& open) { open = std::move(socket); });
  return port;
}

void Datagrams::send(const std::string& address, std::string bytes) {
  if (state_->guard) bytes = state_->guard->seal(bytes);
  if (const auto place = state_->known(address, state_->clock.now())) {
    return state_->send(*place, bytes);
  }
  const Result<net::HostPort> where = net::parse_host_port(address);
  if (!where) return TransportMetrics::count(state_->metrics->datagrams_dropped);
  state_->resolver.resolve(
      *where, [weak = std::weak_ptr(state_), address, bytes = std::move(bytes)](const auto& all) {
        if (const auto state = weak.lock()) state->found(address, all, bytes);
      });
}

void Datagrams::stop() {
  const auto socket = state_->socket.with([](auto& open) { return std::exchange(open, nullptr); });
  if (socket) socket->close();
}

}  // namespace troupe::transport

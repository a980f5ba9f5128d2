#include "runtime/net/http_server.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "runtime/base/check.h"
#include "runtime/net/http_connection.h"
#include "runtime/net/listener.h"
#include "runtime/net/resolver.h"

namespace troupe::net {
namespace {

constexpr auto kLastRequests = std::chrono::milliseconds(150);

}  // namespace

HttpResponder& HttpResponder::operator=(HttpResponder&& other) noexcept {
  std::swap(sink_, other.sink_);
  return *this;
}

HttpResponder::~HttpResponder() {
  if (sink_) sink_->abandon();
}

void HttpResponder::operator()(HttpResponse response) {
  check(sink_ != nullptr, "a request is answered once");
  std::exchange(sink_, nullptr)->respond(std::move(response));
}

struct HttpServer::State {
  State(IoThreads& the_threads, Log the_log, HttpServerOptions options, HttpHandler& handler)
      : threads(the_threads),
        log(the_log),
        service(std::make_shared<HttpService>(std::move(options), handler)) {
    for (std::size_t i = 0; i < threads.size(); ++i) {
      groups.push_back(std::make_shared<HttpConnectionGroup>(threads.thread(i), service));
    }
  }

  Result<void> listen(const std::string& address) {
    const bool everywhere = address.empty();
    std::vector<SocketAddress> found = {parse_numeric_host("::", port).value()};
    if (!everywhere) {
      const auto numeric = parse_numeric_host(address, port);
      auto resolved = numeric ? std::vector<SocketAddress>{*numeric}
                              : resolve_now({.host = address, .port = port});
      if (!resolved) {
        return fail(Code::kUnavailable, "cannot listen on " + address + ":" + std::to_string(port) +
                                            ": " + resolved.error().message);
      }
      found = *std::move(resolved);
    }
    for (SocketAddress at : found) {
      at.port = port;
      auto listener = Listener::tcp(threads.thread(0), at, everywhere);
      if (!listener && everywhere) {  // a machine without IPv6
        const auto ipv4 = parse_numeric_host("0.0.0.0", port).value();
        auto other = Listener::tcp(threads.thread(0), ipv4, false);
        if (other) listener = std::move(other);
      }
      if (!listener) return fail(listener.error());
      port = listener->local().port;
      listeners.push_back(*std::move(listener));
    }
    return {};
  }

  Result<void> listen_everywhere() {
    port = service->options.port;
    for (const std::string& address : service->options.addresses) {
      const auto listening = listen(address);
      if (!listening) return listening;
    }
    if (!service->options.unix_path.empty()) {
      auto listener = Listener::unix_domain(threads.thread(0), service->options.unix_path);
      if (!listener) return fail(listener.error());
      listeners.push_back(*std::move(listener));
    }
    return {};
  }

  IoThreads& threads;
  Log log;
  std::shared_ptr<HttpService> service;
  std::vector<std::shared_ptr<HttpConnectionGroup>> groups;
  std::vector<Listener> listeners;
  std::uint16_t port = 0;
  std::size_t next_group = 0;  // on the acceptors' thread
};

HttpServer::HttpServer(IoThreads& threads, Log log, HttpServerOptions options, HttpHandler& handler)
    : state_(std::make_shared<State>(threads, log, std::move(options), handler)) {}

HttpServer::~HttpServer() { stop(Duration::zero()); }

Result<void> HttpServer::start() {
  Result<void> listening = state_->listen_everywhere();
  if (!listening) {
    state_->listeners.clear();
    return listening;
  }
  for (Listener& listener : state_->listeners) {
    listener.start([state = state_.get()](int socket, const SocketAddress& peer) {
      const auto& group = state->groups[state->next_group++ % state->groups.size()];
      group->thread->post([group, socket, peer] { group->open(socket, peer); });
    });
    state_->log.info("serving HTTP", {{"address", to_string(listener.local())}});
  }
  return {};
}

std::uint16_t HttpServer::port() const { return state_->port; }

void HttpServer::stop(Duration patience) {
  state_->listeners.clear();
  // A request may be on its way on what looks idle from here. Closed at once, its client could not
  // know whether it ran: for a moment those that come are answered, and told that they are the
  // last.
  for (const auto& group : state_->groups) {
    group->thread->run([&] { group->announce_end(); });
  }
  std::promise<void> never;
  if (connections() > 0) never.get_future().wait_for(std::min<Duration>(patience, kLastRequests));
  std::vector<std::future<void>> drained;
  for (const auto& group : state_->groups) {
    auto empty = std::make_shared<std::promise<void>>();
    drained.push_back(empty->get_future());
    group->thread->run([&] { group->drain(empty); });
  }
  bool in_time = true;
  Duration left = patience;
  for (const auto& future : drained) {
    in_time =
        future.wait_for(in_time ? left : Duration::zero()) == std::future_status::ready && in_time;
  }
  if (!in_time && patience > Duration::zero()) {
    state_->log.warning("closed HTTP connections before their answers were complete",
                        {{"connections", state_->service->connections.load()}});
  }
  for (const auto& group : state_->groups) {
    group->thread->run([&] { group->close_all(); });
  }
}

std::size_t HttpServer::connections() const { return state_->service->connections.load(); }

}  // namespace troupe::net

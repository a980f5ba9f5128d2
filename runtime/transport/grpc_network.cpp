#include "runtime/transport/grpc_network.h"

#include <atomic>
#include <future>
#include <optional>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/executor.h"
#include "runtime/base/random.h"
#include "runtime/net/listening_place.h"
#include "runtime/net/socket_address.h"
#include "runtime/transport/datagrams.h"
#include "runtime/transport/introducer.h"
#include "runtime/transport/links.h"
#include "runtime/transport/peer_server.h"

namespace troupe::transport {
namespace {

// A port that is free for streams may be taken for datagrams.
constexpr int kAnyPortTries = 16;
// gRPC ends what is cancelled at once; waiting longer would hide a bug.
constexpr Duration kCancelPatience = std::chrono::seconds(30);

// Runs `work` on `loop`, and returns when it is done.
void run_on(Loop& loop, Work work) {
  std::promise<void> done;
  const std::future<void> is_done = done.get_future();
  loop.post([work = std::move(work), done = std::move(done)]() mutable {
    work();
    done.set_value();
  });
  is_done.wait();
}

}  // namespace

struct GrpcNetwork::State final : PeerServer::Host {
  State(const Dependencies& dependencies, TransportOptions the_options)
      : options(std::move(the_options)),
        threads(dependencies.threads),
        clock(dependencies.clock),
        log(dependencies.log),
        listener(dependencies.listener),
        loop_owner(std::make_shared<Loop>(clock, "transport")),
        loop(*loop_owner),
        live(loop_owner),
        writer(clock, "transport-write"),
        introducer(options, live),
        datagrams(threads, dependencies.resolver, clock, listener, options.datagram_guard, metrics),
        server({.clock = clock,
                .undertaker = loop_owner,
                .host = *this,
                .listener = listener,
                .log = log,
                .metrics = *metrics}) {
    keep_grpc();
  }

  Greeting greeting(Lane lane, NodeId expected) override {
    return {.hello = listener.hello(),
            .address = address,
            .lane = lane,
            .expected = expected,
            .process = process};
  }
  std::optional<std::string> outdated(const Greeting& peer) override {
    return newest.with([&](NewestProcesses& all) { return all.refusal(peer); });
  }
  void later(Duration delay, Work work) override {
    loop.post_at(clock.now() + delay, std::move(work));
  }
  void incoming_began(const Greeting& peer) override {
    loop.post([this, peer] { links->incoming_began(peer); });
  }
  void incoming_lost(NodeId peer, Lane lane) override {
    loop.post([this, peer, lane] { links->incoming_lost(peer, lane); });
  }

  Result<std::uint16_t> listen() {
    const Result<net::SocketAddress> at =
        net::listening_place(threads, {options.host, options.port});
    if (!at) return fail(at.error());
    const Result<std::uint16_t> receiving = datagrams.start(*at);
    if (!receiving) return fail(receiving.error());
    // Said in greetings from the first stream on.
    if (options.advertised.empty()) address = to_string(net::HostPort{options.host, at->port});
    Result<std::uint16_t> listening = server.start(*at, credentials, options);
    if (!listening) datagrams.stop();
    return listening;
  }

  Result<void> start() {
    credentials = make_credentials(options);
    Result<std::uint16_t> listening = listen();
    for (int i = 1; !listening && options.port == 0 && i < kAnyPortTries; ++i) listening = listen();
    if (!listening) return fail(listening.error());
    port = *listening;
    introducer.use(server.queue());
    const StreamWorld streams{.queue = server.queue(),
                              .writers = {.now = writer, .soon = gather},
                              .metrics = *metrics,
                              .live = live};
    links = std::make_shared<Links>(Links::World{.streams = streams,
                                                 .executor = loop,
                                                 .clock = clock,
                                                 .log = log,
                                                 .listener = listener,
                                                 .host = *this,
                                                 .options = options,
                                                 .routes = routes,
                                                 .credentials = credentials});
    server.accept();
    return {};
  }

  bool send(NodeId to, Lane lane, std::string frame, Haste haste) {
    const auto stream = routes.with([&](auto& all) -> std::shared_ptr<OutgoingStream> {
      const auto found = all.find(to);
      return found == all.end() ? nullptr : found->second[lane];
    });
    if (!stream) return false;
    const bool taken = stream->send(std::move(frame), haste);
    if (!taken) TransportMetrics::count(metrics->frames_refused);
    return taken;
  }

  void stop() {
    if (stopped.exchange(true)) return;
    introducer.stop();
    if (links) run_on(loop, [this] { links->finish(); });
    const bool drained = live.wait(options.stop_patience);
    if (links) run_on(loop, [this] { links->cancel(); });
    check(drained || live.wait(kCancelPatience), "cancelled streams end");
    routes.with([](auto& all) { all.clear(); });
    datagrams.stop();
    server.stop();
    loop.stop();
    writer.stop();
  }

  const TransportOptions options;
  net::IoThreads& threads;
  Clock& clock;
  const Log log;
  NetworkListener& listener;
  const std::shared_ptr<TransportMetrics> metrics = std::make_shared<TransportMetrics>();
  const std::uint64_t process = random_seed();
  const std::shared_ptr<Loop> loop_owner;
  Loop& loop;
  LiveCount live;
  Guarded<NewestProcesses> newest;
  Routes routes;
  Credentials credentials;
  std::atomic<bool> stopped = false;
  std::uint16_t port = 0;
  std::string address = options.advertised;
  Loop writer;
  std::function<void(Work)> gather;
  std::shared_ptr<Links> links;
  Introducer introducer;
  Datagrams datagrams;
  PeerServer server;
};

GrpcNetwork::GrpcNetwork(const Dependencies& dependencies, TransportOptions options)
    : state_(std::make_shared<State>(dependencies, std::move(options))) {}

GrpcNetwork::~GrpcNetwork() { stop(); }

void GrpcNetwork::gather_by(std::function<void(Work)> post) { state_->gather = std::move(post); }
Result<void> GrpcNetwork::start() { return state_->start(); }
void GrpcNetwork::stop() { state_->stop(); }
std::uint16_t GrpcNetwork::port() const { return state_->port; }
const std::string& GrpcNetwork::address() const { return state_->address; }
const TransportMetrics& GrpcNetwork::metrics() const { return *state_->metrics; }

void GrpcNetwork::know(NodeId node, std::string address) {
  state_->loop.post(
      [links = state_->links, node, address = std::move(address)] { links->know(node, address); });
}

void GrpcNetwork::forget(NodeId node) {
  state_->routes.with([&](auto& routes) { routes.erase(node); });
  state_->loop.post([links = state_->links, node] { links->forget(node); });
}

bool GrpcNetwork::send(NodeId to, Lane lane, std::string frame) {
  return state_->send(to, lane, std::move(frame), Haste::kNow);
}

bool GrpcNetwork::send_soon(NodeId to, Lane lane, std::string frame) {
  return state_->send(to, lane, std::move(frame), Haste::kSoon);
}

void GrpcNetwork::introduce(const std::string& address, std::string question,
                            Done<std::string> done) {
  state_->introducer.ask(state_->credentials, address, std::move(question), std::move(done));
}

void GrpcNetwork::send_datagram(const std::string& address, std::string bytes) {
  state_->datagrams.send(address, std::move(bytes));
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  const Result<net::SocketAddress> address = net::parse_numeric_host(host, 0);
  return address && address->is_loopback();
}

}  // namespace troupe::transport

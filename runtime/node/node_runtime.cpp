#include "runtime/node/node_runtime.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>
#include <optional>
#include <utility>

#include "actors/activation/blocking_scheduler.h"
#include "actors/activation/caf_scheduler.h"
#include "actors/directory/actors.h"
#include "actors/turns/effects.h"
#include "runtime/api/api.h"
#include "runtime/api/grpc/grpc_api.h"
#include "runtime/api/http/http_api.h"
#include "runtime/base/guarded.h"
#include "runtime/cluster/cluster.h"
#include "runtime/net/http_server.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/node/app_beside.h"
#include "runtime/node/client_router.h"
#include "runtime/node/cluster_calls.h"
#include "runtime/node/discovery.h"
#include "runtime/node/hosted_actors.h"
#include "runtime/node/listener_relay.h"
#include "runtime/node/loaded_components.h"
#include "runtime/node/node_metrics.h"
#include "runtime/node/run_queue.h"
#include "runtime/node/side_listeners.h"
#include "runtime/node/store.h"
#include "runtime/security/datagram_seal.h"
#include "runtime/security/node_identity.h"
#include "runtime/transport/grpc_network.h"

namespace troupe::node {
namespace {

constexpr auto kAnswerPatience = std::chrono::seconds(2);
constexpr auto kResourcesInterval = std::chrono::seconds(1);

Result<transport::TransportOptions> transport_options(const NodeSettings& settings, WallTime now) {
  const auto listen = placement::parse_address(settings.listen);
  if (!listen) {
    return fail(Code::kInvalid,
                "--listen '" + settings.listen + "' is not host:port, such as 127.0.0.1:7400");
  }
  const bool in_clear = settings.cluster_key_file.empty();
  if (in_clear && !transport::is_loopback(listen->host) && !settings.insecure) {
    return fail(Code::kInvalid, "--listen " + settings.listen +
                                    " is reachable from other machines, and nothing is encrypted "
                                    "there: give every node the same --cluster-key-file, listen on "
                                    "127.0.0.1, or say --insecure");
  }
  transport::TransportOptions options;
  if (!in_clear) {
    const Result<security::ClusterKey> key = security::ClusterKey::read(settings.cluster_key_file);
    if (!key) return fail(Code::kInvalid, "--cluster-key-file: " + key.error().message);
    security::NodeIdentity identity = security::make_identity(*key, now);
    options.tls = transport::TlsIdentity{.authorities = std::move(identity.authorities),
                                         .certificate = std::move(identity.certificate),
                                         .key = std::move(identity.key),
                                         .name = security::NodeIdentity::kName};
    options.datagram_guard = std::make_shared<security::DatagramSeal>(*key);
  }
  options.host = listen->host;
  options.port = listen->port;
  options.advertised = settings.advertise;
  return options;
}

// The largest value that an actor can have saved can be restored, with what says whose it is.
constexpr std::size_t kBodyBytesMax = actors::kEntryBytesMax + (4U << 10U);

Result<net::HttpServerOptions> http_options(const std::string& flag, const std::string& address) {
  const auto listen = placement::parse_address(address);
  if (!listen) {
    return fail(Code::kInvalid,
                flag + " '" + address + "' is not host:port, such as 127.0.0.1:3500");
  }
  net::HttpServerOptions options;
  options.addresses = {listen->host};
  options.port = listen->port;
  options.body_size_max = kBodyBytesMax;
  options.error_body = [](int status, std::string_view message) {
    return api::HttpApi::refused(status, message);
  };
  return options;
}

Result<api::GrpcApiOptions> grpc_options(const NodeSettings& settings) {
  const auto listen = placement::parse_address(settings.grpc);
  if (!listen) {
    return fail(Code::kInvalid,
                "--grpc '" + settings.grpc + "' is not host:port, such as 127.0.0.1:50001");
  }
  return api::GrpcApiOptions{
      .host = listen->host, .port = listen->port, .api_token = settings.api_token};
}

}  // namespace

struct NodeRuntime::Parts {
  Parts(NodeSettings the_settings, std::vector<ActorType> the_types, Log the_log,
        std::function<void(std::optional<Error>)> the_ended)
      : settings(std::move(the_settings)),
        log(the_log),
        ended(std::move(the_ended)),
        random(random_seed()),
        loop(clock, "node"),
        timers(clock, "timers"),
        io(clock, {.threads = settings.threads}),
        scheduler({.threads = settings.threads}),
        blocking(settings.blocking_threads) {
    for (ActorType& type : the_types) {
      types.push_back(std::make_shared<const ActorType>(std::move(type)));
    }
    types.push_back(std::make_shared<const ActorType>(blocks::state::state_actor_type()));
  }

  Result<void> open_store();
  Result<void> open_network();
  Result<void> open_components();
  void watch_components();
  Result<void> open_api();
  Result<void> open_side_listeners();
  Result<void> open_grpc();
  void shut_down(bool force);
  void build_cluster(const placement::Address& address);
  void registered(Generation generation);
  void offer(std::vector<ActorType> of_app);
  void end(std::optional<Error> why);
  void close_api();

  NodeSettings settings;
  Log log;
  std::function<void(std::optional<Error>)> ended;
  std::vector<std::shared_ptr<const ActorType>> types;
  SystemClock clock;
  Random random;  // the node loop's
  Loop loop;
  Loop timers;
  net::IoThreads io;
  net::Resolver resolver;
  actors::CafScheduler scheduler;
  actors::BlockingScheduler blocking;
  // What comes in for actors, and what they have to say to other nodes.
  RunQueue for_actors{scheduler, timers, clock, RunQueue::Place::kNext};
  RunQueue behind_actors{scheduler, timers, clock, RunQueue::Place::kBehind};
  std::optional<Discovery> discovery;
  std::unique_ptr<Store> store;
  ListenerRelay relay;
  std::unique_ptr<transport::GrpcNetwork> network;
  std::unique_ptr<cluster::Cluster> cluster;
  ClusterCalls calls;
  std::optional<LoadedComponents> components;
  std::optional<Loop> resources;  // follows the files of resources
  std::unique_ptr<api::Api> api;
  std::optional<NodeMetrics> metrics;
  std::unique_ptr<MetricsEndpoint> endpoint;
  std::unique_ptr<net::HttpServer> http;
  SideListeners side_listeners;
  std::unique_ptr<api::GrpcApi> grpc;
  std::unique_ptr<actors::Actors> actors;
  std::unique_ptr<HostedActors> hosted;
  std::unique_ptr<AppBeside> app;
  std::promise<void> ready;
  std::shared_future<void> is_ready{ready.get_future()};
  std::atomic<bool> has_ended{false};
  bool stopped = false;
};

NodeRuntime::NodeRuntime(NodeSettings settings, std::vector<ActorType> types, Log log,
                         std::function<void(std::optional<Error>)> ended)
    : parts_(
          std::make_unique<Parts>(std::move(settings), std::move(types), log, std::move(ended))) {
  // A peer or client that goes away is an error of a write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
}

NodeRuntime::~NodeRuntime() { stop(); }

Result<void> NodeRuntime::start() {
  Parts& parts = *parts_;
  for (Result<void> (Parts::*step)() :
       {&Parts::open_store, &Parts::open_network, &Parts::open_components, &Parts::open_api,
        &Parts::open_side_listeners, &Parts::open_grpc}) {
    const Result<void> opened = (parts.*step)();
    if (!opened) return opened;
  }
  parts.cluster->start([&parts](Generation generation) { parts.registered(generation); });
  return {};
}

Result<void> NodeRuntime::Parts::open_store() {
  Result<std::unique_ptr<Store>> opened =
      settings.data_directory.empty()
          ? Store::in_memory(random, loop, clock)
          : Store::open(settings.data_directory, random, loop, clock, log.named("storage"));
  if (!opened) return fail(opened.error());
  store = std::move(*opened);
  return {};
}

Result<void> NodeRuntime::Parts::open_network() {
  Result<transport::TransportOptions> options = transport_options(settings, clock.wall());
  if (!options) return fail(options.error());
  const transport::GrpcNetwork::Dependencies dependencies{.threads = io,
                                                          .resolver = resolver,
                                                          .clock = clock,
                                                          .log = log.named("transport"),
                                                          .listener = relay};
  network = std::make_unique<transport::GrpcNetwork>(dependencies, *std::move(options));
  network->gather_by([this](Work work) { behind_actors.post(std::move(work)); });
  Result<void> listening = network->start();
  if (!listening) return listening;
  const auto address = placement::parse_address(network->address());
  if (!address) {
    return fail(Code::kInvalid, "--advertise '" + settings.advertise + "' is not host:port");
  }
  if (settings.discover && settings.join.empty() && settings.bootstrap_expect == 0) {
    discovery.emplace(settings.cluster_name);
    settings.join = discovery->others();
    // Somebody runs already: then this node joins, whatever it finds in its own directory.
    settings.bootstrap_expect = settings.join.empty() ? 1 : 0;
  } else if (settings.join.empty() && settings.bootstrap_expect == 0) {
    settings.bootstrap_expect = 1;
  }
  build_cluster(*address);
  relay.forward_to(cluster.get());
  if (discovery) discovery->announce(network->address());
  return {};
}

void NodeRuntime::Parts::build_cluster(const placement::Address& address) {
  cluster::ClusterOptions options;
  options.self.id = store->node();
  options.self.address = address;
  options.self.zone = settings.zone;
  options.self.weight = settings.weight;
  options.self.storage = settings.storage;
  options.self.app_id = settings.app_id;
  if (settings.takeover_by_evidence) options.takeover = cluster::Takeover::kEvidence;
  options.snapshots.bytes_per_second =
      std::uint64_t{settings.copy_megabytes_per_second} * 1'000'000;
  options.founding = {.self = store->node(),
                      .address = to_string(address),
                      .seeds = settings.join,
                      .expect = settings.bootstrap_expect,
                      .shard_count = settings.shards};
  cluster = std::make_unique<cluster::Cluster>(
      std::move(options), cluster::Cluster::Dependencies{
                              .clock = clock,
                              .loop = loop,
                              .network = *network,
                              .disk = store->disk(),
                              .random = random,
                              .log = log.named("cluster"),
                              .fatal = [this](const Error& error) { end(error); },
                              .joined =
                                  [this](const std::string& id) {
                                    const Result<void> expected = store->expect_cluster(id);
                                    if (!expected) return end(expected.error());
                                    // The node loop waits for no disk.
                                    timers.post([this, id] {
                                      const Result<void> noted = store->joined(id);
                                      if (!noted) end(noted.error());
                                    });
                                  },
                              .hand_on = [this](Work work) { for_actors.post(std::move(work)); },
                              .gather = [this](Work work) { behind_actors.post(std::move(work)); },
                              .scheduler = &scheduler});
}

Result<void> NodeRuntime::Parts::open_components() {
  components.emplace(
      blocks::state::StoreSurroundings{
          .clock = clock, .timers = timers, .calls = calls, .log = log.named("components")},
      LoadedComponents::Options{.app_id = settings.app_id,
                                .folders = settings.resources_paths,
                                .configurations = settings.configurations});
  Result<void> loaded = components->load();
  if (!loaded || settings.resources_paths.empty()) return loaded;
  resources.emplace(clock, "resources");
  watch_components();
  return {};
}

void NodeRuntime::Parts::watch_components() {
  resources->post_at(clock.now() + kResourcesInterval, [this] {
    if (components->outdated()) components->reload();
    watch_components();
  });
}

Result<void> NodeRuntime::Parts::open_api() {
  api = std::make_unique<api::Api>(
      api::ApiDependencies{.cluster = *cluster,
                           .loop = loop,
                           .clock = clock,
                           .log = log.named("api"),
                           .shutdown = [this](bool force) { shut_down(force); },
                           .stores = &components->stores(),
                           .components = &*components},
      api::ApiOptions{.app_id = settings.app_id,
                      .api_token = settings.api_token,
                      .app = app_connection(settings)});
  metrics.emplace(MetricLabels{{"app_id", settings.app_id}});
  metrics->watch(network->metrics());
  metrics->watch(cluster->replicas().snapshots());
  endpoint = std::make_unique<MetricsEndpoint>(*metrics, api->admin(), api->http());
  if (settings.http.empty()) return {};
  Result<net::HttpServerOptions> options = http_options("--http", settings.http);
  if (!options) return fail(options.error());
  http = std::make_unique<net::HttpServer>(io, log.named("http"), std::move(*options), *endpoint);
  return http->start();
}

Result<void> NodeRuntime::Parts::open_side_listeners() {
  return side_listeners.start(settings, io, log.named("http"), *endpoint, http_options);
}

Result<void> NodeRuntime::Parts::open_grpc() {
  if (settings.grpc.empty()) return {};
  Result<api::GrpcApiOptions> options = grpc_options(settings);
  if (!options) return fail(options.error());
  grpc = std::make_unique<api::GrpcApi>(
      api::GrpcApi::Dependencies{.service = api->service(),
                                 .clock = clock,
                                 .threads = io,
                                 .log = log.named("grpc"),
                                 .shutdown = [this](bool force) { shut_down(force); }},
      std::move(*options));
  return grpc->start();
}

// Asked for by a caller of the API.
void NodeRuntime::Parts::shut_down(bool force) {
  if (force) std::_Exit(1);
  end(std::nullopt);
}

// On the node loop.
void NodeRuntime::Parts::registered(Generation /*generation*/) {
  actors = std::make_unique<actors::Actors>(actors::ActorsDependencies{.clock = clock,
                                                                       .shards = *cluster,
                                                                       .router = cluster->router(),
                                                                       .scheduler = scheduler,
                                                                       .blocking = blocking,
                                                                       .timers = timers,
                                                                       .ids = cluster->ids(),
                                                                       .log = log.named("actors")},
                                            types);
  hosted = std::make_unique<HostedActors>(*actors);
  actors->start();
  if (metrics) metrics->watch(*actors);
  std::vector<std::string> names;
  names.reserve(types.size());
  for (const auto& type : types) names.push_back(type->name);
  cluster->host(*hosted, names);
  std::erase(names, blocks::state::kStateActorType);
  calls.serve(*cluster);
  api->serve(*actors, names);
  if (settings.app_port != 0) {
    app = std::make_unique<AppBeside>(settings, AppBeside::Dependencies{.clock = clock,
                                                                        .executor = loop,
                                                                        .threads = io,
                                                                        .resolver = resolver,
                                                                        .log = log.named("app")});
    app->start([this](std::vector<ActorType> of_app) { offer(std::move(of_app)); });
  }
  if (http) {
    cluster->update_self([port = http->port()](placement::Member& self) { self.http_port = port; });
  }
  if (grpc) {
    cluster->update_self([port = grpc->port()](placement::Member& self) { self.grpc_port = port; });
  }
  ready.set_value();
}

// On the node loop. What both define is the program's own.
void NodeRuntime::Parts::offer(std::vector<ActorType> of_app) {
  std::vector<std::shared_ptr<const ActorType>> all = types;
  std::vector<std::string> names;
  std::vector<std::string> outside;
  names.reserve(types.size() + of_app.size());
  for (const auto& type : types) names.push_back(type->name);
  for (ActorType& type : of_app) {
    if (std::ranges::find(names, type.name) != names.end()) {
      log.error("the app has an actor type that this program has, too", {{"type", type.name}});
      continue;
    }
    outside.push_back(type.name);
    all.push_back(std::make_shared<const ActorType>(std::move(type)));
  }
  names.insert(names.end(), outside.begin(), outside.end());
  std::ranges::sort(outside);
  actors->set_types(std::move(all));
  cluster->offer(names);
  std::erase(names, blocks::state::kStateActorType);
  api->offer(std::move(names), std::move(outside));
}

void NodeRuntime::Parts::end(std::optional<Error> why) {
  if (has_ended.exchange(true)) return;
  if (why) log.error("the node cannot go on", {{"error", why->message}});
  ended(std::move(why));
}

void NodeRuntime::Parts::close_api() {
  if (http) http->stop(kAnswerPatience);
  if (grpc) grpc->stop(kAnswerPatience);
  if (resources) resources->stop();
  if (components) components->stop();
}

bool NodeRuntime::wait_ready(Duration patience) {
  return parts_->is_ready.wait_for(patience) == std::future_status::ready;
}

bool NodeRuntime::settled() const { return parts_->api && parts_->api->service().settled(); }

// The last part built is the first to go; the peers' listener closes last of what others see.
void NodeRuntime::stop() {
  Parts& parts = *parts_;
  if (std::exchange(parts.stopped, true)) return;
  parts.has_ended = true;
  if (parts.discovery) parts.discovery->withdraw();
  parts.side_listeners.stop(kAnswerPatience);
  // Turns of an app that are to end may need the API for it.
  const bool api_first = parts.app == nullptr;
  if (api_first) parts.close_api();
  if (parts.cluster) {
    const auto handed_over = std::make_shared<std::promise<void>>();
    parts.cluster->stop([handed_over] { handed_over->set_value(); });
    handed_over->get_future().wait_for(parts.settings.stop_patience);
  }
  if (parts.actors) {
    const auto over = std::make_shared<std::promise<void>>();
    parts.actors->stop(parts.clock.now() + parts.settings.stop_patience,
                       [over] { over->set_value(); });
    over->get_future().wait_for(parts.settings.stop_patience + kAnswerPatience);
  }
  if (!api_first) parts.close_api();
  if (parts.app) parts.app->stop();
  if (parts.network) parts.network->stop();
  parts.relay.forward_to(nullptr);
  parts.timers.stop();
  parts.scheduler.stop();
  parts.blocking.stop();
  parts.loop.stop();
  if (parts.metrics) parts.metrics->forget();
  parts.grpc.reset();
  parts.side_listeners.clear();
  parts.api.reset();
  parts.http.reset();
  parts.hosted.reset();
  parts.actors.reset();
  parts.app.reset();
  parts.cluster.reset();
  parts.network.reset();
  parts.store.reset();
  parts.io.stop();
}

std::string NodeRuntime::peer_address() const { return parts_->network->address(); }

std::string NodeRuntime::http_address() const {
  if (!parts_->http) return {};
  const auto listen = placement::parse_address(parts_->settings.http);
  return to_string(placement::Address{.host = listen->host, .port = parts_->http->port()});
}

std::string NodeRuntime::grpc_address() const {
  if (!parts_->grpc) return {};
  const auto listen = placement::parse_address(parts_->settings.grpc);
  return to_string(placement::Address{.host = listen->host, .port = parts_->grpc->port()});
}

std::string NodeRuntime::status() const {
  auto answer = std::make_shared<std::promise<std::string>>();
  auto status = answer->get_future();
  parts_->loop.post([&parts = *parts_, answer] { answer->set_value(parts.cluster->status()); });
  if (status.wait_for(kAnswerPatience) != std::future_status::ready) return "does not answer";
  return status.get();
}

std::shared_ptr<ClientTransport> NodeRuntime::client_transport() {
  return std::make_shared<ClientRouter>(parts_->clock, parts_->cluster->router(),
                                        parts_->cluster->ids());
}

}  // namespace troupe::node

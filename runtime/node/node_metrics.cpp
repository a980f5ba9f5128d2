#include "runtime/node/node_metrics.h"

#include <atomic>
#include <utility>

namespace troupe::node {

void NodeMetrics::counter(const char* name, const char* help, Read read) {
  readings_.push_back(metrics_.on_read(MetricKind::kCounter, name, help,
                                       [read = std::move(read)]() -> std::vector<MetricSample> {
                                         return {{.labels = {}, .value = read()}};
                                       }));
}

void NodeMetrics::watch(const actors::Actors& actors) {
  struct Named {
    const char* name;
    const char* help;
    actors::Metrics::Counter actors::Metrics::* value;
  };
  using M = actors::Metrics;
  static constexpr Named kCounters[] = {
      {"troupe_activations_begun_total", "Activations begun.", &M::activations_begun},
      {"troupe_activations_ended_total", "Activations ended.", &M::activations_ended},
      {"troupe_loads_total", "States loaded, at activation or after a failed turn.", &M::loads},
      {"troupe_turns_total", "Turns begun.", &M::turns_begun},
      {"troupe_turns_failed_total", "Turns whose code threw.", &M::turns_failed},
      {"troupe_turns_timed_out_total", "Turns aborted after their deadline.", &M::turns_timed_out},
      {"troupe_turns_overrun_total", "Turns the watchdog reported.", &M::turns_overrun},
      {"troupe_turns_stuck_total", "Turns given up with their thread.", &M::turns_stuck},
      {"troupe_calls_expired_total", "Calls dropped unrun after their deadline.",
       &M::calls_expired},
      {"troupe_calls_exhausted_total", "Calls refused by full mailboxes.", &M::calls_exhausted},
      {"troupe_calls_deadlocked_total", "Calls refused because they would wait for themselves.",
       &M::calls_deadlocked},
      {"troupe_calls_not_owned_total", "Calls that came to a node that is not the owner.",
       &M::calls_not_owned},
      {"troupe_commits_total", "Turns' effects proposed to their shard.", &M::commits},
      {"troupe_recalls_total", "Repeated calls whose shard was asked for an earlier effect.",
       &M::recalls},
      {"troupe_commits_consumed_total", "Commits whose cause had had its effect before.",
       &M::commits_consumed},
      {"troupe_commits_refused_total", "Commits refused by a condition.", &M::commits_refused},
      {"troupe_commits_lost_total", "Commits of a replaced owner, or of unknown outcome.",
       &M::commits_lost},
      {"troupe_ticks_given_up_total", "Reminder ticks dropped by their failure policy.",
       &M::ticks_given_up},
      {"troupe_one_way_given_up_total", "One-way messages consumed without effect.",
       &M::one_way_given_up},
  };
  const M& metrics = actors.metrics();
  for (const Named& each : kCounters) {
    counter(each.name, each.help,
            [&value = metrics.*each.value] { return static_cast<double>(value.load()); });
  }
  readings_.push_back(metrics_.on_read(
      MetricKind::kGauge, "troupe_activations", "Activations in memory, by actor type.", [&actors] {
        std::vector<MetricSample> samples;
        for (const auto& [type, count] : actors.counts()) {
          samples.push_back({.labels = {{"type", type}}, .value = static_cast<double>(count)});
        }
        return samples;
      }));
}

void NodeMetrics::watch(const transport::TransportMetrics& transport) {
  counters({
      {"troupe_frames_sent_total", "Frames sent to other nodes.", &transport.frames_sent},
      {"troupe_frames_received_total", "Frames received.", &transport.frames_received},
      {"troupe_peer_bytes_sent_total", "Bytes sent to other nodes.", &transport.bytes_sent},
      {"troupe_peer_bytes_received_total", "Bytes received.", &transport.bytes_received},
      {"troupe_frames_refused_total", "Frames refused by a full queue.", &transport.frames_refused},
      {"troupe_peer_connects_total", "Connections to other nodes.", &transport.connects},
      {"troupe_peer_disconnects_total", "Connections lost.", &transport.disconnects},
      {"troupe_strangers_refused_total", "Connections refused: another cluster or version.",
       &transport.strangers_refused},
      {"troupe_datagrams_sent_total", "Gossip datagrams sent.", &transport.datagrams_sent},
      {"troupe_datagrams_received_total", "Gossip datagrams received.",
       &transport.datagrams_received},
      {"troupe_datagrams_refused_total", "Datagrams that no member of the cluster sealed.",
       &transport.datagrams_refused},
  });
}

void NodeMetrics::watch(const cluster::SnapshotMetrics& snapshots) {
  counters({
      {"troupe_snapshots_sent_total", "Snapshots of shards that other nodes have installed.",
       &snapshots.sent},
      {"troupe_snapshot_sends_failed_total", "Snapshots that did not get to the other node.",
       &snapshots.sends_failed},
      {"troupe_snapshot_bytes_sent_total", "Bytes of snapshots that other nodes have taken.",
       &snapshots.bytes_sent},
      {"troupe_snapshots_received_total", "Snapshots of shards that came whole.",
       &snapshots.received},
      {"troupe_snapshot_receives_failed_total", "Snapshots that were given up on their way here.",
       &snapshots.receives_failed},
      {"troupe_snapshot_bytes_received_total", "Bytes of snapshots received.",
       &snapshots.bytes_received},
  });
}

void NodeMetrics::counters(std::initializer_list<Named> all) {
  for (const Named& each : all) {
    counter(each.name, each.help, [value = each.value] {
      return static_cast<double>(value->load(std::memory_order_relaxed));
    });
  }
}

void NodeMetrics::watch_cluster() {
  using F = api::StatusFacts;
  struct Named {
    MetricKind kind;
    const char* name;
    const char* help;
    std::uint64_t F::* value;
  };
  static constexpr Named kFacts[] = {
      {MetricKind::kGauge, "troupe_shards_without_leader", "Shards that nobody leads, as it knows.",
       &F::shards_without_leader},
      {MetricKind::kGauge, "troupe_shards_under_replicated",
       "Shards with fewer replicas on nodes that answer than wanted, as it knows.",
       &F::shards_under_replicated},
      {MetricKind::kGauge, "troupe_replicas", "Replicas here.", &F::replicas_here},
      {MetricKind::kGauge, "troupe_shards_led", "Shards led from here.", &F::leaders_here},
      {MetricKind::kGauge, "troupe_replica_lag_entries",
       "Committed entries that a replica lacks: the most, of shards led from here.", &F::lag},
      {MetricKind::kGauge, "troupe_calls_out", "Calls from here on their way to other nodes.",
       &F::calls_out},
      {MetricKind::kGauge, "troupe_deliveries_out",
       "Ticks and messages of shards led from here on their way.", &F::deliveries_out},
      {MetricKind::kCounter, "troupe_elections_won_total",
       "How often a replica here became its shard's leader.", &F::elections_won},
  };
  for (const Named& each : kFacts) {
    readings_.push_back(metrics_.on_read(
        each.kind, each.name, each.help, [this, value = each.value]() -> std::vector<MetricSample> {
          return {{.labels = {}, .value = cluster_.with([&](const F& facts) {
                     return static_cast<double>(facts.*value);
                   })}};
        }));
  }
  readings_.push_back(metrics_.on_read(
      MetricKind::kGauge, "troupe_nodes", "Nodes of the cluster, as it sees them.",
      [this]() -> std::vector<MetricSample> {
        const F facts = cluster_.with([](const F& now) { return now; });
        const auto sample = [](const char* status, std::uint64_t count) {
          return MetricSample{.labels = {{"status", status}}, .value = static_cast<double>(count)};
        };
        return {sample("alive", facts.nodes_alive), sample("suspect", facts.nodes_suspect),
                sample("dead", facts.nodes_dead), sample("draining", facts.nodes_draining)};
      }));
}

void NodeMetrics::set(api::StatusFacts facts) {
  cluster_.with([&](api::StatusFacts& now) { now = std::move(facts); });
}

void MetricsEndpoint::handle(net::HttpRequest request, net::HttpResponder respond) {
  if (request.method != "GET" || request.path() != "/metrics") {
    return next_.handle(std::move(request), std::move(respond));
  }
  admin_.status_here([this, respond = std::move(respond)](Result<api::StatusFacts> facts) mutable {
    if (facts) metrics_.set(*std::move(facts));
    net::HttpResponse response;
    response.content_type = std::string(kMetricsContentType);
    response.body = Payload(metrics_.text());
    respond(std::move(response));
  });
}

}  // namespace troupe::node

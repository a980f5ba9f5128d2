#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "actors/directory/actors.h"
#include "runtime/api/admin.h"
#include "runtime/base/guarded.h"
#include "runtime/base/metrics/metrics.h"
#include "runtime/cluster/snapshot_metrics.h"
#include "runtime/net/http_server.h"
#include "runtime/transport/transport_metrics.h"

namespace troupe::node {

/// What a node counts, in Prometheus' words. Values are read when they are asked for.
class NodeMetrics {
 public:
  explicit NodeMetrics(MetricLabels constant) : metrics_(std::move(constant)) { watch_cluster(); }

  /// Each outlives the metrics, or forget() comes before its end.
  void watch(const actors::Actors& actors);
  void watch(const transport::TransportMetrics& transport);
  /// What is shown of the cluster from now on.
  void set(api::StatusFacts facts);
  void watch(const cluster::SnapshotMetrics& snapshots);
  void forget() { readings_.clear(); }

  std::string text() const { return metrics_.text(); }

 private:
  using Read = std::function<double()>;
  struct Named {
    const char* name;
    const char* help;
    const std::atomic<std::uint64_t>* value;
  };

  void counter(const char* name, const char* help, Read read);
  void watch_cluster();
  void counters(std::initializer_list<Named> all);

  Guarded<api::StatusFacts> cluster_;
  Metrics metrics_;
  std::vector<MetricReading> readings_;
};

/// Answers GET /metrics, with the cluster as it then is, and leaves every other request to the API.
class MetricsEndpoint final : public net::HttpHandler {
 public:
  /// All outlive it.
  MetricsEndpoint(NodeMetrics& metrics, api::Admin& admin, net::HttpHandler& next)
      : metrics_(metrics), admin_(admin), next_(next) {}

  void handle(net::HttpRequest request, net::HttpResponder respond) override;

 private:
  NodeMetrics& metrics_;
  api::Admin& admin_;
  net::HttpHandler& next_;
};

}  // namespace troupe::node

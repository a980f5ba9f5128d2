#pragma once

#include <memory>
#include <vector>

#include "actors/directory/actors.h"
#include "runtime/base/metrics/metrics.h"
#include "runtime/net/http_server.h"
#include "runtime/transport/transport_metrics.h"

namespace troupe::node {

/// What a node counts, in Prometheus' words. Values are read when they are asked for.
class NodeMetrics {
 public:
  explicit NodeMetrics(MetricLabels constant) : metrics_(std::move(constant)) {}

  /// Each outlives the metrics, or forget() comes before its end.
  void watch(const actors::Actors& actors);
  void watch(const transport::TransportMetrics& transport);
  void forget() { readings_.clear(); }

  std::string text() const { return metrics_.text(); }

 private:
  using Read = std::function<double()>;

  void counter(const char* name, const char* help, Read read);

  Metrics metrics_;
  std::vector<MetricReading> readings_;
};

/// Answers GET /metrics, and leaves every other request to the API.
class MetricsEndpoint final : public net::HttpHandler {
 public:
  /// Both outlive it.
  MetricsEndpoint(const NodeMetrics& metrics, net::HttpHandler& next)
      : metrics_(metrics), next_(next) {}

  void handle(net::HttpRequest request, net::HttpResponder respond) override;

 private:
  const NodeMetrics& metrics_;
  net::HttpHandler& next_;
};

}  // namespace troupe::node

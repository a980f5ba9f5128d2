#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace troupe {

/// Names of labels to their values.
using MetricLabels = std::map<std::string, std::string>;

/// Counts up, from 0. A handle, cheap to copy; lives as long as its Metrics. Thread-safe.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  /// Requires amount >= 0.
  void add(double amount = 1);
  double value() const;

 private:
  prometheus::Counter* counter_;
};

/// Goes up and down. As Counter otherwise.
class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void set(double value);
  void add(double amount);
  double value() const;

 private:
  prometheus::Gauge* gauge_;
};

/// Counts what it observes in buckets. As Counter otherwise.
class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void observe(double value);

 private:
  prometheus::Histogram* histogram_;
};

/// Upper bounds of buckets, growing; the last, infinity, is not named.
using MetricBuckets = std::vector<double>;

/// From 0.1 ms to 10 s: for latencies in seconds.
MetricBuckets latency_buckets();

enum class MetricKind : std::uint8_t { kCounter, kGauge };

/// One value of a metric that is read when it is asked for.
struct MetricSample {
  MetricLabels labels = {};
  double value = 0;
};

/// Keeps a metric that is read when asked for in the Metrics; gone with it.
class MetricReading {
 public:
  MetricReading() = default;
  explicit MetricReading(std::shared_ptr<void> kept) : kept_(std::move(kept)) {}

 private:
  std::shared_ptr<void> kept_;
};

/// What a node counts and measures, as Prometheus reads it. The only place that knows the library.
///
///     Counter calls = metrics.counter("troupe_calls_total", "Calls handled.", {{"type", "Cart"}});
///     calls.add();
///
/// The same name and labels give the same counter. One name has one kind and help text. Names and
/// labels are the programmer's: improper ones stop the process (check). Thread-safe.
class Metrics {
 public:
  /// Series of one name; beyond, all go into one whose every label value is `other`, since values
  /// such as actor types may come from outside and each series costs about 300 bytes.
  static constexpr std::size_t kSeriesMax = 2'000;

  /// `constant`: labels of every series, such as the node's.
  explicit Metrics(MetricLabels constant = {});
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter counter(const std::string& name, const std::string& help, MetricLabels labels = {});
  Gauge gauge(const std::string& name, const std::string& help, MetricLabels labels = {});
  Histogram histogram(const std::string& name, const std::string& help, MetricLabels labels = {},
                      MetricBuckets buckets = latency_buckets());

  /// Reads the values when they are asked for: on the thread that calls text(), one reading at a
  /// time, no longer once the returned handle is destroyed (which waits for one that runs). `read`
  /// must not call this object, nor wait for a thread that does.
  [[nodiscard]] MetricReading on_read(MetricKind kind, std::string name, std::string help,
                                      std::function<std::vector<MetricSample>()> read);

  /// Everything, in Prometheus' text format (kMetricsContentType). Each name appears once.
  std::string text() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace troupe

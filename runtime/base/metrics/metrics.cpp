#include "runtime/base/metrics/metrics.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "runtime/base/check.h"
#include "runtime/base/guarded.h"

namespace troupe {
namespace {

using prometheus::MetricType;

bool is_name(std::string_view text, bool colons) {
  const auto proper = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colons && c == ':');
  };
  return !text.empty() && std::ranges::all_of(text, proper) && (text[0] < '0' || text[0] > '9');
}

void check_labels(const MetricLabels& labels) {
  for (const auto& [name, value] : labels) {
    check(is_name(name, false) && !name.starts_with("__") && name != "le",
          "metric labels have proper names");
  }
}

// What has been registered under one name.
struct Named {
  MetricType type = MetricType::Untyped;
  std::string help;
  std::size_t series = 0;
  void* family = nullptr;  // prometheus::Family of the type's metric; none for what is read
};

struct Reading {
  std::string name;
  std::function<std::vector<MetricSample>()> read;
};

using Names = std::map<std::string, Named, std::less<>>;

// Readings by number, in the order made.
struct Readings {
  std::map<std::uint64_t, Reading> all;
  std::uint64_t next = 0;
};

}  // namespace

struct Metrics::State {
  explicit State(MetricLabels labels) : constant(std::move(labels)) {}

  struct Series {
    MetricType type;
    const std::string& name;
    const std::string& help;
    MetricLabels labels;
  };
  template <class Metric, class Build, class... Arguments>
  Metric& series(Build build, Series wanted, const Arguments&... arguments);
  static Named& claim(Names& names, MetricType type, const std::string& name,
                      const std::string& help);
  std::vector<prometheus::MetricFamily> read();

  const MetricLabels constant;
  prometheus::Registry registry;
  Guarded<Names> names;
  // Held while they are read, so that one that has been taken back runs no more.
  Guarded<Readings> readings;
};

Named& Metrics::State::claim(Names& names, MetricType type, const std::string& name,
                             const std::string& help) {
  check(is_name(name, true), "metrics have proper names");
  const auto [found, added] = names.try_emplace(name, Named{.type = type, .help = help});
  check(found->second.type == type && found->second.help == help,
        "one name has one kind of metric and one help text");
  return found->second;
}

template <class Metric, class Build, class... Arguments>
Metric& Metrics::State::series(Build build, Series wanted, const Arguments&... arguments) {
  auto& [type, name, help, labels] = wanted;
  check_labels(labels);
  for (const auto& [label, value] : constant) check(!labels.contains(label), "labels differ");
  return names.with([&](Names& known) -> Metric& {
    Named& named = claim(known, type, name, help);
    if (named.family == nullptr) {
      named.family = &build().Name(name).Help(help).Labels(constant).Register(registry);
    }
    auto& family = *static_cast<prometheus::Family<Metric>*>(named.family);
    if (!family.Has(labels)) {
      if (named.series >= kSeriesMax) {
        for (auto& [label, value] : labels) value = "other";
      } else {
        ++named.series;
      }
    }
    return family.Add(labels, arguments...);
  });
}

std::vector<prometheus::MetricFamily> Metrics::State::read() {
  const Names known = names.with([](const Names& all) { return all; });
  std::map<std::string, prometheus::MetricFamily> families;
  readings.with([&](const Readings& all) {
    for (const auto& [number, reading] : all.all) {
      const Named& named = known.find(reading.name)->second;
      prometheus::MetricFamily& family = families[reading.name];
      family.name = reading.name;
      family.help = named.help;
      family.type = named.type;
      for (MetricSample& sample : reading.read()) {
        if (family.metric.size() >= kSeriesMax) break;
        check_labels(sample.labels);
        sample.labels.insert(constant.begin(), constant.end());
        prometheus::ClientMetric metric;
        for (auto& [name, value] : sample.labels) metric.label.push_back({name, value});
        metric.counter.value = sample.value;
        metric.gauge.value = sample.value;
        family.metric.push_back(std::move(metric));
      }
    }
  });
  std::vector<prometheus::MetricFamily> list;
  list.reserve(families.size());
  for (auto& [name, family] : families) list.push_back(std::move(family));
  return list;
}

void Counter::add(double amount) { counter_->Increment(amount); }
double Counter::value() const { return counter_->Value(); }
void Gauge::set(double value) { gauge_->Set(value); }
void Gauge::add(double amount) { gauge_->Increment(amount); }
double Gauge::value() const { return gauge_->Value(); }
void Histogram::observe(double value) { histogram_->Observe(value); }

MetricBuckets latency_buckets() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
          0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
}

Metrics::Metrics(MetricLabels constant) : state_(std::make_shared<State>(std::move(constant))) {
  check_labels(state_->constant);
}
Metrics::~Metrics() = default;

Counter Metrics::counter(const std::string& name, const std::string& help, MetricLabels labels) {
  return Counter(state_->series<prometheus::Counter>(
      prometheus::BuildCounter,
      {.type = MetricType::Counter, .name = name, .help = help, .labels = std::move(labels)}));
}

Gauge Metrics::gauge(const std::string& name, const std::string& help, MetricLabels labels) {
  return Gauge(state_->series<prometheus::Gauge>(
      prometheus::BuildGauge,
      {.type = MetricType::Gauge, .name = name, .help = help, .labels = std::move(labels)}));
}

Histogram Metrics::histogram(const std::string& name, const std::string& help, MetricLabels labels,
                             MetricBuckets buckets) {
  check(std::ranges::is_sorted(buckets, std::less_equal<>()) || buckets.empty(),
        "the bounds of buckets grow");
  return Histogram(state_->series<prometheus::Histogram>(
      prometheus::BuildHistogram,
      {.type = MetricType::Histogram, .name = name, .help = help, .labels = std::move(labels)},
      buckets));
}

MetricReading Metrics::on_read(MetricKind kind, std::string name, std::string help,
                               std::function<std::vector<MetricSample>()> read) {
  const MetricType type = kind == MetricKind::kCounter ? MetricType::Counter : MetricType::Gauge;
  state_->names.with([&](Names& known) {
    const Named& named = State::claim(known, type, name, help);
    check(named.family == nullptr, "a metric is either kept here or read");
  });
  const std::uint64_t number = state_->readings.with([&](Readings& readings) {
    readings.all.emplace(readings.next, Reading{.name = name, .read = std::move(read)});
    return readings.next++;
  });
  const auto forget = [state = state_, number](void* /*nothing*/) {
    state->readings.with([&](Readings& readings) { readings.all.erase(number); });
  };
  return MetricReading(std::shared_ptr<void>(nullptr, forget));
}

std::string Metrics::text() const {
  std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
  for (prometheus::MetricFamily& family : state_->read()) families.push_back(std::move(family));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace troupe

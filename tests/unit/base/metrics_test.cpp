#include "runtime/base/metrics/metrics.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace troupe {
namespace {

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Metrics, CountersGaugesAndHistogramsAreShownAsPrometheusReadsThem) {
  Metrics metrics;
  Counter calls = metrics.counter("calls_total", "Calls handled.", {{"type", "Cart"}});
  calls.add();
  calls.add(2);
  Gauge active = metrics.gauge("active", "Activations in memory.");
  active.set(5);
  active.add(-1);
  metrics.histogram("seconds", "Time taken.", {}, {0.1, 1}).observe(0.5);
  const std::string text = metrics.text();
  for (const std::string line :
       {"# HELP calls_total Calls handled.\n", "# TYPE calls_total counter\n",
        "calls_total{type=\"Cart\"} 3\n", "# TYPE active gauge\n", "active 4\n",
        "# TYPE seconds histogram\n", "seconds_bucket{le=\"0.1\"} 0\n",
        "seconds_bucket{le=\"1\"} 1\n", "seconds_bucket{le=\"+Inf\"} 1\n", "seconds_count 1\n",
        "seconds_sum 0.5\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameCounter) {
  Metrics metrics;
  metrics.counter("calls_total", "Calls.", {{"a", "1"}, {"b", "2"}}).add();
  metrics.counter("calls_total", "Calls.", {{"b", "2"}, {"a", "1"}}).add();
  metrics.counter("calls_total", "Calls.", {{"a", "1"}, {"b", "3"}}).add();
  EXPECT_EQ(metrics.counter("calls_total", "Calls.", {{"a", "1"}, {"b", "2"}}).value(), 2);
  EXPECT_EQ(count(metrics.text(), "# HELP calls_total"), 1U);
}

TEST(Metrics, LabelValuesAreEscapedAndConstantLabelsAreEverywhere) {
  Metrics metrics({{"app_id", "shop"}});
  metrics.counter("calls_total", "Calls.", {{"type", "a\"b\\c\nd"}}).add();
  const MetricReading reading = metrics.on_read(MetricKind::kGauge, "shards", "Shards led.", [] {
    return std::vector<MetricSample>{{.labels = {{"zone", "x"}}, .value = 7}};
  });
  const std::string text = metrics.text();
  EXPECT_NE(text.find("type=\"a\\\"b\\\\c\\nd\""), std::string::npos) << text;
  EXPECT_NE(text.find("shards{app_id=\"shop\",zone=\"x\"} 7\n"), std::string::npos) << text;
  EXPECT_EQ(count(text, "app_id=\"shop\""), 2U) << text;
}

TEST(Metrics, WhatIsReadIsReadWhenAskedForAndNoLongerThanItsHandle) {
  Metrics metrics;
  int reads = 0;
  std::optional<MetricReading> reading =
      metrics.on_read(MetricKind::kCounter, "fsyncs_total", "Synced batches.", [&reads] {
        return std::vector<MetricSample>{{.labels = {}, .value = static_cast<double>(++reads)}};
      });
  EXPECT_EQ(reads, 0);
  EXPECT_NE(metrics.text().find("# TYPE fsyncs_total counter\nfsyncs_total 1\n"),
            std::string::npos);
  EXPECT_NE(metrics.text().find("fsyncs_total 2\n"), std::string::npos);
  reading.reset();
  EXPECT_EQ(metrics.text().find("fsyncs_total"), std::string::npos);
  EXPECT_EQ(reads, 2);
}

TEST(Metrics, SeveralReadingsOfOneNameAreOneFamily) {
  Metrics metrics;
  std::vector<MetricReading> readings;
  for (const std::string peer : {"a", "b"}) {
    readings.push_back(metrics.on_read(MetricKind::kGauge, "queue", "Waiting frames.", [peer] {
      return std::vector<MetricSample>{{.labels = {{"peer", peer}}, .value = 1}};
    }));
  }
  const std::string text = metrics.text();
  EXPECT_EQ(count(text, "# TYPE queue gauge"), 1U) << text;
  EXPECT_EQ(count(text, "queue{peer="), 2U) << text;
}

TEST(Metrics, AReadingMayOutliveTheMetrics) {
  std::optional<MetricReading> reading;
  {
    Metrics metrics;
    reading = metrics.on_read(MetricKind::kGauge, "queue", "Waiting frames.",
                              [] { return std::vector<MetricSample>{}; });
  }
  reading.reset();
}

TEST(Metrics, SeriesOfOneNameAreBounded) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kSeriesMax + 10; ++i) {
    metrics.counter("calls_total", "Calls.", {{"type", std::to_string(i)}}).add();
  }
  const std::string text = metrics.text();
  EXPECT_EQ(count(text, "calls_total{"), Metrics::kSeriesMax + 1);
  EXPECT_NE(text.find("calls_total{type=\"other\"} 10\n"), std::string::npos);
}

TEST(Metrics, ManyThreadsMayCountAtOnce) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      Counter calls = metrics.counter("calls_total", "Calls.");
      for (int call = 0; call < 1'000; ++call) calls.add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.counter("calls_total", "Calls.").value(), 4'000);
}

TEST(MetricsDeathTest, ImproperUseStopsTheProcess) {
  Metrics metrics({{"app_id", "shop"}});
  static_cast<void>(metrics.counter("calls_total", "Calls."));
  EXPECT_DEATH(metrics.gauge("calls_total", "Calls."), "one kind of metric");
  EXPECT_DEATH(metrics.counter("calls_total", "Other."), "one help text");
  EXPECT_DEATH(metrics.counter("no-name", "Calls."), "proper names");
  EXPECT_DEATH(metrics.counter("c", "Calls.", {{"a-b", "x"}}), "proper names");
  EXPECT_DEATH(metrics.counter("c", "Calls.", {{"app_id", "x"}}), "labels differ");
  EXPECT_DEATH(metrics.histogram("h", "Times.", {}, {2, 1}), "bounds of buckets grow");
}

}  // namespace
}  // namespace troupe

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace troupe::bench {

/// One line of the table: what was measured, beside its limit and its target.
struct Row {
  std::string name = {};
  std::string unit = {};
  double ours = 0;
  std::optional<double> raw = {};      // the limit, measured in the same run
  double target = 0;                   // of the ratio if there is a limit, else of `ours`
  bool at_most = true;                 // else at least
  std::optional<double> cpu = {};      // microseconds of CPU an operation, of all nodes
  std::optional<double> raw_cpu = {};  // the limit's
  std::optional<double> p50 = {};      // latency, milliseconds
  std::optional<double> p99 = {};      // likewise
  std::string failure = {};            // why there are no figures

  double compared() const { return raw ? ours / *raw : ours; }
  bool met() const {
    return failure.empty() && (at_most ? compared() <= target : compared() >= target);
  }
};

/// As one line of text, and back.
std::string to_text(const Row& row);
Row row_of(const std::string& text);

void print_header();
void print(const Row& row);

/// The middle one; requires one.
double median(std::vector<double> values);
/// At `part` of 1 from the smallest; requires one.
double quantile(std::vector<double>& values, double part);

}  // namespace troupe::bench

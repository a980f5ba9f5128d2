#include "tests/bench/node/row.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace troupe::bench {
namespace {

std::string text(const std::optional<double>& figure) {
  return figure ? std::to_string(*figure) : std::string("-");
}

std::optional<double> figure(const std::string& text) {
  if (text == "-") return {};
  return std::strtod(text.c_str(), nullptr);
}

// Three digits that count, and no more.
std::string shown(const std::optional<double>& value) {
  if (!value) return "";
  char buffer[64];
  const int digits = *value >= 100 ? 0 : *value >= 10 ? 1 : 2;
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, *value);
  return buffer;
}

}  // namespace

std::string to_text(const Row& row) {
  std::string line = row.name + '\t' + row.unit;
  for (const std::optional<double>& each :
       {std::optional(row.ours), row.raw, std::optional(row.target), row.cpu, row.raw_cpu, row.p50,
        row.p99}) {
    line += '\t' + text(each);
  }
  return line + '\t' + (row.at_most ? "at most" : "at least") + '\t' + row.failure;
}

Row row_of(const std::string& text) {
  std::istringstream line(text);
  std::vector<std::string> parts;
  for (std::string part; std::getline(line, part, '\t');) parts.push_back(part);
  parts.resize(11);
  return {.name = parts[0],
          .unit = parts[1],
          .ours = figure(parts[2]).value_or(0),
          .raw = figure(parts[3]),
          .target = figure(parts[4]).value_or(0),
          .at_most = parts[9] == "at most",
          .cpu = figure(parts[5]),
          .raw_cpu = figure(parts[6]),
          .p50 = figure(parts[7]),
          .p99 = figure(parts[8]),
          .failure = parts[10]};
}

void print_header() {
  std::printf("%-46s %-11s %9s %9s %6s %10s %5s %8s %8s %8s %8s\n", "name", "unit", "ours",
              "raw limit", "ratio", "target", "met?", "us CPU", "raw CPU", "p50 ms", "p99 ms");
}

void print(const Row& row) {
  if (!row.failure.empty()) {
    std::printf("%-46s failed: %s\n", row.name.c_str(), row.failure.c_str());
  } else {
    const std::string ratio = row.raw ? shown(row.compared()) : "";
    const std::string target = (row.at_most ? "<= " : ">= ") + shown(row.target);
    std::printf("%-46s %-11s %9s %9s %6s %10s %5s %8s %8s %8s %8s\n", row.name.c_str(),
                row.unit.c_str(), shown(row.ours).c_str(), shown(row.raw).c_str(), ratio.c_str(),
                target.c_str(), row.met() ? "yes" : "NO", shown(row.cpu).c_str(),
                shown(row.raw_cpu).c_str(), shown(row.p50).c_str(), shown(row.p99).c_str());
  }
  std::fflush(stdout);
}

double median(std::vector<double> values) { return quantile(values, 0.5); }

double quantile(std::vector<double>& values, double part) {
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

}  // namespace troupe::bench

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "sdk/examples/packages/packages.h"

/// `63,666`.
std::string number(std::size_t value);
/// `1.5`.
std::string decimals(double value);
/// `12,345/s`.
std::string rate(std::size_t count, double seconds);
/// A line on the terminal.
void say(const std::string& text);

/// What the demonstration shows: lines of progress with the time, then tables. For one thread.
class Report {
 public:
  Report() : begin_(clock_.now()) {}

  void line(const std::string& text);
  /// A figure for the end.
  void rate(const std::string& what, std::size_t count, double seconds);
  /// A check, and how it went in words.
  void check(const std::string& what, bool holds, const std::string& outcome);

  void table(const std::vector<std::string>& names, const Counts& found, const Counts& expected);
  void conclude();

  /// All checks so far, at least one.
  bool holds() const { return checks_ > 0 && holds_; }

 private:
  troupe::SystemClock clock_;
  troupe::Time begin_;
  std::vector<std::string> figures_;
  std::vector<std::string> outcomes_;
  std::size_t checks_ = 0;
  bool holds_ = true;
};

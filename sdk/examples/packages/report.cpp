#include "sdk/examples/packages/report.h"

#include <chrono>
#include <cstdio>
#include <iostream>

namespace {

std::string padded(const std::string& text, std::size_t width, bool to_the_right) {
  const std::string space(text.size() < width ? width - text.size() : 0, ' ');
  return to_the_right ? space + text : text + space;
}

}  // namespace

std::string number(std::size_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string rate(std::size_t count, double seconds) {
  const double per_second = seconds > 0 ? static_cast<double>(count) / seconds : 0;
  return number(static_cast<std::size_t>(per_second)) + "/s";
}

// At once, so that whoever watches sees it happen.
void say(const std::string& text) { std::cout << text << '\n' << std::flush; }

void Report::line(const std::string& text) {
  const double seconds = std::chrono::duration<double>(clock_.now() - begin_).count();
  say(padded(decimals(seconds), 6, true) + " s  " + text);
}

void Report::rate(const std::string& what, std::size_t count, double seconds) {
  figures_.push_back("  " + padded(what, 30, false) + padded(number(count), 12, true) + " in " +
                     padded(decimals(seconds), 6, true) + " s" +
                     padded(::rate(count, seconds), 12, true));
}

void Report::check(const std::string& what, bool holds, const std::string& outcome) {
  ++checks_;
  holds_ = holds_ && holds;
  outcomes_.push_back(std::string(holds ? "  holds   " : "  BROKEN  ") + what + ": " + outcome);
  line((holds ? "check holds: " : "check BROKEN: ") + what);
}

void Report::table(const std::vector<std::string>& names, const Counts& found,
                   const Counts& expected) {
  say("");
  say(padded("package", 28, false) + padded("needed by", 12, true) + padded("in all", 12, true) +
      "   without actors");
  for (const std::string& name : names) {
    const auto here = found.find(name);
    const Count count = here == found.end() ? Count{} : here->second;
    const bool equal = count == expected.at(name);
    say(padded(name, 28, false) + padded(number(count.directly), 12, true) +
        padded(number(count.in_all), 12, true) + (equal ? "   equal" : "   NOT EQUAL"));
  }
}

void Report::conclude() {
  say("");
  for (const std::string& figure : figures_) say(figure);
  say("");
  for (const std::string& outcome : outcomes_) say(outcome);
  say("");
  say(holds() ? "Everything holds." : "SOMETHING IS BROKEN.");
}

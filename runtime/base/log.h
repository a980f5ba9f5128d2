#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

/// A value in a log line, with its name.
struct LogField {
  LogField(std::string_view the_name, std::string the_value)
      : name(the_name), value(std::move(the_value)) {}
  LogField(std::string_view the_name, const char* the_value) : name(the_name), value(the_value) {}
  LogField(std::string_view the_name, std::string_view the_value)
      : name(the_name), value(the_value) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  LogField(std::string_view the_name, Number number)
      : name(the_name), value(std::to_string(number)) {}

  std::string_view name;
  std::string value;
};

/// Where log lines go. Thread-safe.
class LogSink {
 public:
  virtual ~LogSink() = default;

  /// Whether lines of this level and component are wanted at all.
  virtual bool wants(LogLevel level, std::string_view component) const = 0;
  virtual void write(LogLevel level, std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;
};

/// What a component says to its operators: a message that never varies, and named values.
///
///     log.warning("peer is gone", {{"node", short_name(id)}, {"after_ms", 400}});
///
/// Copies share the sink, which outlives them. Secrets are never logged. Thread-safe.
class Log {
 public:
  /// `component` lives as long as the log: a literal.
  Log(LogSink& sink, std::string_view component) : sink_(&sink), component_(component) {}

  /// The same sink, under the name of another component.
  Log named(std::string_view component) const { return {*sink_, component}; }

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kInfo, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kWarning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kError, message, fields);
  }

 private:
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) const {
    if (sink_->wants(level, component_)) sink_->write(level, component_, message, fields);
  }

  LogSink* sink_;
  std::string_view component_;
};

/// A sink that keeps nothing: for tests and simulations.
LogSink& silent_log();

}  // namespace troupe

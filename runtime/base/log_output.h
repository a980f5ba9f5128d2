#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

enum class LogFormat : std::uint8_t { kText, kJson };

/// Which lines are wanted: those of `level` and above, by component where it is named.
struct LogLevels {
  LogLevel level = LogLevel::kInfo;
  std::map<std::string, LogLevel, std::less<>> components = {};

  LogLevel of(std::string_view component) const;

  friend bool operator==(const LogLevels&, const LogLevels&) = default;
};

/// Reads `info`, or `info,raft=debug,net=off`: a level for all, and others for some; of two for the
/// same, the last holds. Levels are debug, info, warning (or warn), error, off. kInvalid, naming
/// what is wrong, for anything else.
Result<LogLevels> parse_log_levels(std::string_view text);

/// The longest line, its end included: what one write to a pipe carries whole.
inline constexpr std::size_t kLogLineBytesMax = 4096;

/// What a line says. Views live as long as what they were made of.
struct LogLine {
  WallTime time;
  LogLevel level = LogLevel::kInfo;
  std::string_view component;
  std::string_view message;
  std::span<const LogField> fields;
};

/// One line, its end included, whatever the values hold: line breaks, control characters and broken
/// UTF-8 are escaped. What does not fit into kLogLineBytesMax is cut; the line says so.
///
///     2024-02-29T12:00:00.500000Z warning raft: peer is gone node=3f2a after_ms=400 why="no route"
///     {"time":"2024-02-29T12:00:00.500000Z","level":"warning","component":"raft","message":...}
std::string format_log_line(LogFormat format, const LogLine& line);

/// Writes log lines to a file descriptor, stderr by default.
///
/// Whoever logs never waits for whoever reads: a line that a full pipe or terminal would not take
/// at once is dropped and counted, and the next line that fits says how many were. Each line is one
/// write, so those of several processes on one pipe do not mix. Thread-safe.
class LogOutput final : public LogSink {
 public:
  struct Options {
    LogFormat format = LogFormat::kText;
    LogLevels levels = {};
    int file_descriptor = 2;  // stays the caller's
  };

  LogOutput(const Clock& clock, Options options);
  ~LogOutput() override;
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;

  bool wants(LogLevel level, std::string_view component) const override;
  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields) override;

  /// Lines dropped since the start, for metrics.
  std::uint64_t dropped() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe

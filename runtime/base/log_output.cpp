#include "runtime/base/log_output.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>

#include <poll.h>
#include <unistd.h>

#include "runtime/base/guarded.h"

namespace troupe {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "warning", "error",
                                                         "off"};
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // for bytes that are no UTF-8

std::string_view name(LogLevel level) { return kLevelNames[static_cast<std::size_t>(level)]; }

std::optional<LogLevel> parse_level(std::string_view text) {
  if (text == "warn") return LogLevel::kWarning;
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == text) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

std::string rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 48> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

// The length of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t count) {
    if (text.size() <= count) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0U) != 0x80U) return false;
    }
    return true;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF && follows(2)) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && follows(3)) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool too_large = first == 0xF4 && byte(1) >= 0x90;
    return overlong || too_large ? 0 : 4;
  }
  return 0;
}

std::string escaped_control(char character) {
  switch (character) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default: {
      std::array<char, 8> text{};
      std::snprintf(text.data(), text.size(), "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(character)));
      return text.data();
    }
  }
}

// Appends `text` as it stands inside of a JSON string, cut where `line` would grow beyond
// `size_max`. False if it was cut.
bool append_escaped(std::string& line, std::string_view text, std::size_t size_max) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const auto first = static_cast<unsigned char>(text[0]);
    std::string escaped;
    std::string_view piece = text.substr(0, size);
    if (size == 0) {
      piece = kReplacement;
    } else if (first < 0x20 || first == 0x7F || first == '"' || first == '\\') {
      piece = escaped = escaped_control(text[0]);
    }
    if (line.size() + piece.size() > size_max) return false;
    line += piece;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return true;
}

// In text, what has none of these needs no quotes.
bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '\\' || c == '=') return true;
  }
  return false;
}

// Both kinds of line end in this when they were cut; room for it and the line's end is kept back.
constexpr std::string_view kTextCut = "... cut=true\n";
constexpr std::string_view kJsonCut = "\",\"cut\":true}\n";

std::string text_line(const LogLine& said) {
  // A cut value still gets its closing quote.
  const std::size_t size_max = kLogLineBytesMax - kTextCut.size() - 1;
  std::string line = rfc3339(said.time);
  ((line += ' ') += name(said.level)).append(9 - name(said.level).size() - 1, ' ');
  bool whole = append_escaped(line, said.component, size_max) &&
               append_escaped(line, ": ", size_max) && append_escaped(line, said.message, size_max);
  for (std::size_t i = 0; whole && i < said.fields.size(); ++i) {
    const LogField& field = said.fields[i];
    const bool quoted = needs_quotes(field.value);
    whole = append_escaped(line, " ", size_max) && append_escaped(line, field.name, size_max) &&
            append_escaped(line, "=", size_max);
    if (!whole) break;
    if (quoted) line += '"';
    whole = append_escaped(line, field.value, size_max);
    if (quoted) line += '"';
  }
  line += whole ? std::string_view("\n") : kTextCut;
  return line;
}

std::string json_line(const LogLine& said) {
  const std::size_t size_max = kLogLineBytesMax - kJsonCut.size();
  std::string line = R"({"time":")" + rfc3339(said.time) + R"(","level":")";
  (line += name(said.level)) += R"(","component":")";
  bool whole = append_escaped(line, said.component, size_max);
  if (whole) whole = line.size() + 13 <= size_max;
  if (whole) {
    line += R"(","message":")";
    whole = append_escaped(line, said.message, size_max);
  }
  for (std::size_t i = 0; whole && i < said.fields.size(); ++i) {
    // A field whose name does not fit is left out, so that what is there stays JSON.
    std::string opened = "\",\"";
    append_escaped(opened, said.fields[i].name, size_max);
    opened += R"(":")";
    whole = line.size() + opened.size() <= size_max;
    if (whole) whole = append_escaped(line += opened, said.fields[i].value, size_max);
  }
  line += whole ? std::string_view("\"}\n") : kJsonCut;
  return line;
}

// Whether one write of a line, to a pipe that carries it whole, returns at once.
bool takes_a_line(int file_descriptor) {
  pollfd wanted{.fd = file_descriptor, .events = POLLOUT, .revents = 0};
  return ::poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

}  // namespace

LogLevel LogLevels::of(std::string_view component) const {
  const auto found = components.find(component);
  return found == components.end() ? level : found->second;
}

Result<LogLevels> parse_log_levels(std::string_view text) {
  LogLevels levels;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t equals = part.find('=');
    const std::string_view spelled =
        equals == std::string_view::npos ? part : part.substr(equals + 1);
    const std::optional<LogLevel> level = parse_level(spelled);
    if (!level) {
      return fail(Code::kInvalid, "no log level '" + std::string(spelled) +
                                      "': use debug, info, warning, error or off, as in "
                                      "info,raft=debug");
    }
    if (equals == 0) return fail(Code::kInvalid, "no component before '" + std::string(part) + "'");
    if (equals == std::string_view::npos) {
      levels.level = *level;
    } else {
      levels.components.insert_or_assign(std::string(part.substr(0, equals)), *level);
    }
    if (comma == std::string_view::npos) return levels;
    text.remove_prefix(comma + 1);
  }
}

std::string format_log_line(LogFormat format, const LogLine& line) {
  return format == LogFormat::kJson ? json_line(line) : text_line(line);
}

struct LogOutput::State {
  struct Counts {
    std::uint64_t dropped = 0;
    std::uint64_t reported = 0;
  };

  const Clock& clock;
  Options options;
  Guarded<Counts> counts;  // also puts the lines of several threads one after another
};

LogOutput::LogOutput(const Clock& clock, Options options)
    : state_(new State{.clock = clock, .options = std::move(options), .counts = {}}) {}
LogOutput::~LogOutput() = default;

bool LogOutput::wants(LogLevel level, std::string_view component) const {
  return level >= state_->options.levels.of(component) && level != LogLevel::kOff;
}

void LogOutput::write(LogLevel level, std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields) {
  if (!wants(level, component)) return;
  const State& state = *state_;
  const WallTime now = state.clock.wall();
  const std::string line =
      format_log_line(state.options.format, {.time = now,
                                             .level = level,
                                             .component = component,
                                             .message = message,
                                             .fields = {fields.begin(), fields.size()}});
  state_->counts.with([&](State::Counts& counts) {
    const auto put = [&](const std::string& text) {
      return takes_a_line(state.options.file_descriptor) &&
             ::write(state.options.file_descriptor, text.data(), text.size()) ==
                 static_cast<ssize_t>(text.size());
    };
    if (counts.reported < counts.dropped) {
      const std::array lost = {LogField("lines", counts.dropped - counts.reported)};
      if (put(format_log_line(state.options.format,
                              {.time = now,
                               .level = LogLevel::kWarning,
                               .component = "log",
                               .message = "lines were dropped: the reader is too slow",
                               .fields = lost}))) {
        counts.reported = counts.dropped;
      }
    }
    if (!put(line)) ++counts.dropped;
  });
}

std::uint64_t LogOutput::dropped() const {
  return state_->counts.with([](const State::Counts& counts) { return counts.dropped; });
}

}  // namespace troupe

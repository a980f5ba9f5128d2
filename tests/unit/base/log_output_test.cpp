#include "runtime/base/log_output.h"

#include <array>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/manual_time.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using Fields = std::vector<LogField>;

constexpr WallTime kLeapDay{std::chrono::sys_days{std::chrono::February / 29 / 2024} + 12h + 500ms};

LogLine line_of(std::string_view message, const Fields& fields) {
  return {.time = kLeapDay,
          .level = LogLevel::kWarning,
          .component = "raft",
          .message = message,
          .fields = fields};
}
std::string text_line(std::string_view message, const Fields& fields) {
  return format_log_line(LogFormat::kText, line_of(message, fields));
}
std::string json_line(std::string_view message, const Fields& fields) {
  return format_log_line(LogFormat::kJson, line_of(message, fields));
}

TEST(LogLine, TextNamesTimeLevelComponentAndValues) {
  EXPECT_EQ(
      text_line("peer is gone", {{"after_ms", 400}, {"why", "no route"}}),
      "2024-02-29T12:00:00.500000Z warning raft: peer is gone after_ms=400 why=\"no route\"\n");
}

TEST(LogLine, JsonNamesTheSame) {
  EXPECT_EQ(json_line("peer is gone", {{"after_ms", 400}, {"why", "no route"}}),
            R"({"time":"2024-02-29T12:00:00.500000Z","level":"warning","component":"raft",)"
            R"("message":"peer is gone","after_ms":"400","why":"no route"})"
            "\n");
}

TEST(LogLine, ValuesCannotForgeALineOrSteerATerminal) {
  const Fields fields = {{"id", "a\"b\\c\nd\r\t\x1b[31m\x7f"}};
  EXPECT_EQ(text_line("m", fields),
            "2024-02-29T12:00:00.500000Z warning raft: m "
            R"(id="a\"b\\c\nd\r\t\u001b[31m\u007f")"
            "\n");
  EXPECT_NE(json_line("m", fields).find(R"("id":"a\"b\\c\nd\r\t\u001b[31m\u007f"})"),
            std::string::npos);
}

TEST(LogLine, BrokenUtf8IsReplacedAndProperUtf8Kept) {
  EXPECT_NE(json_line("m", {{"id", "z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80"}})
                .find("z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80"),
            std::string::npos);
  // A stray byte, an overlong form, a surrogate, a cut-off character.
  const std::string line = json_line("m", {{"id", "\xff|\xc0\xaf|\xed\xa0\x80|\xe2\x82"}});
  EXPECT_NE(line.find("\"\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD\"}"),
            std::string::npos)
      << line;
}

TEST(LogLine, IsNeverLongerThanOneWriteAndSaysThatItWasCut) {
  for (std::size_t size = 3'900; size < 4'200; ++size) {
    const Fields fields = {{"value", std::string(size, 'x')}, {"next", "y"}};
    const std::string json = json_line("m", fields);
    const std::string text = text_line("m", fields);
    ASSERT_LE(json.size(), kLogLineBytesMax);
    ASSERT_LE(text.size(), kLogLineBytesMax);
    // Whole, or cut: closed either way.
    ASSERT_TRUE(json.ends_with("\"next\":\"y\"}\n") || json.ends_with("\",\"cut\":true}\n"))
        << size;
    ASSERT_TRUE(text.ends_with(" next=y\n") || text.ends_with("... cut=true\n")) << size;
  }
  EXPECT_TRUE(json_line(std::string(10'000, '\n'), {}).ends_with("\\n\",\"cut\":true}\n"));
}

TEST(LogLevels, AreReadForAllAndForComponents) {
  const LogLevels levels = parse_log_levels("warn,raft=debug,net=off,raft=info").value();
  EXPECT_EQ(levels.of("anything"), LogLevel::kWarning);
  EXPECT_EQ(levels.of("raft"), LogLevel::kInfo);
  EXPECT_EQ(levels.of("net"), LogLevel::kOff);
  EXPECT_EQ(parse_log_levels("raft=debug").value().of("net"), LogLevel::kInfo);
}

TEST(LogLevels, MistakesAreNamed) {
  for (const std::string text : {"", "loud", "info,", "=info", "raft=", "raft=debug=info"}) {
    EXPECT_FALSE(parse_log_levels(text)) << text;
  }
  EXPECT_EQ(parse_log_levels("info,raft=loud").error().message,
            "no log level 'loud': use debug, info, warning, error or off, as in info,raft=debug");
}

class LogOutputTest : public ::testing::Test {
 protected:
  LogOutputTest() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~LogOutputTest() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  LogOutput::Options options() const { return {.file_descriptor = ends_[1]}; }
  // What is in the pipe, which must not be empty.
  std::string read() const {
    std::string text(1 << 20, '\0');
    const ssize_t size = ::read(ends_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  testing::ManualClock clock_;
  std::array<int, 2> ends_{};
};

TEST_F(LogOutputTest, WritesWhatIsWantedOnly) {
  LogOutput::Options wanted = options();
  wanted.levels = parse_log_levels("warning,raft=debug").value();
  LogOutput output(clock_, wanted);
  const Log net(output, "net");
  net.info("unwanted");
  net.named("raft").debug("wanted");
  net.error("also");
  const std::string text = read();
  EXPECT_EQ(text.find("unwanted"), std::string::npos);
  EXPECT_NE(text.find("debug   raft: wanted\n"), std::string::npos) << text;
  EXPECT_NE(text.find("error   net: also\n"), std::string::npos) << text;
}

TEST_F(LogOutputTest, OffSilencesEvenErrors) {
  LogOutput::Options wanted = options();
  wanted.levels = parse_log_levels("net=off").value();
  LogOutput output(clock_, wanted);
  EXPECT_FALSE(output.wants(LogLevel::kError, "net"));
  EXPECT_TRUE(output.wants(LogLevel::kInfo, "raft"));
}

TEST_F(LogOutputTest, AFullPipeDropsLinesInsteadOfWaitingAndSaysSoLater) {
  LogOutput output(clock_, options());
  const Log log(output, "net");
  while (output.dropped() < 3) log.info("again");
  EXPECT_GT(read().size(), kLogLineBytesMax);
  log.info("after");
  const std::string text = read();
  EXPECT_NE(text.find("warning log: lines were dropped: the reader is too slow lines=3\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("net: after\n"), std::string::npos);
  log.info("once only");
  EXPECT_EQ(read().find("dropped"), std::string::npos);
}

TEST_F(LogOutputTest, LinesOfSeveralThreadsDoNotMix) {
  LogOutput output(clock_, options());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int line = 0; line < 50; ++line) Log(output, "net").info("a message of some length");
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = read();
  std::size_t lines = 0;
  const std::string expected = text.substr(0, text.find('\n') + 1);
  for (std::size_t at = 0; at < text.size(); at += expected.size(), ++lines) {
    ASSERT_EQ(text.substr(at, expected.size()), expected);
  }
  EXPECT_EQ(lines + output.dropped(), 200U);
}

}  // namespace
}  // namespace troupe

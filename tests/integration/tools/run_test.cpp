#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/temporary_directory.h"
#include "tools/troupe/child_process.h"
#include "tools/troupe/running_apps.h"

namespace troupe::tools {
namespace {

using ::testing::HasSubstr;

constexpr int kPatienceMs = 60'000;  // only a failing test waits so long

// `troupe run` with a fake node and a fake app, in a process of its own.
class RunTest : public ::testing::Test {
 protected:
  void start(std::vector<std::string> arguments, const std::string& node_flag = "none") {
    arguments.insert(arguments.begin(), {TROUPE_EXECUTABLE, "run", "--program", TROUPE_FAKE_NODE});
    run_.emplace(started(arguments, node_flag));
  }
  ChildProcess started(const std::vector<std::string>& arguments,
                       const std::string& node_flag = "none") {
    Result<ChildProcess> process =
        ChildProcess::start(arguments, {.directory = directory_.path(),
                                        .environment = {{"XDG_RUNTIME_DIR", directory_.path()},
                                                        {"APP_API_TOKEN", "secret"},
                                                        {"FAKE_NODE", node_flag}}});
    EXPECT_TRUE(process) << process.error().message;
    return *std::move(process);
  }
  // Another command, to its end: what it prints.
  std::string troupe(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TROUPE_EXECUTABLE);
    ChildProcess process = started(arguments);
    std::string text;
    while (readable(process.output()) && process.read_output(text)) {
    }
    return text;
  }
  static bool readable(int file) {
    pollfd waited{.fd = file, .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, kPatienceMs) == 1;
  }
  bool read_until(const std::string& text) {
    while (output_.find(text) == std::string::npos) {
      if (!readable(run_->output()) || !run_->read_output(output_)) return false;
    }
    return true;
  }
  // After the end of its output.
  int exit_code() {
    read_until("what is never printed");
    const int watched = static_cast<int>(::syscall(SYS_pidfd_open, run_->pid(), 0));
    EXPECT_TRUE(readable(watched));
    ::close(watched);
    return run_->exit_code().value_or(-1);
  }
  std::vector<RunningApp> running() const {
    return RunningApps(directory_.path() + "/troupe/runs").all();
  }
  std::size_t at(const std::string& text) const { return output_.find(text); }

  TemporaryDirectory directory_;
  std::optional<ChildProcess> run_;
  std::string output_;
};

TEST_F(RunTest, StartsNodeAndAppListsThemAndStopsTheAppFirst) {
  start({"--app-id", "orders", "--app-max-concurrency", "5", "--", TROUPE_FAKE_APP, "--anything"});
  ASSERT_TRUE(read_until("orders runs: ") && read_until("with ['--anything']")) << output_;
  ASSERT_EQ(running().size(), 1U);
  const RunningApp app = running().front();
  EXPECT_EQ(app.run, run_->pid());
  EXPECT_THAT(
      output_,
      HasSubstr("app | pid " + std::to_string(app.app) +
                " APP_ID=orders APP_PORT= DAPR_HTTP_PORT=" + std::to_string(app.http_port) +
                " DAPR_GRPC_PORT=" + std::to_string(app.grpc_port) + " APP_API_TOKEN=secret"));
  EXPECT_THAT(output_, HasSubstr("node | told --app-id orders --app-max-concurrency 5"));
  EXPECT_EQ(at("\x1b"), std::string::npos) << "colours go to terminals only";
  EXPECT_THAT(troupe({"list"}), HasSubstr("orders"));
  EXPECT_THAT(troupe({"list", "--json"}), HasSubstr("\"cliPid\":" + std::to_string(run_->pid())));
  run_->signal(SIGINT);
  EXPECT_EQ(exit_code(), 0) << output_;
  EXPECT_LT(at("app | app ended in order"), at("node | ended in order")) << output_;
  EXPECT_TRUE(running().empty());
}

TEST_F(RunTest, EndsWithItsAppAndSaysHow) {
  start({"--app-id", "orders", "--", TROUPE_FAKE_APP, "--exit", "3"});
  EXPECT_EQ(exit_code(), 3) << output_;
  EXPECT_THAT(output_, HasSubstr("troupe: the app orders exited with status 3"));
  EXPECT_THAT(output_, HasSubstr("node | ended in order"));
}

TEST_F(RunTest, SaysWhenTheAppCannotBeStartedAndStopsTheNode) {
  start({"--app-id", "orders", "--", "/no/such/app"});
  EXPECT_EQ(exit_code(), 1) << output_;
  EXPECT_THAT(output_, HasSubstr("troupe: cannot run /no/such/app: No such file or directory"));
  EXPECT_THAT(output_, HasSubstr("node | ended in order"));
}

TEST_F(RunTest, SaysWhenTheNodeEndsBeforeItIsReady) {
  start({"--app-id", "orders", "--", TROUPE_FAKE_APP}, "fail");
  EXPECT_EQ(exit_code(), 1) << output_;
  EXPECT_THAT(output_, HasSubstr("node | no room on the disk"));
  EXPECT_THAT(output_, HasSubstr("the node of orders exited with status 1 before it was ready"));
  EXPECT_THAT(output_, Not(HasSubstr("app |")));
}

TEST_F(RunTest, StopsTheAppOfANodeThatDies) {
  start({"--app-id", "orders", "--", TROUPE_FAKE_APP});
  ASSERT_TRUE(read_until("with []")) << output_;
  ASSERT_EQ(::kill(running().front().node, SIGKILL), 0);
  EXPECT_EQ(exit_code(), 1) << output_;
  EXPECT_THAT(output_, HasSubstr("the node of orders was killed by signal 9"));
  EXPECT_THAT(output_, HasSubstr("app | app ended in order"));
}

TEST_F(RunTest, ASecondSignalKillsWhatDoesNotStop) {
  start({"--app-id", "orders", "--", TROUPE_FAKE_APP, "--stubborn"});
  ASSERT_TRUE(read_until("with ['--stubborn']")) << output_;
  run_->signal(SIGTERM);
  ASSERT_TRUE(read_until("troupe: stopping")) << output_;
  run_->signal(SIGTERM);
  EXPECT_EQ(exit_code(), 1) << output_;
  EXPECT_THAT(output_, HasSubstr("app has not stopped, killing it"));
}

TEST_F(RunTest, LeavesNothingOfWhatTheAppHasStarted) {
  start({"--app-id", "orders", "--", TROUPE_FAKE_APP, "--child"});
  ASSERT_TRUE(read_until("with ['--stubborn', 'child']") && read_until("with ['--child']"))
      << output_;
  const std::size_t line = output_.rfind("pid ", at("with ['--stubborn'"));
  const int child =
      static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(output_.substr(line + 4)), 0));
  run_->signal(SIGTERM);
  ASSERT_TRUE(read_until("app | app ended in order")) << output_;
  run_->signal(SIGTERM);
  exit_code();
  EXPECT_TRUE(readable(child));
  ::close(child);
}

TEST_F(RunTest, StopsOneAppOfARunFileAndThenTheOther) {
  std::filesystem::create_directories(directory_.path() + "/cart");
  std::ofstream(directory_.path() + "/dapr.yaml")
      << "version: 1\ncommon: {env: {STAGE: test}}\napps:\n"
         "  - {appID: orders, appDirPath: ., command: ['" TROUPE_FAKE_APP
         "']}\n"
         "  - {appDirPath: cart, command: ['" TROUPE_FAKE_APP "']}\n";
  start({"-f", "."});
  ASSERT_TRUE(read_until("orders | pid ") && read_until("cart | pid ") &&
              read_until("in " + directory_.path() + "/cart"))
      << output_;
  EXPECT_THAT(output_, HasSubstr("STAGE=test"));
  EXPECT_THAT(output_, Not(HasSubstr("joins "))) << "a node's output goes to a file";
  ASSERT_EQ(running().size(), 2U);
  EXPECT_THAT(troupe({"stop", "cart"}), HasSubstr("stopping cart"));
  ASSERT_TRUE(read_until("troupe: the app cart exited")) << output_;
  EXPECT_THAT(output_, Not(HasSubstr("troupe: the app orders")));
  EXPECT_THAT(troupe({"stop", "orders"}), HasSubstr("stopping orders"));
  EXPECT_EQ(exit_code(), 0) << output_;
  EXPECT_TRUE(std::filesystem::is_directory(directory_.path() + "/cart/.dapr/logs"));
}

}  // namespace
}  // namespace troupe::tools

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/net/http_server.h"
#include "tests/support/temporary_directory.h"
#include "tools/troupe/child_process.h"
#include "tools/troupe/dev_cluster.h"

namespace troupe::tools {
namespace {

using namespace std::chrono_literals;

constexpr int kPatienceMs = 60'000;  // only a failing test waits so long

class NoAnswers final : public net::HttpHandler {
 public:
  void handle(net::HttpRequest /*request*/, net::HttpResponder /*respond*/) override {}
};

// The first of `count` ports in a row that were free a moment ago.
std::uint16_t free_ports(int count) {
  SystemClock clock;
  net::IoThreads threads(clock, {.threads = 1});
  NoAnswers nobody;
  const Log log(silent_log(), "test");
  while (true) {
    std::vector<std::unique_ptr<net::HttpServer>> held;
    std::uint16_t first = 0;
    for (int i = 0; i < count; ++i) {
      const auto port = static_cast<std::uint16_t>(first == 0 ? 0 : first + i);
      held.push_back(std::make_unique<net::HttpServer>(
          threads, log, net::HttpServerOptions{.port = port}, nobody));
      if (!held.back()->start()) break;
      if (first == 0) first = held.back()->port();
      if (i + 1 == count) return first;
    }
  }
}

// `troupe dev` with fake nodes, in a process of its own.
class DevTest : public ::testing::Test {
 protected:
  void start(const std::vector<std::string>& flags, const std::string& program = TROUPE_FAKE_NODE) {
    first_port_ = free_ports(3);
    std::vector<std::string> command = {TROUPE_EXECUTABLE, "dev",
                                        "--program",       program,
                                        "--dir",           directory_.path() + "/dev",
                                        "--http-port",     std::to_string(first_port_)};
    command.insert(command.end(), flags.begin(), flags.end());
    Result<ChildProcess> started = ChildProcess::start(command);
    ASSERT_TRUE(started) << started.error().message;
    dev_.emplace(std::move(*started));
  }

  // Everything printed up to `text`, or up to the end.
  bool read_until(const std::string& text) {
    while (output_.find(text) == std::string::npos) {
      pollfd waited{.fd = dev_->output(), .events = POLLIN, .revents = 0};
      if (::poll(&waited, 1, kPatienceMs) != 1 || !dev_->read_output(output_)) return false;
    }
    return true;
  }
  // Its pid, as the fake said; and something that becomes readable when it is gone.
  int watch_node(const std::string& name) {
    const std::string before = name + " | pid ";
    EXPECT_TRUE(read_until(before) && read_until(" in ")) << output_;
    const int pid = std::stoi(output_.substr(output_.find(before) + before.size()));
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  }
  static bool is_gone(int watched) {
    pollfd waited{.fd = watched, .events = POLLIN, .revents = 0};
    const bool gone = ::poll(&waited, 1, kPatienceMs) == 1;
    ::close(watched);
    return gone;
  }
  // After the end of its output.
  std::string ended() {
    read_until("what is never printed");
    EXPECT_TRUE(is_gone(static_cast<int>(::syscall(SYS_pidfd_open, dev_->pid(), 0))));
    return dev_->ended();
  }

  TemporaryDirectory directory_;
  std::uint16_t first_port_ = 0;
  std::optional<ChildProcess> dev_;
  std::string output_;
};

TEST_F(DevTest, StartsNodesThatFoundOneClusterSaysWhereTheyAreAndStopsThem) {
  start({"--nodes", "2", "--peer-port", "17400"});
  ASSERT_TRUE(read_until("Ctrl-C stops the cluster")) << output_;
  EXPECT_NE(output_.find("joins 127.0.0.1:17401 of 2 in " + directory_.path() + "/dev/node-1"),
            std::string::npos)
      << output_;
  EXPECT_NE(output_.find("joins 127.0.0.1:17400 of 2 in " + directory_.path() + "/dev/node-2"),
            std::string::npos)
      << output_;
  EXPECT_NE(output_.find("2 nodes are ready"), std::string::npos);
  EXPECT_NE(output_.find("http://127.0.0.1:" + std::to_string(first_port_ + 1)), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_directory(directory_.path() + "/dev/node-2"));
  dev_->signal(SIGINT);
  EXPECT_EQ(ended(), "exited");
  EXPECT_NE(output_.find("node-1 | ended in order"), std::string::npos) << output_;
  EXPECT_NE(output_.find("node-2 | ended in order"), std::string::npos) << output_;
}

TEST_F(DevTest, ANodeThatEndsBeforeItIsReadyStopsAllAndIsNamed) {
  start({"--nodes", "2", "--", "--fail"});
  EXPECT_EQ(ended(), "exited with status 1");
  EXPECT_NE(output_.find("| no room on the disk"), std::string::npos) << output_;
  EXPECT_NE(output_.find("exited with status 1 before it was ready"), std::string::npos) << output_;
}

TEST_F(DevTest, AProgramThatIsNotThereIsNamed) {
  start({}, "/no/such/program");
  EXPECT_EQ(ended(), "exited with status 1");
  EXPECT_NE(output_.find("cannot run /no/such/program: No such file or directory"),
            std::string::npos)
      << output_;
}

TEST_F(DevTest, ASecondSignalKillsWhatDoesNotStop) {
  start({"--nodes", "1", "--", "--stubborn"});
  const int node = watch_node("node-1");
  ASSERT_TRUE(read_until("Ctrl-C stops the cluster")) << output_;
  dev_->signal(SIGTERM);
  ASSERT_TRUE(read_until("troupe: stopping")) << output_;
  dev_->signal(SIGTERM);
  EXPECT_EQ(ended(), "exited");
  EXPECT_NE(output_.find("node-1 does not stop, killing it"), std::string::npos) << output_;
  EXPECT_TRUE(is_gone(node));
}

TEST_F(DevTest, NothingIsLeftWhenItIsKilledItself) {
  start({"--nodes", "2", "--", "--stubborn"});
  const int first = watch_node("node-1");
  const int second = watch_node("node-2");
  dev_->signal(SIGKILL);
  EXPECT_TRUE(is_gone(first));
  EXPECT_TRUE(is_gone(second));
}

TEST_F(DevTest, ANodeThatIsKilledLaterLeavesTheOthersRunning) {
  start({"--nodes", "2"});
  const int node = watch_node("node-1");
  ASSERT_TRUE(read_until("Ctrl-C stops the cluster")) << output_;
  ASSERT_EQ(::syscall(SYS_pidfd_send_signal, node, SIGKILL, nullptr, 0), 0);
  ASSERT_TRUE(read_until("node-1 was killed by signal 9; the others carry on")) << output_;
  ::close(node);
  dev_->signal(SIGINT);
  EXPECT_EQ(ended(), "exited");
  EXPECT_NE(output_.find("node-2 | ended in order"), std::string::npos) << output_;
}

TEST(DevCommand, ALonelyNodeIsAClusterOfOneWithoutSeeds) {
  const DevOptions options{.program = {"troupe", "node"}, .directory = "/d"};
  EXPECT_EQ(
      dev_node_command(options, 0),
      (std::vector<std::string>{"troupe", "node", "--name", "node-1", "--data-dir", "/d/node-1",
                                "--listen", "127.0.0.1:7400", "--http", "127.0.0.1:3500", "--grpc",
                                "127.0.0.1:50001", "--no-discovery"}));
}

}  // namespace
}  // namespace troupe::tools

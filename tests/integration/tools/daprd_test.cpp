#include <csignal>
#include <filesystem>
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
#include "tools/troupe/node_api.h"
#include "tools/troupe/run_ports.h"

namespace troupe::tools {
namespace {

using ::testing::HasSubstr;

constexpr int kPatienceMs = 60'000;  // only a failing test waits so long

bool readable(int file) {
  pollfd waited{.fd = file, .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, kPatienceMs) == 1;
}

// The program through a link that is called daprd.
class DaprdTest : public ::testing::Test {
 protected:
  void start(const std::vector<std::string>& flags) {
    const std::string link = directory_.path() + "/daprd";
    std::filesystem::create_symlink(TROUPE_EXECUTABLE, link);
    std::vector<std::string> command = {link};
    command.insert(command.end(), flags.begin(), flags.end());
    Result<ChildProcess> process = ChildProcess::start(
        command, {.environment = {{"DAPR_API_TOKEN", "secret"}, {"XDG_STATE_HOME", "/nowhere"}}});
    ASSERT_TRUE(process) << process.error().message;
    daprd_.emplace(*std::move(process));
  }
  bool read_until(const std::string& text) {
    while (output_.find(text) == std::string::npos) {
      if (!readable(daprd_->output()) || !daprd_->read_output(output_)) return false;
    }
    return true;
  }
  int exit_code() {
    read_until("what is never printed");
    const int watched = static_cast<int>(::syscall(SYS_pidfd_open, daprd_->pid(), 0));
    EXPECT_TRUE(readable(watched));
    ::close(watched);
    return daprd_->exit_code().value_or(-1);
  }
  static NodeApi at(std::uint16_t port, const std::string& token) {
    return NodeApi({.address = {.host = "127.0.0.1", .port = port}, .token = token});
  }

  TemporaryDirectory directory_;
  std::optional<ChildProcess> daprd_;
  std::string output_;
};

TEST_F(DaprdTest, ServesWhereItIsToldUntilItIsToldToStop) {
  const Result<RunPorts> ports = choose_ports({});
  const Result<RunPorts> others = choose_ports({});
  ASSERT_TRUE(ports && others);
  start({"-app-id", "orders", "--dapr-http-port=" + std::to_string(ports->http), "--dapr-grpc-port",
         std::to_string(ports->grpc), "--metrics-port", std::to_string(others->http),
         "--dapr-public-port", std::to_string(others->grpc), "--dapr-listen-addresses", "127.0.0.1",
         "--enable-profiling"});
  ASSERT_TRUE(read_until("dapr initialized. Status: Running. Init Elapsed ")) << output_;
  EXPECT_THAT(output_, HasSubstr("--enable-profiling has no effect here"));
  EXPECT_TRUE(at(ports->http, "").get("/v1.0/healthz"));
  EXPECT_FALSE(at(ports->http, "").get("/v1.0/metadata"));
  EXPECT_TRUE(at(ports->http, "secret").get("/v1.0/metadata"));
  const Result<std::string> metrics = at(others->http, "").get("/metrics");
  ASSERT_TRUE(metrics) << metrics.error().message;
  EXPECT_THAT(*metrics, HasSubstr("app_id=\"orders\""));
  EXPECT_FALSE(at(others->http, "secret").get("/v1.0/metadata"));
  EXPECT_TRUE(at(others->grpc, "").get("/v1.0/metadata"));
  EXPECT_FALSE(at(others->grpc, "").get("/metrics"));
  EXPECT_TRUE(is_listening(ports->grpc));
  // The same process begins again, and then ends.
  output_.clear();
  daprd_->signal(SIGHUP);
  ASSERT_TRUE(read_until("dapr initialized. Status: Running.")) << output_;
  daprd_->signal(SIGTERM);
  EXPECT_EQ(exit_code(), 0) << output_;
}

TEST_F(DaprdTest, RefusesWhatItDoesNotKnow) {
  start({"--app-id", "orders", "--app-prot", "3000"});
  EXPECT_EQ(exit_code(), 2);
  EXPECT_THAT(output_, HasSubstr("daprd: unknown flag '--app-prot'; did you mean 'app-port'?"));
}

TEST_F(DaprdTest, SaysItsVersion) {
  start({"--version"});
  EXPECT_EQ(exit_code(), 0);
  EXPECT_THAT(output_, HasSubstr("0."));
}

}  // namespace
}  // namespace troupe::tools

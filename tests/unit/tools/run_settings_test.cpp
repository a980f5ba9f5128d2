#include "tools/troupe/run_settings.h"

#include <bit>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/troupe/run_ports.h"
#include "tools/troupe/shown_output.h"

namespace troupe::tools {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

// Somebody who listens on a port of the loopback.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const where = std::bit_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, where, size), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    EXPECT_EQ(::getsockname(socket_, where, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  ~TakenPort() { ::close(socket_); }

  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

const std::vector<std::string> kProgram = {"troupe", "node"};

TEST(RunSettings, TellTheNodeWhatConcernsIt) {
  const AppRun run{.values = {{"app-id", {"orders"}},
                              {"app-port", {"3000"}},
                              {"app-protocol", {"grpc"}},
                              {"enable-app-health-check", {"true"}},
                              {"resources-path", {"a", "b"}},
                              {"log-level", {"warn"}},
                              {"max-body-size", {"8Mi"}}}};
  const RunPorts ports{.http = 1, .grpc = 2, .metrics = 3, .peers = 4};
  EXPECT_THAT(
      run_node_command(run, ports, kProgram, true),
      ElementsAre("troupe", "node", "--name", "run", "--listen", "127.0.0.1:4", "--http",
                  "127.0.0.1:1", "--grpc", "127.0.0.1:2", "--metrics", "127.0.0.1:3", "--log-level",
                  "warning", "--app-id", "orders", "--app-port", "3000", "--resources-path", "a",
                  "--resources-path", "b", "--enable-app-health-check", "--app-protocol", "grpc"));
  EXPECT_THAT(idle_flags(run), ElementsAre("--max-body-size"));
}

TEST(RunSettings, MakeAHostOfActorsOfANodeThatKeepsNoData) {
  const AppRun run{.values = {{"app-id", {"orders"}},
                              {"placement-host-address", {"a:1", "b:2"}},
                              {"scheduler-host-address", {"a:1", "c:3"}}}};
  EXPECT_TRUE(joins_others(run));
  EXPECT_THAT(run_node_command(run, {.http = 1, .grpc = 2}, kProgram, false),
              ElementsAre("troupe", "node", "--in-memory", "--no-storage", "--listen",
                          "127.0.0.1:0", "--http", "127.0.0.1:1", "--grpc", "127.0.0.1:2", "--join",
                          "a:1,b:2,c:3", "--app-id", "orders"));
}

TEST(RunSettings, KeepANodeAloneWhoseAddressesToJoinAreEmpty) {
  const AppRun run{.values = {{"app-id", {"orders"}}, {"placement-host-address", {""}}}};
  EXPECT_FALSE(joins_others(run));
  EXPECT_THAT(run_node_command(run, {}, kProgram, true), Contains("--no-discovery"));
  EXPECT_THAT(run_node_command(run, {}, kProgram, true), Not(Contains("--join")));
}

TEST(RunSettings, GiveTheAppWhatSdksLookFor) {
  const AppRun run{
      .values = {{"app-id", {"orders"}}, {"app-port", {"3000"}}, {"app-ssl", {"true"}}},
      .environment = {{"STAGE", "test"}}};
  EXPECT_THAT(app_environment(run, {.http = 1, .grpc = 2}),
              ElementsAre(Pair("APP_ID", "orders"), Pair("APP_CHANNEL_ADDRESS", "127.0.0.1"),
                          Pair("APP_PROTOCOL", "https"), Pair("DAPR_HTTP_PORT", "1"),
                          Pair("DAPR_GRPC_PORT", "2"), Pair("DAPR_METRICS_PORT", "1"),
                          Pair("APP_PORT", "3000"), Pair("STAGE", "test")));
  EXPECT_THAT(app_environment({.values = {{"app-id", {"a"}}}}, {.http = 1, .metrics = 9}),
              Contains(Pair("DAPR_METRICS_PORT", "9")));
}

TEST(RunSettings, AreRefusedWhereTheyDoNotGoTogether) {
  EXPECT_TRUE(check_run({.values = {{"app-id", {"a-1_B"}}}}));
  for (const std::string id : {"", "a.b", "a/b", "a b"}) {
    EXPECT_FALSE(check_run({.values = {{"app-id", {id}}}})) << id;
  }
  const Result<void> twice = check_run(
      {.values = {{"app-id", {"a"}}, {"app-port", {"3500"}}, {"dapr-http-port", {"3500"}}}});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, "port 3500 is wanted twice, by the app and as --dapr-http-port");
}

TEST(RunSettings, ReadValuesOfEachKind) {
  EXPECT_EQ(*parse_run_value(RunKind::kPort, "-1"), "0");
  EXPECT_FALSE(parse_run_value(RunKind::kPort, "65536"));
  EXPECT_FALSE(parse_run_value(RunKind::kPort, "80x"));
  EXPECT_TRUE(parse_run_value(RunKind::kNumber, "-1"));
  EXPECT_FALSE(parse_run_value(RunKind::kNumber, "1.5"));
  EXPECT_FALSE(parse_run_value(RunKind::kTruth, "yes"));
}

TEST(RunPortsTest, AreFreeAndAllDifferent) {
  const Result<RunPorts> ports = choose_ports({.values = {{"app-id", {"a"}}}});
  ASSERT_TRUE(ports) << ports.error().message;
  EXPECT_NE(ports->http, 0);
  EXPECT_NE(ports->grpc, 0);
  EXPECT_NE(ports->http, ports->grpc);
  EXPECT_EQ(ports->metrics, 0);
  EXPECT_FALSE(is_listening(ports->http));
}

TEST(RunPortsTest, ThatAreTakenAreNamedWithTheirFlag) {
  const TakenPort taken;
  const std::string port = std::to_string(taken.port());
  EXPECT_TRUE(is_listening(taken.port()));
  const Result<RunPorts> http = choose_ports({.values = {{"dapr-http-port", {port}}}});
  ASSERT_FALSE(http);
  EXPECT_THAT(http.error().message, HasSubstr("port " + port + " (--dapr-http-port) is taken"));
  const Result<RunPorts> app =
      choose_ports({.values = {{"app-port", {port}}}, .command = {"node", "app.js"}});
  ASSERT_FALSE(app);
  EXPECT_THAT(app.error().message, HasSubstr("port " + port + " (--app-port) is taken"));
  // Without a command the app may run already.
  EXPECT_TRUE(choose_ports({.values = {{"app-port", {port}}}}));
}

TEST(ShownOutputTest, IsKeptWithoutEscapes) {
  EXPECT_EQ(without_escapes("\x1b[1;32mgreen\x1b[0m and \x1b(plain"), "green and plain");
  EXPECT_EQ(without_escapes("cut \x1b[3"), "cut ");
  EXPECT_EQ(without_escapes("\x1b"), "");
}

}  // namespace
}  // namespace troupe::tools

#include "runtime/node/daprd_flags.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::node {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Daprd : public ::testing::Test {
 protected:
  Result<DaprdOutcome> outcome(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--app-id", "orders"});
    const Result<DaprdGiven> given = parse_daprd_flags(arguments);
    if (!given) return fail(given.error());
    return daprd_settings(*given, [this](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
  }
  NodeSettings settings(const std::vector<std::string>& arguments) {
    Result<DaprdOutcome> got = outcome(arguments);
    EXPECT_TRUE(got) << got.error().message;
    if (!got) return {};
    warnings = got->warnings;
    return got->settings;
  }
  std::string wrong(const std::vector<std::string>& arguments) {
    const Result<DaprdOutcome> got = outcome(arguments);
    return got ? "it is taken" : got.error().message;
  }

  std::map<std::string, std::string> variables;
  std::vector<std::string> warnings;
};

TEST_F(Daprd, HasTheSidecarsPortsOnAllInterfacesButNotForOtherNodes) {
  const NodeSettings got = settings({});
  EXPECT_EQ(got.app_id, "orders");
  EXPECT_EQ(got.http, "0.0.0.0:3500");
  EXPECT_EQ(got.grpc, "0.0.0.0:50001");
  EXPECT_EQ(got.metrics, "0.0.0.0:9090");
  EXPECT_EQ(got.public_http, "");
  EXPECT_EQ(got.listen, "127.0.0.1:0");
  EXPECT_EQ(got.stop_patience, 5s);
  EXPECT_THAT(warnings, Contains(HasSubstr("there is no DAPR_API_TOKEN")));
}

TEST_F(Daprd, ListensWhereItIsTold) {
  variables["DAPR_API_TOKEN"] = "secret";
  const NodeSettings got = settings({"--dapr-http-port=3501", "-dapr-grpc-port", "50002",
                                     "--dapr-listen-addresses", "127.0.0.1,10.0.0.1",
                                     "--metrics-port", "9091", "--metrics-listen-address=127.0.0.1",
                                     "--dapr-public-port=3600", "--dapr-internal-grpc-port", "7000",
                                     "--dapr-internal-grpc-listen-address", "10.0.0.1"});
  EXPECT_EQ(got.http, "127.0.0.1:3501");
  EXPECT_EQ(got.grpc, "127.0.0.1:50002");
  EXPECT_EQ(got.metrics, "127.0.0.1:9091");
  EXPECT_EQ(got.public_http, "0.0.0.0:3600");
  EXPECT_EQ(got.listen, "10.0.0.1:7000");
  EXPECT_EQ(got.api_token, "secret");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("not 10.0.0.1")));
}

TEST_F(Daprd, ReadsFlagsAsGoDoes) {
  EXPECT_EQ(settings({"--enable-metrics=false"}).metrics, "");
  EXPECT_EQ(settings({"-enable-metrics=F"}).metrics, "");
  // A truth value takes no word after it, which then stands alone and is not read.
  EXPECT_NE(settings({"--enable-metrics", "false"}).metrics, "");
  EXPECT_EQ(settings({"--app-max-concurrency", "-1"}).app_concurrency_max, -1);
  EXPECT_EQ(settings({"--app-port", ""}).app_port, 0);
  EXPECT_EQ(settings({"--app-port=1", "--app-port=2"}).app_port, 2);
  EXPECT_EQ(settings({"--", "--app-port=2"}).app_port, 0);
  EXPECT_THAT(settings({"--resources-path", "a,b", "--resources-path=c"}).resources_paths,
              ElementsAre("a", "b", "c"));
  EXPECT_EQ(wrong({"--app-prt", "1"}), "unknown flag '--app-prt'; did you mean 'app-port'?");
  EXPECT_EQ(wrong({"--app-port"}), "flag needs an argument: --app-port");
  EXPECT_EQ(wrong({"--app-port=70000"}), "--app-port: '70000' is no port: 1 to 65535");
  EXPECT_EQ(wrong({"--enable-metrics=maybe"}),
            "--enable-metrics: 'maybe' is no truth value: true or false");
  EXPECT_EQ(wrong({"--app-max-concurrency=many"}),
            "--app-max-concurrency: 'many' is no whole number");
  EXPECT_EQ(wrong({"--actors-disseminate-timeout=30"}),
            "--actors-disseminate-timeout: '30' is no duration, such as 1m30s");
}

TEST_F(Daprd, JoinsPlacementAndSchedulerAddressesAsAHostOnly) {
  EXPECT_TRUE(settings({}).storage);
  const NodeSettings got =
      settings({"--placement-host-address", "a:1,b:2", "--scheduler-host-address=b:2",
                "--scheduler-host-address=c:3"});
  EXPECT_THAT(got.join, ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_FALSE(got.storage);
  EXPECT_FALSE(got.discover);
  EXPECT_THAT(settings({"--actors-service", "placement:a:1,b:2"}).join, ElementsAre("a:1", "b:2"));
  variables["DAPR_SCHEDULER_HOST_ADDRESS_DNS_A"] = "d:4";
  EXPECT_THAT(settings({}).join, ElementsAre("d:4"));
  EXPECT_THAT(settings({"--scheduler-host-address", ""}).join, IsEmpty());
}

TEST_F(Daprd, KeepsWhatConcernsTheApp) {
  variables["APP_API_TOKEN"] = "for the app";
  const NodeSettings got = settings(
      {"--app-port", "3000", "--app-protocol", "HTTP", "--app-channel-address", "app",
       "--enable-app-health-check", "--app-health-check-path", "/up", "--app-health-probe-interval",
       "7", "--app-health-probe-timeout", "250", "--app-health-threshold", "0",
       "--disable-init-endpoints", "subscribe,config", "--config", "c.yaml"});
  EXPECT_EQ(got.app_port, 3000);
  EXPECT_EQ(got.app_protocol, "http");
  EXPECT_EQ(settings({"--app-ssl", "--app-protocol=gRPC"}).app_protocol, "grpcs");
  EXPECT_EQ(got.app_host, "app");
  EXPECT_EQ(got.app_token, "for the app");
  EXPECT_TRUE(got.app_health);
  EXPECT_EQ(got.app_health_path, "/up");
  EXPECT_EQ(got.app_health_interval, 7s);
  EXPECT_EQ(got.app_health_timeout, 250ms);
  EXPECT_EQ(got.app_health_threshold, 3);
  EXPECT_FALSE(got.app_says_config);
  EXPECT_THAT(got.configurations, ElementsAre("c.yaml"));
  EXPECT_THAT(settings({"--components-path", "old"}).resources_paths, ElementsAre("old"));
  EXPECT_THAT(settings({"--components-path", "old", "--resources-path", "new"}).resources_paths,
              ElementsAre("new"));
}

TEST_F(Daprd, RefusesWhatDoesNotGoTogetherOrIsNotOffered) {
  EXPECT_THAT(wrong({"--app-id="}), HasSubstr("--app-id is missing"));
  EXPECT_THAT(wrong({"--app-id=a.b"}), HasSubstr("has a '.'"));
  EXPECT_THAT(wrong({"--app-port=3500"}), HasSubstr("is a port of the node's own API"));
  EXPECT_THAT(wrong({"--app-port=50001"}), HasSubstr("is a port of the node's own API"));
  EXPECT_THAT(wrong({"--app-protocol=grpc", "--app-port=3000"}), HasSubstr("is not there yet"));
  EXPECT_THAT(wrong({"--app-protocol=smtp"}), HasSubstr("'smtp' is none of"));
  EXPECT_THAT(wrong({"--enable-app-health-check", "--app-health-probe-timeout=6000"}),
              HasSubstr("is longer than"));
  EXPECT_THAT(wrong({"--mode=kubernetes"}), HasSubstr("only standalone"));
  EXPECT_THAT(wrong({"--unix-domain-socket=/tmp"}), HasSubstr("not offered here"));
  EXPECT_THAT(wrong({"--log-level=loud"}), HasSubstr("no log level 'loud'"));
  EXPECT_THAT(wrong({"--enable-mtls"}), HasSubstr("TROUPE_CLUSTER_KEY_FILE"));
  variables["TROUPE_CLUSTER_KEY_FILE"] = "key";
  EXPECT_EQ(settings({"--enable-mtls"}).cluster_key_file, "key");
}

TEST_F(Daprd, WarnsOfWhatHasNoEffectOnlyIfItIsAskedFor) {
  settings({"--enable-profiling", "--max-body-size=8Mi"});
  EXPECT_THAT(warnings, Contains(HasSubstr("--enable-profiling has no effect here")));
  EXPECT_THAT(warnings, Contains(HasSubstr("--max-body-size has no effect here")));
  settings({"--enable-profiling=false", "--sentry-address=", "--profile-port=7777"});
  EXPECT_THAT(warnings, Each(Not(HasSubstr("no effect"))));
}

TEST_F(Daprd, WaitsAsLongAsItIsToldForAnOrderlyEnd) {
  EXPECT_EQ(settings({"--dapr-graceful-shutdown-seconds=9"}).stop_patience, 9s);
  EXPECT_EQ(settings({"--dapr-graceful-shutdown-seconds=-1"}).stop_patience, 5s);
  EXPECT_EQ(settings({"--dapr-graceful-shutdown-seconds=0"}).stop_patience, 24h);
}

TEST(DaprdTable, KnowsEachFlagOnceAndSaysWhyOneIsIdle) {
  std::set<std::string_view> names;
  for (const DaprdFlag& flag : daprd_flags()) {
    EXPECT_TRUE(names.insert(flag.name).second) << flag.name;
    EXPECT_TRUE(flag.use == DaprdUse::kQuestion || !flag.note.empty()) << flag.name;
    const Result<DaprdGiven> given =
        parse_daprd_flags({"--" + std::string(flag.name) + "=" +
                           (flag.kind == DaprdKind::kTruth      ? "true"
                            : flag.kind == DaprdKind::kDuration ? "1s"
                                                                : "1")});
    ASSERT_TRUE(given) << given.error().message;
    EXPECT_TRUE(given->has(flag.name));
  }
  EXPECT_EQ(names.size(), 59U);  // with --help
}

TEST(DaprdTable, IsUsedUnderThatNameOnly) {
  EXPECT_TRUE(is_daprd("daprd"));
  EXPECT_TRUE(is_daprd("/home/ada/.dapr/bin/daprd"));
  EXPECT_FALSE(is_daprd("troupe"));
  EXPECT_FALSE(is_daprd("/daprd/troupe"));
}

}  // namespace
}  // namespace troupe::node

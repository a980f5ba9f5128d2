#include "tools/troupe/run_file.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class RunFileTest : public ::testing::Test {
 protected:
  Result<RunFile> parse(const std::string& text) {
    return parse_run_file(
        text, {.directory = "/work",
               .home = "/home/ada",
               .exists = [this](const std::string& path) { return there_.contains(path); }});
  }
  std::string wrong(const std::string& text) {
    const Result<RunFile> parsed = parse(text);
    return parsed ? "it is read" : parsed.error().message;
  }

  std::set<std::string> there_ = {"/work/orders", "/work/cart", "/work/res", "/home/ada/res"};
};

TEST_F(RunFileTest, GivesEachAppItsSettingsAndTheCommonOnes) {
  const Result<RunFile> file = parse(R"(version: 1
name: shop
common:
  resourcesPaths: [./res]
  logLevel: debug
  env: {STAGE: test, SHARED: yes}
apps:
  - appDirPath: ./orders
    appID: orders-service
    appPort: 3000
    appProtocol: grpc
    daprHTTPPort: 3501
    enableAppHealthCheck: true
    env: {STAGE: live}
    command: ["node", "app.js"]
    appLogDestination: console
  - appDirPath: cart/
    logLevel: ""
    resourcesPaths: ["~/res"]
)");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->name, "shop");
  ASSERT_EQ(file->apps.size(), 2U);
  const AppRun& orders = file->apps[0];
  EXPECT_EQ(orders.app_id(), "orders-service");
  EXPECT_EQ(orders.directory, "/work/orders");
  EXPECT_EQ(orders.port("app-port"), 3000);
  EXPECT_EQ(orders.port("dapr-http-port"), 3501);
  EXPECT_EQ(orders.text("app-protocol"), "grpc");
  EXPECT_EQ(orders.text("log-level"), "debug");
  EXPECT_TRUE(orders.truth("enable-app-health-check"));
  EXPECT_THAT(orders.values.at("resources-path"), ElementsAre("/work/res"));
  EXPECT_THAT(orders.command, ElementsAre("node", "app.js"));
  EXPECT_THAT(orders.environment,
              ElementsAre(Pair("STAGE", "test"), Pair("SHARED", "yes"), Pair("STAGE", "live")));
  EXPECT_EQ(orders.app_log, LogPlace::kConsole);
  EXPECT_EQ(orders.node_log, LogPlace::kFile);
  const AppRun& cart = file->apps[1];
  EXPECT_EQ(cart.app_id(), "cart");
  EXPECT_EQ(cart.text("log-level"), "debug");
  EXPECT_THAT(cart.values.at("resources-path"), ElementsAre("/home/ada/res"));
  EXPECT_THAT(cart.command, IsEmpty());
  EXPECT_EQ(cart.app_log, LogPlace::kBoth);
}

TEST_F(RunFileTest, PrefersTheFoldersOwnResourcesToTheCommonOnes) {
  there_.insert({"/work/orders/.dapr/resources", "/work/orders/.dapr/config.yaml"});
  const Result<RunFile> file = parse(
      "version: 1\ncommon: {resourcesPath: res}\napps: [{appDirPath: orders}, {appDirPath: cart}, "
      "{appDirPath: orders, appID: third, resourcesPaths: [../res]}]");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->apps[0].values.at("resources-path"),
              ElementsAre("/work/orders/.dapr/resources"));
  EXPECT_THAT(file->apps[0].values.at("config"), ElementsAre("/work/orders/.dapr/config.yaml"));
  EXPECT_THAT(file->apps[1].values.at("resources-path"), ElementsAre("/work/res"));
  EXPECT_FALSE(file->apps[1].has("config"));
  EXPECT_THAT(file->apps[2].values.at("resources-path"), ElementsAre("/work/res"));
}

TEST_F(RunFileTest, KnowsAnEmptyAddressFromNone) {
  const Result<RunFile> file = parse(
      "version: 1\ncommon: {placementHostAddress: 'a:1,b:2'}\n"
      "apps: [{appDirPath: orders}, {appDirPath: cart, placementHostAddress: ''}]");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->apps[0].values.at("placement-host-address"), ElementsAre("a:1", "b:2"));
  EXPECT_THAT(file->apps[1].values.at("placement-host-address"), ElementsAre(""));
}

TEST_F(RunFileTest, KeepsWhatOnlyKubernetesWants) {
  const Result<RunFile> file =
      parse("version: 1\napps: [{appDirPath: orders, containerImage: a, createService: true}]");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->idle_keys, ElementsAre("containerImage", "createService"));
}

TEST_F(RunFileTest, NamesTheLineOfWhatIsWrong) {
  const std::string head = "version: 1\napps:\n  - appDirPath: orders\n";
  EXPECT_EQ(wrong(head + "    appPrt: 3000\n"),
            "line 4: there is no setting 'appPrt'; did you mean 'appPort'?");
  EXPECT_EQ(wrong(head + "    appPort: 70000\n"),
            "line 4: 'appPort': '70000' is no port: 1 to 65535");
  EXPECT_EQ(wrong(head + "    appPort: [1]\n"), "line 4: 'appPort' must be a single value");
  EXPECT_EQ(wrong(head + "    command: node app.js\n"), "line 4: 'command' must be a list");
  EXPECT_EQ(wrong(head + "    enableAppHealthCheck: maybe\n"),
            "line 4: 'enableAppHealthCheck': 'maybe' is neither true nor false");
  EXPECT_EQ(wrong(head + "    configFilePath: nowhere.yaml\n"),
            "line 4: 'configFilePath': there is no /work/orders/nowhere.yaml");
  EXPECT_EQ(wrong(head + "    appID: a\n    appID: b\n"), "line 5: 'appID' stands there twice");
  EXPECT_THAT(wrong(head + "    appID: a.b\n"), HasSubstr("line 3: 'a.b' is no app id"));
  EXPECT_THAT(wrong(head + "    appLogDestination: paper\n"), HasSubstr("'paper' is none of"));
  EXPECT_EQ(wrong("version: 1\ncommon: {appPort: 1}\napps: [{appDirPath: orders}]"),
            "line 2: 'appPort' belongs to an app, not into 'common'");
  EXPECT_EQ(wrong("version: 1\napps: [{appDirPath: orders}, {appDirPath: orders}]"),
            "line 2: there are two apps 'orders'");
  EXPECT_EQ(wrong("version: 1\napps: [{appID: a}]"), "line 2: the app has no 'appDirPath'");
  EXPECT_EQ(wrong("apps: [{appDirPath: orders}]"), "line 1: 'version: 1' is missing");
  EXPECT_EQ(wrong("version: 2\napps: []"), "line 1: 'version' must be 1");
  EXPECT_EQ(wrong("version: 1\napps: []"), "line 2: 'apps' must be a list of apps");
  EXPECT_EQ(wrong("version: 1\nservices: []"), "line 2: there is no 'services' in a run file");
  EXPECT_THAT(wrong("version: 1\napps: [{"), HasSubstr("line 2: "));
  EXPECT_THAT(wrong("- a"), HasSubstr("a run file must have keys and values"));
  EXPECT_THAT(wrong(""), HasSubstr("a run file must have keys and values"));
  EXPECT_EQ(wrong(std::string(kRunFileBytesMax + 1, '#')), "it is larger than 1 MiB");
}

}  // namespace
}  // namespace troupe::tools

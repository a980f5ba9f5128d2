#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/node/node_settings.h"
#include "tests/support/temporary_directory.h"

namespace troupe::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Flags : public ::testing::Test {
 protected:
  ~Flags() override {
    for (const char* name : set_) unsetenv(name);
  }
  void set(const char* name, const char* value) {
    setenv(name, value, 1);
    set_.push_back(name);
  }
  std::string file(const std::string& text) {
    const std::string path = directory_.path() + "/troupe.toml";
    std::ofstream(path) << text;
    return path;
  }
  FlagsOutcome read(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), "node");
    argv.reserve(arguments.size());
    for (std::string& each : arguments) argv.push_back(each.data());
    ::testing::internal::CaptureStderr();
    const FlagsOutcome outcome = read_flags(static_cast<int>(argv.size()), argv.data(), settings);
    said = ::testing::internal::GetCapturedStderr();
    return outcome;
  }

  NodeSettings settings;
  std::string said;

 private:
  TemporaryDirectory directory_;
  std::vector<const char*> set_;
};

TEST_F(Flags, AreStrongerThanTheEnvironmentAndThatThanTheFile) {
  const std::string path = file("http = \"file:1\"\ngrpc = \"file:2\"\nlisten = \"file:3\"\n");
  set("TROUPE_HTTP", "environment:1");
  set("TROUPE_GRPC", "environment:2");
  ASSERT_TRUE(read({"--config", path, "--http", "flag:1"}).run) << said;
  EXPECT_EQ(settings.http, "flag:1");
  EXPECT_EQ(settings.grpc, "environment:2");
  EXPECT_EQ(settings.listen, "file:3");
}

TEST_F(Flags, OfAFileMayBeListsNumbersAndTruths) {
  const std::string path = file(
      "join = [\"a:1\", \"b:2\"]\nshards = 64\nno-discovery = true\ninsecure = false\n"
      "no-storage = true\nlog-format = \"json\"\n");
  set("TROUPE_CONFIG", path.c_str());
  ASSERT_TRUE(read({}).run) << said;
  EXPECT_THAT(settings.join, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(settings.shards, 64U);
  EXPECT_FALSE(settings.discover);
  EXPECT_FALSE(settings.insecure);
  EXPECT_FALSE(settings.storage);
  EXPECT_EQ(settings.log_format, LogFormat::kJson);
}

TEST_F(Flags, OfTheEnvironmentMayBeTruths) {
  set("TROUPE_NO_STORAGE", "true");
  set("TROUPE_JOIN", "a:1,b:2");
  ASSERT_TRUE(read({}).run) << said;
  EXPECT_FALSE(settings.storage);
  EXPECT_THAT(settings.join, ElementsAre("a:1", "b:2"));
}

TEST_F(Flags, ThatAreUnknownAreRefusedWithTheNearest) {
  EXPECT_EQ(read({"--htpt", "a:1"}).exit_code, 2);
  EXPECT_THAT(said, HasSubstr("unknown flag '--htpt'; did you mean '--http'?"));
  EXPECT_EQ(read({"--config", file("lisen = \"a:1\"")}).exit_code, 2);
  EXPECT_THAT(said,
              HasSubstr("troupe.toml:1: there is no setting 'lisen'; did you mean 'listen'?"));
  EXPECT_EQ(read({"--config", file("config = \"a\"")}).exit_code, 2);
  EXPECT_THAT(said, HasSubstr("there is no setting 'config'"));
}

TEST_F(Flags, WithWrongValuesAreRefusedWhereverTheyStand) {
  EXPECT_EQ(read({"--shards", "100"}).exit_code, 2);
  EXPECT_THAT(said, HasSubstr("'100' is no power of two"));
  EXPECT_EQ(read({"--config", file("\nshards = 100")}).exit_code, 2);
  EXPECT_THAT(said, HasSubstr("troupe.toml:2: "));
  EXPECT_THAT(said, HasSubstr("'100' is no power of two"));
  set("TROUPE_WEIGHT", "heavy");
  EXPECT_EQ(read({}).exit_code, 2);
  EXPECT_THAT(said, HasSubstr("TROUPE_WEIGHT: "));
}

TEST_F(Flags, NameAFileThatIsNotThere) {
  EXPECT_EQ(read({"--config", "/no/such/file"}).exit_code, 2);
  EXPECT_THAT(said, HasSubstr("/no/such/file: it cannot be opened"));
}

TEST_F(Flags, NameTheAppBesideTheNodeAsDaprDoes) {
  set("APP_API_TOKEN", "secret");
  ASSERT_TRUE(read({"--app-id", "orders", "--app-port", "3000", "--app-protocol=http",
                    "--app-max-concurrency", "5", "--enable-app-health-check",
                    "--app-health-probe-interval", "2", "--app-health-probe-timeout", "800",
                    "--disable-init-endpoints", "config,subscribe", "--dapr-http-port", "3501"})
                  .run)
      << said;
  EXPECT_EQ(settings.app_port, 3000);
  EXPECT_EQ(settings.app_host, "127.0.0.1");
  EXPECT_EQ(settings.app_concurrency_max, 5);
  EXPECT_TRUE(settings.app_health);
  EXPECT_EQ(settings.app_health_interval, std::chrono::seconds(2));
  EXPECT_EQ(settings.app_health_timeout, std::chrono::milliseconds(800));
  EXPECT_FALSE(settings.app_says_config);
  EXPECT_EQ(settings.app_token, "secret");
  EXPECT_EQ(settings.http, "127.0.0.1:3501");
}

TEST_F(Flags, ThatDoNotFitTogetherAreRefused) {
  EXPECT_FALSE(read({"--app-port", "3500"}).run);
  EXPECT_THAT(said, HasSubstr("--app-port 3500 is the node's own"));
  EXPECT_FALSE(read({"--app-port", "3000", "--app-protocol", "grpc"}).run);
  EXPECT_THAT(said, HasSubstr("'grpc' is not there yet"));
  EXPECT_FALSE(read({"--app-port", "3000", "--enable-app-health-check",
                     "--app-health-probe-interval", "1", "--app-health-probe-timeout", "2000"})
                   .run);
  EXPECT_THAT(said, HasSubstr("is longer than"));
}

}  // namespace
}  // namespace troupe::node

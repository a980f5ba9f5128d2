#include "tools/troupe/running_apps.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/temporary_directory.h"

namespace troupe::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As if this process kept it running.
RunningApp own(const std::string& app_id) {
  return {.app_id = app_id,
          .http_port = 3500,
          .grpc_port = 50001,
          .app_port = 3000,
          .run = getpid(),
          .run_started = process_facts(getpid())->started,
          .node = 12,
          .app = 13,
          .storage = true,
          .started_at = 1'700'000'000,
          .command = "node app.js --x=1",
          .run_file = "/work/dapr.yaml"};
}

TEST(RunningAppTest, IsReadAsItWasWritten) {
  const RunningApp app = own("orders");
  EXPECT_EQ(parse_running(format_running(app)), app);
}

TEST(RunningAppTest, StaysOneLinePerValueWhateverItHolds) {
  RunningApp app = own("orders");
  app.command = "sh -c 'a\nrun=1'";
  const auto parsed = parse_running(format_running(app));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->run, getpid());
}

TEST(RunningAppTest, IsNotReadFromAnythingElse) {
  for (const std::string text :
       {"", "app-id=a\n", "app-id=a\nrun=x\n", "app-id=a\nrun=-1\n", "run=1\n", "app-id=a\nrun=1",
        "app-id\nrun=1\n", "app-id=a\nrun=1\nstorage=2\n"}) {
    EXPECT_FALSE(parse_running(text)) << text;
  }
  EXPECT_TRUE(parse_running("app-id=a\nrun=1\nof-a-later-version=1\n"));
}

TEST(ProcessFactsTest, AreReadBehindANameThatMayHoldAnything) {
  const auto facts = parse_process_stat(
      "42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 20\n");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->parent, 7);
  EXPECT_EQ(facts->started, 987'654U);
  EXPECT_FALSE(parse_process_stat("42 (a) S 7 1"));
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_EQ(process_facts(getpid())->parent, getppid());
  EXPECT_FALSE(process_facts(0));
}

TEST(RunningAppsTest, AreThereUntilTheyAreRemoved) {
  const TemporaryDirectory directory;
  const RunningApps registry(directory.path() + "/not/yet");
  EXPECT_THAT(registry.all(), IsEmpty());
  ASSERT_TRUE(registry.put(own("orders")));
  ASSERT_TRUE(registry.put(own("cart")));
  RunningApp later = own("orders");
  later.app = 14;
  ASSERT_TRUE(registry.put(later));
  EXPECT_THAT(registry.all(), ElementsAre(own("cart"), later));
  registry.remove(own("cart"));
  EXPECT_THAT(registry.all(), ElementsAre(later));
}

TEST(RunningAppsTest, ForgetThoseWhoseRunHasEndedAlsoIfItsNumberWasGivenAgain) {
  const TemporaryDirectory directory;
  const RunningApps registry(directory.path());
  RunningApp other = own("orders");
  other.run_started -= 1;  // another process had this number then
  ASSERT_TRUE(registry.put(other));
  std::ofstream(directory.path() + "/broken.1.run") << "what is this";
  std::ofstream(directory.path() + "/of-others.txt") << "stays";
  EXPECT_THAT(registry.all(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/broken.1.run"));
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/of-others.txt"));
}

}  // namespace
}  // namespace troupe::tools

// A node of three comes back without its disk, with an old one, or twice.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/examples/counter/counter.h"
#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::size_t kLost = 2;
constexpr int kCounters = 20;

class LostDisk : public testing::Test {
 protected:
  void SetUp() override {
    // Few, since each is copied to the new node in the end.
    for (std::size_t i = 0; i < cluster_.size(); ++i) cluster_.start(i, {"--shards", "16"});
    ASSERT_TRUE(cluster_.all_ready());
    add_to_all();
  }

  void add_to_all() {
    ++added_;
    for (int i = 0; i < kCounters; ++i) {
      const auto counter = cluster_.client().actor<Counter>(std::to_string(i));
      EXPECT_EQ(counter.call<&Counter::add>(1).get(), added_);
    }
  }
  void expect_all_kept(std::size_t through) {
    for (int i = 0; i < kCounters; ++i) {
      const auto counter = cluster_.client(through).actor<Counter>(std::to_string(i));
      EXPECT_EQ(counter.call<&Counter::value>().get(), added_);
    }
  }

  void copy(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  }
  void stop_in_order(std::size_t node) {
    cluster_.process(node).signal(SIGTERM);
    ASSERT_EQ(cluster_.process(node).wait(kPatience), 0);
  }
  /// It ends by itself, and says what to do.
  void expect_refused(std::size_t node, int exit_code, const std::string& why) {
    EXPECT_EQ(cluster_.process(node).wait(kPatience), exit_code);
    EXPECT_THAT(cluster_.log(node), HasSubstr(why));
    EXPECT_THAT(cluster_.log(node), HasSubstr("an empty"));
  }
  void drain(const std::string& id) {
    Process command;
    command.start({TROUPE_COMMAND, "drain", id, "--address",
                   "127.0.0.1:" + std::to_string(cluster_.http_port(0))},
                  cluster_.directory() + "/drain.log");
    EXPECT_EQ(command.wait(kPatience), 0) << command.output();
  }
  /// As node 0 sees it.
  int replicas_of(const std::string& id) {
    const std::string nodes = cluster_.get(0, "/troupe/v1/nodes").body;
    const std::size_t at = nodes.find(id);
    constexpr std::string_view kBefore = "\"replicas\":";
    const std::size_t replicas = nodes.find(kBefore, at);
    if (at == std::string::npos || replicas == std::string::npos) return -1;
    return std::stoi(nodes.substr(replicas + kBefore.size()));
  }

  NodeCluster cluster_{TROUPE_COUNTER, 3};
  int added_ = 0;
};

TEST_F(LostDisk, AnOldIdentityWithoutItsStoreIsRefused) {
  cluster_.process(kLost).kill();
  std::filesystem::remove_all(cluster_.data(kLost) + "/store");
  cluster_.start(kLost);
  expect_refused(kLost, 1, "missing");
  add_to_all();
}

TEST_F(LostDisk, AnOlderCopyOfTheDirectoryIsRefused) {
  stop_in_order(kLost);
  const std::string old = cluster_.directory() + "/old";
  copy(cluster_.data(kLost), old);
  cluster_.start(kLost);
  ASSERT_TRUE(cluster_.ready(kLost));
  add_to_all();
  stop_in_order(kLost);
  copy(old, cluster_.data(kLost));
  cluster_.start(kLost);
  expect_refused(kLost, 70, "copied or rolled back");
  expect_all_kept(0);
}

TEST_F(LostDisk, OfTwoCopiesTheNewestIsHeard) {
  stop_in_order(kLost);
  copy(cluster_.data(kLost), cluster_.data(3));
  cluster_.start(kLost);
  ASSERT_TRUE(cluster_.ready(kLost));
  const std::size_t clone = cluster_.add();
  EXPECT_TRUE(eventually(
      [&] { return !cluster_.process(kLost).runs() || !cluster_.process(clone).runs(); }));
  add_to_all();
  const bool clone_ended = !cluster_.process(clone).runs();
  expect_refused(clone_ended ? clone : kLost, 70, "copied or rolled back");
  EXPECT_TRUE(cluster_.process(clone_ended ? kLost : clone).runs());
}

TEST_F(LostDisk, AnEmptyDirectoryIsANewNodeThatFillsUpOnceTheOldOneIsDrained) {
  const std::string lost = cluster_.id(kLost);
  cluster_.process(kLost).kill();
  std::filesystem::remove_all(cluster_.data(kLost));
  cluster_.start(kLost);
  ASSERT_TRUE(cluster_.ready(kLost));
  EXPECT_NE(cluster_.id(kLost), lost);
  drain(lost);
  EXPECT_TRUE(eventually([&] { return replicas_of(lost) == 0; }, 90s)) << replicas_of(lost);
  // It is as good as the others: one of them may go.
  cluster_.process(0).kill();
  for (int i = 0; i < kCounters; ++i) {
    const auto counter = cluster_.client(kLost).actor<Counter>(std::to_string(i));
    EXPECT_EQ(counter.call<&Counter::value>().get(), added_);
  }
}

}  // namespace
}  // namespace troupe

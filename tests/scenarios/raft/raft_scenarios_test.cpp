#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/scenarios/raft/conversation.h"

namespace troupe::raft {
namespace {

std::vector<std::string> scenarios() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(TROUPE_RAFT_SCENARIOS)) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

class RaftScenario : public testing::TestWithParam<std::string> {};

TEST_P(RaftScenario, GoesAsWritten) {
  const auto path = std::filesystem::path(TROUPE_RAFT_SCENARIOS) / (GetParam() + ".txt");
  std::ifstream file(path);
  std::stringstream script;
  script << file.rdbuf();
  ASSERT_FALSE(script.str().empty()) << path;
  EXPECT_EQ(Conversation().play(script.str()), "") << path;
}

INSTANTIATE_TEST_SUITE_P(, RaftScenario, testing::ValuesIn(scenarios()),
                         [](const auto& scenario) { return scenario.param; });

}  // namespace
}  // namespace troupe::raft

#include <string>

#include <gtest/gtest.h>

#include "tests/scenarios/raft/conversation.h"
#include "tests/support/scripts.h"

namespace troupe::raft {
namespace {

class RaftScenario : public testing::TestWithParam<std::string> {};

TEST_P(RaftScenario, GoesAsWritten) {
  const std::string script = read_script(TROUPE_RAFT_SCENARIOS, GetParam());
  ASSERT_FALSE(script.empty());
  EXPECT_EQ(Conversation().play(script), "");
}

INSTANTIATE_TEST_SUITE_P(, RaftScenario, testing::ValuesIn(script_names(TROUPE_RAFT_SCENARIOS)),
                         [](const auto& scenario) { return scenario.param; });

}  // namespace
}  // namespace troupe::raft

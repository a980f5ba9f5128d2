#include <string>

#include <gtest/gtest.h>

#include "tests/scenarios/placement/conversation.h"
#include "tests/support/scripts.h"

namespace troupe::placement {
namespace {

class PlacementScenario : public testing::TestWithParam<std::string> {};

TEST_P(PlacementScenario, GoesAsWritten) {
  const std::string script = read_script(TROUPE_PLACEMENT_SCENARIOS, GetParam());
  ASSERT_FALSE(script.empty());
  EXPECT_EQ(Conversation().play(script), "");
}

INSTANTIATE_TEST_SUITE_P(, PlacementScenario,
                         testing::ValuesIn(script_names(TROUPE_PLACEMENT_SCENARIOS)),
                         [](const auto& scenario) { return scenario.param; });

}  // namespace
}  // namespace troupe::placement

#include "runtime/api/service.h"

#include <gtest/gtest.h>

#include "tests/unit/api/api_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

class Services : public ::testing::Test {
 protected:
  void invoke(api::Context context) {
    world.service.invoke({.key = {"Cart", "c1"}, .method = "add"}, std::move(context),
                         [](const api::Outcome<actors::Reply>&) {});
  }

  ApiWorld world;
};

TEST_F(Services, EveryCallHasADeadline) {
  invoke({});
  EXPECT_EQ(world.call().deadline, world.clock.now() + 60s);
  invoke({.metadata = {}, .timeout = 2s});
  EXPECT_EQ(world.call().deadline, world.clock.now() + 2s);
}

TEST_F(Services, EveryCallHasAnIdOfItsOwn) {
  invoke({});
  const storage::CallId first = world.call().id;
  invoke({});
  EXPECT_EQ(first.origin, (NodeId{1, 1}));
  EXPECT_EQ(first.generation, Generation{4});
  EXPECT_NE(world.call().id.sequence, first.sequence);
}

TEST_F(Services, TheFirstReentrancyIdNamesTheChain) {
  invoke({.metadata = {{"dapr-reentrancy-id", "chain-1"}, {"Dapr-Reentrancy-Id", "chain-2"}},
          .timeout = {}});
  EXPECT_EQ(world.call().chain.id, "chain-1");
  EXPECT_TRUE(world.call().chain.waiting.empty());
}

TEST_F(Services, WhatAnAppWritesGoesToTheActivationHereOrNowhere) {
  world.backend.outside = "Cart";
  std::string outcome;
  const auto write = [&] {
    world.service.change_state({"Cart", "c1"}, {{.name = "k", .value = "1"}}, {},
                               [&](const api::Outcome<api::Nothing>& answer) {
                                 const auto* error = std::get_if<api::ApiError>(&answer);
                                 outcome = error == nullptr ? "done" : error->error_code;
                               });
  };
  write();
  EXPECT_EQ(outcome, "done");
  EXPECT_TRUE(world.backend.here.calls.at(0).here_only);
  world.backend.is_here = false;
  write();
  EXPECT_EQ(outcome, "ERR_ACTOR_INSTANCE_MISSING");
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(Services, WhatAnAppReadsMayComeFromElsewhere) {
  world.backend.outside = "Cart";
  const auto read = [&] { world.service.state({"Cart", "c1"}, "k", {}, [](const auto&) {}); };
  read();
  EXPECT_EQ(world.backend.here.calls.size(), 1U);
  world.backend.is_here = false;
  read();
  ASSERT_EQ(world.backend.routed.calls.size(), 1U);
  EXPECT_FALSE(world.backend.routed.calls[0].here_only);
}

TEST_F(Services, OfAnAppOnlyCallsOfAChainAreTakenToTheActivationHere) {
  world.backend.outside = "Cart";
  invoke({});
  EXPECT_EQ(world.backend.routed.calls.size(), 1U);
  invoke({.metadata = {{"Dapr-Reentrancy-Id", "chain-1"}}, .timeout = {}});
  EXPECT_EQ(world.backend.here.calls.size(), 1U);
}

TEST_F(Services, WhatIsAskedBeforeTheAppHasSaidWhatItHasWaits) {
  world.backend.is_settled = false;
  invoke({});
  EXPECT_TRUE(world.backend.routed.calls.empty());
  world.backend.is_settled = true;
  for (auto& then : world.backend.unsettled) then(true);
  EXPECT_EQ(world.backend.routed.calls.size(), 1U);
}

TEST_F(Services, RemindersOfOneActorAreListedByItsOwner) {
  actors::ReminderFacts facts;
  facts.name = "r";
  world.reply(actors::encode({facts}));
  std::string names;
  world.service.reminders({"Cart", "c1"}, {}, [&](const auto& outcome) {
    for (const auto& each : std::get<std::vector<api::NamedReminder>>(outcome)) {
      names += to_string(each.key) + "/" + each.facts.name;
    }
  });
  EXPECT_EQ(names, "Cart/c1/r");
}

TEST_F(Services, RemindersOfATypeAreDeletedOneByOne) {
  world.admin.stored = {{.type = "Cart", .id = "a", .name = "r1"},
                        {.type = "Cart", .id = "b", .name = "r2"}};
  bool deleted = false;
  world.service.delete_reminders({"Cart", ""}, {}, [&](const auto& outcome) {
    deleted = std::holds_alternative<api::Nothing>(outcome);
  });
  EXPECT_TRUE(deleted);
  std::string asked;
  for (const actors::Call& call : world.backend.routed.calls) {
    const auto operation = actors::decode_reminder_operation(call.message.view());
    asked += to_string(call.key) + "/" + operation->change.name +
             (operation->change.cancel ? " cancelled " : " ");
  }
  EXPECT_EQ(asked, "Cart/b/r2 cancelled Cart/a/r1 cancelled ");
}

TEST_F(Services, ADeletionThatFailsEndsTheRest) {
  world.admin.stored = {{.type = "Cart", .id = "a", .name = "r1"},
                        {.type = "Cart", .id = "b", .name = "r2"}};
  world.refuse(Code::kUnavailable, "no leader");
  std::string code;
  world.service.delete_reminders({"Cart", ""}, {}, [&](const auto& outcome) {
    code = std::get<api::ApiError>(outcome).error_code;
  });
  EXPECT_EQ(code, "ERR_ACTOR_REMINDER_DELETE");
  EXPECT_EQ(world.backend.routed.calls.size(), 1U);
}

TEST_F(Services, ATransactionHasALimit) {
  std::vector<api::StateChange> changes(actors::kStateOperationsMax + 1);
  for (api::StateChange& each : changes) each.name = "k";
  int status = 0;
  world.service.change_state({"Cart", "c1"}, std::move(changes), {}, [&](const auto& outcome) {
    status = std::get<api::ApiError>(outcome).status.http;
  });
  EXPECT_EQ(status, 500);
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

}  // namespace
}  // namespace troupe::testing

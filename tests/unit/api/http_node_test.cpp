// Health, metadata, shutdown, tokens, unknown paths and the native endpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/api_world.h"

namespace troupe::testing {
namespace {

TEST(NodeEndpoints, HealthFollowsTheMembership) {
  ApiWorld world;
  EXPECT_EQ(world.ask("GET", "/v1.0/healthz"), "204 ");
  EXPECT_EQ(world.ask("GET", "/v1.0/healthz/outbound"), "204 ");
  world.backend.is_ready = false;
  EXPECT_EQ(world.ask("GET", "/v1.0/healthz"),
            "500 " + error_json("ERR_HEALTH_NOT_READY", "dapr is not ready: [cluster]"));
  EXPECT_EQ(world.ask("GET", "/v1.0/healthz/outbound"),
            "500 " + error_json("ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready"));
}

TEST(NodeEndpoints, HealthIsAskedOfACertainApp) {
  ApiWorld world;
  EXPECT_EQ(world.ask("GET", "/v1.0/healthz?appid=shop"), "204 ");
  EXPECT_EQ(world.ask("GET", "/v1.0/healthz?appid=other"),
            "500 " + error_json("ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match"));
}

TEST(NodeEndpoints, MetadataNamesTheHostedTypes) {
  ApiWorld world;
  EXPECT_EQ(world.ask("GET", "/v1.0/metadata"),
            R"(200 {"id":"shop","runtimeVersion":"0.1.0",)"
            R"("actors":[{"type":"Cart","count":2},{"type":"Wallet","count":0}],)"
            R"("extended":{"daprRuntimeVersion":"0.1.0"},)"
            R"("actorRuntime":{"runtimeStatus":"RUNNING",)"
            R"("activeActors":[{"type":"Cart","count":2},{"type":"Wallet","count":0}],)"
            R"("hostReady":true,"placement":"placement: connected"}})");
  world.backend.is_ready = false;
  EXPECT_NE(world.ask("GET", "/v1.0/metadata").find(R"("runtimeStatus":"INITIALIZING")"),
            std::string::npos);
}

TEST(NodeEndpoints, MetadataCanBeExtended) {
  ApiWorld world;
  EXPECT_EQ(world.ask("PUT", "/v1.0/metadata/cliPID", "4711"), "204 ");
  EXPECT_NE(world.ask("GET", "/v1.0/metadata").find(R"("cliPID":"4711")"), std::string::npos);
}

TEST(NodeEndpoints, MetadataDoesNotGrowWithoutEnd) {
  ApiWorld world;
  for (int i = 0; i < 1000; ++i) world.ask("PUT", "/v1.0/metadata/k" + std::to_string(i), "v");
  EXPECT_EQ(world.request("PUT", "/v1.0/metadata/more", "v").status, 429);
  EXPECT_EQ(world.request("PUT", "/v1.0/metadata/k1", "w").status, 204);
}

TEST(NodeEndpoints, ShutdownIsInOrderOrAtOnce) {
  ApiWorld world;
  EXPECT_EQ(world.ask("POST", "/v1.0/shutdown"), "204 ");
  EXPECT_EQ(world.stopped, "in order");
  world.ask("POST", "/v1.0/shutdown", "", {{"dapr-force-shutdown", "true"}});
  EXPECT_EQ(world.stopped, "at once");
}

TEST(NodeEndpoints, ATokenIsAskedForExceptForHealth) {
  ApiWorld world("secret");
  const net::HttpResponse refused = world.request("GET", "/v1.0/metadata");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body.view(), "invalid api token");
  EXPECT_TRUE(refused.content_type.starts_with("text/plain"));
  for (const char* wrong : {"", "secre", "secreT", "secretsecret"}) {
    EXPECT_EQ(world.request("GET", "/v1.0/metadata", "", {{"dapr-api-token", wrong}}).status, 401);
  }
  EXPECT_EQ(world.request("GET", "/v1.0/metadata", "", {{"Dapr-Api-Token", "secret"}}).status, 200);
  EXPECT_EQ(world.request("GET", "/v1.0/healthz").status, 204);
  EXPECT_EQ(world.request("GET", "/v1.0/healthz/outbound").status, 204);
  EXPECT_EQ(world.request("POST", "/v1.0/shutdown").status, 401);
  EXPECT_EQ(world.request("GET", "/troupe/v1/status").status, 401);
  EXPECT_EQ(world.request("POST", "/troupe/v1/backups/0a").status, 401);
  EXPECT_EQ(world.request("GET", "/troupe/v1/backups/0a/ff/7/1").status, 401);
  EXPECT_EQ(world.request("POST", "/troupe/v1/restores/r/begin").status, 401);
  EXPECT_EQ(world.request("GET", "/nothing").status, 401);
}

TEST(NodeEndpoints, UnknownPathsAndVerbsAnswerAsDaprDoes) {
  ApiWorld world;
  const std::string expected =
      "404 " +
      error_json("ERR_DIRECT_INVOKE",
                 "failed getting app id either from the URL path or the header dapr-app-id");
  EXPECT_EQ(world.ask("GET", "/nothing"), expected);
  EXPECT_EQ(world.ask("PATCH", "/v1.0/metadata"), expected);
  EXPECT_EQ(world.request("GET", "/nothing").content_type, "application/json");
  EXPECT_EQ(world.ask("POST", "/v1.0/invoke/app/method/m"),
            "500 " + error_json("ERR_DIRECT_INVOKE", "invoke API is not ready"));
}

TEST(NodeEndpoints, ABrokenEscapeIsPlainText) {
  ApiWorld world;
  const net::HttpResponse response = world.request("POST", "/v1.0/actors/Cart/a%zz/method/m");
  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(response.content_type.starts_with("text/plain"));
  EXPECT_TRUE(
      response.body.view().starts_with(R"(failed to unescape request parameter "actorId". Error)"));
}

TEST(NodeEndpoints, WhatTheServerRefusesHasDaprsBody) {
  const net::HttpResponse response = api::HttpApi::refused(413, "stream too large");
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body.view(), error_json("ERR_BAD_REQUEST", "stream too large"));
}

TEST(AdminEndpoints, TellWhatTheClusterIsLike) {
  ApiWorld world;
  EXPECT_TRUE(world.ask("GET", "/troupe/v1/status").starts_with(R"(200 {"cluster":"c",)"));
  EXPECT_TRUE(world.ask("GET", "/troupe/v1/nodes").starts_with(R"(200 [{"id":"",)"));
  EXPECT_TRUE(world.ask("GET", "/troupe/v1/shards").starts_with(R"(200 [{"shard":0,)"));
}

TEST(NodeEndpoints, BackupAndRestoreAskTheirOneQuestion) {
  ApiWorld world;
  EXPECT_TRUE(world.ask("POST", "/troupe/v1/backups/0a").starts_with(R"(200 {"backup":"0a",)"));
  EXPECT_EQ(world.admin.asked, "backup 0a");
  EXPECT_EQ(world.ask("GET", "/troupe/v1/backups/0a/ff/7/3"), std::string("200 \0bytes", 10));
  EXPECT_EQ(world.admin.asked, "0a ff 7 3");
  EXPECT_EQ(world.ask("DELETE", "/troupe/v1/backups/0a"), "204 ");
  EXPECT_EQ(world.admin.asked, "end 0a");
  EXPECT_TRUE(world.ask("GET", "/troupe/v1/contents").starts_with(R"(200 {"cluster":"c",)"));
  EXPECT_EQ(world.ask("POST", "/troupe/v1/restores/r/begin"), "204 ");
  EXPECT_EQ(world.admin.asked, "r 0 0 0 ");
  EXPECT_EQ(world.ask("POST", "/troupe/v1/restores/r/5/2", "rows"), "204 ");
  EXPECT_EQ(world.admin.asked, "r 1 5 2 rows");
  EXPECT_EQ(world.ask("POST", "/troupe/v1/restores/r/finish"), "204 ");
  EXPECT_EQ(world.admin.asked, "r 2 0 0 ");
  EXPECT_EQ(world.ask("DELETE", "/troupe/v1/restores/all"), "204 ");
  EXPECT_EQ(world.admin.asked, "all 3 0 0 ");
  for (const std::string target :
       {"/troupe/v1/backups/0a/ff/x/3", "/troupe/v1/backups/0a/ff/7/-1"}) {
    EXPECT_TRUE(world.ask("GET", target).starts_with("400 ")) << target;
  }
  EXPECT_TRUE(world.ask("POST", "/troupe/v1/restores/r/5/x").starts_with("400 "));
  world.admin.failure = Error{Code::kPrecondition, "not empty"};
  EXPECT_TRUE(world.ask("POST", "/troupe/v1/restores/r/begin").starts_with("412 "));
}

TEST(AdminEndpoints, PassOnWhatIsAskedFor) {
  ApiWorld world;
  EXPECT_EQ(world.ask("GET", "/troupe/v1/shards/17"), "200 []");
  EXPECT_EQ(world.admin.asked, "17");
  EXPECT_THAT(world.ask("GET", "/troupe/v1/shards/first"),
              ::testing::AllOf(::testing::StartsWith("400 "),
                               ::testing::HasSubstr("a number from 0 on, not 'first'")));
  world.ask("GET", "/troupe/v1/actors?type=Cart&limit=7&all=1");
  EXPECT_EQ(world.admin.asked, "Cart 7 all");
  world.ask("GET", "/troupe/v1/actors");
  EXPECT_EQ(world.admin.asked, " 100");
  EXPECT_EQ(world.ask("GET", "/troupe/v1/actors/Cart/ids?after=c%2F1&limit=2"),
            R"(200 {"ids":["a","b"],"next":"b"})");
  EXPECT_EQ(world.admin.asked, "Cart c/1 2");
  world.ask("GET", "/troupe/v1/state/Cart/c1");
  EXPECT_EQ(world.admin.asked, "Cart/c1");
  world.ask("GET", "/troupe/v1/reminders/Cart/c1");
  EXPECT_EQ(world.admin.asked, "Cart/c1 100");
  world.ask("GET", "/troupe/v1/reminders/Cart");
  EXPECT_EQ(world.admin.asked, "Cart/ 100");
  EXPECT_EQ(world.ask("POST", "/troupe/v1/drain/01ab"), "204 ");
  EXPECT_EQ(world.admin.asked, "01ab drains");
  EXPECT_EQ(world.ask("DELETE", "/troupe/v1/drain/01ab"), "204 ");
  EXPECT_EQ(world.admin.asked, "01ab stays");
}

TEST(AdminEndpoints, RefuseLimitsOutOfRange) {
  ApiWorld world;
  for (const char* limit : {"0", "-1", "many", "10001", "1x"}) {
    EXPECT_EQ(world.request("GET", std::string("/troupe/v1/actors?limit=") + limit).status, 400)
        << limit;
  }
  EXPECT_EQ(world.request("GET", "/troupe/v1/actors/Cart/ids?limit=1001").status, 400);
}

TEST(AdminEndpoints, NameTheCodeOfAFailure) {
  ApiWorld world;
  world.admin.failure = Error{Code::kUnavailable, "shard 3 has no leader"};
  const std::string expected = "503 " + error_json("ERR_UNAVAILABLE", "shard 3 has no leader");
  for (const char* path : {"/troupe/v1/status", "/troupe/v1/actors", "/troupe/v1/actors/Cart/ids",
                           "/troupe/v1/state/Cart/c1", "/troupe/v1/reminders/Cart/c1"}) {
    EXPECT_EQ(world.ask("GET", path), expected) << path;
  }
  EXPECT_EQ(world.ask("POST", "/troupe/v1/drain/01"), expected);
  EXPECT_EQ(world.ask("GET", "/troupe/v1/nothing"),
            "404 " + error_json("ERR_NOT_FOUND", "no endpoint GET /troupe/v1/nothing"));
}

TEST(AdminEndpoints, CallAMethod) {
  ApiWorld world;
  world.reply("3");
  EXPECT_EQ(world.ask("POST", "/troupe/v1/call/Cart/c1/add", "2"), "200 3");
  EXPECT_EQ(world.call().method, "add");
}

}  // namespace
}  // namespace troupe::testing

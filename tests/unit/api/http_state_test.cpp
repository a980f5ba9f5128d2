// Dapr's endpoints of state over HTTP: statuses, codes and texts.
#include <gtest/gtest.h>

#include "runtime/api/http/state_bodies.h"
#include "tests/unit/api/state_world.h"

namespace troupe::testing {
namespace {

const std::string kInfo =
    R"("details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","reason":)";

class StateEndpoints : public ::testing::Test {
 protected:
  std::string ask(const std::string& method, const std::string& target,
                  const std::string& body = {}, net::HttpHeaders headers = {}) {
    return world.ask(method, target, body, std::move(headers));
  }
  std::string save(const std::string& body) { return ask("POST", "/v1.0/state/st", body); }
  std::string get(const std::string& key) { return ask("GET", "/v1.0/state/st/" + key); }
  std::string etag(const std::string& key) {
    return std::string(
        world.request("GET", "/v1.0/state/st/" + key).headers.find("ETag").value_or("none"));
  }
  std::string transact(const std::string& operations) {
    return ask("POST", "/v1.0/state/st/transaction", R"({"operations":)" + operations + "}");
  }

  StateWorld world;
  FailingStore& store = *world.store;
};

TEST(StateEndpointsWithoutStores, SayThatThereAreNone) {
  ApiWorld world;
  EXPECT_EQ(
      world.ask("GET", "/v1.0/state/st/a"),
      R"(500 {"errorCode":"ERR_STATE_STORE_NOT_CONFIGURED","message":"state store st is not configured",)" +
          kInfo + R"("DAPR_STATE_NOT_CONFIGURED","metadata":{"appID":"shop"}}]})");
}

TEST_F(StateEndpoints, AStoreThatIsNotThereIsNamed) {
  const std::string answer =
      R"(400 {"errorCode":"ERR_STATE_STORE_NOT_FOUND","message":"state store no is not found",)" +
      kInfo + R"("DAPR_STATE_NOT_FOUND","metadata":{"appID":"shop"}}]})";
  EXPECT_EQ(ask("GET", "/v1.0/state/no/a"), answer);
  EXPECT_EQ(ask("POST", "/v1.0/state/no", "[]"), answer);
  EXPECT_EQ(ask("DELETE", "/v1.0/state/no/a"), answer);
  EXPECT_EQ(ask("POST", "/v1.0/state/no/bulk", R"({"keys":[]})"), answer);
  EXPECT_EQ(ask("PUT", "/v1.0/state/no/transaction", "{}"), answer);
}

TEST_F(StateEndpoints, WhatIsSavedIsAnsweredWithItsEtag) {
  EXPECT_EQ(save(R"([{"KEY":"a","value":{"z":[1,{"y":2,"x":1}],"b":"<&>"}},{"key":"n"}])"), "204 ");
  EXPECT_EQ(get("a"), R"(200 {"b":"<&>","z":[1,{"x":1,"y":2}]})") << "members are sorted";
  EXPECT_EQ(get("n"), "200 null") << "no value is null";
  EXPECT_EQ(etag("a"), "1");
  EXPECT_EQ(world.request("GET", "/v1.0/state/st/a").content_type, "application/json");
  EXPECT_EQ(get("none"), "204 ");
  EXPECT_EQ(save("[]"), "204 ");
  EXPECT_EQ(ask("PUT", "/v1.0/state/st", R"([{"key":"a b/c","value":1}])"), "204 ");
  EXPECT_EQ(get("a%20b%2Fc"), "200 1");
}

TEST_F(StateEndpoints, KeysAreOfTheApp) {
  EXPECT_EQ(save(R"([{"key":"a","value":1}])"), "204 ");
  std::string found = "nothing";
  store.read({{.key = "shop||a"}}, Time::max(), [&](Result<std::vector<blocks::state::Found>> all) {
    if (*all->front()) found = (*all->front())->data.view();
  });
  EXPECT_EQ(found, "1");
  const std::string refused = get("a%7C%7Cb");
  EXPECT_TRUE(refused.starts_with(
      R"(400 {"errorCode":"ERR_MALFORMED_REQUEST","message":"api error: code = InvalidArgument desc = )"
      R"(input key/keyPrefix 'a||b' can't contain '||'","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest")"))
      << refused;
  EXPECT_NE(refused.find(R"("resource_type":"state")"), std::string::npos);
  EXPECT_NE(refused.find(R"("reason":"DAPR_STATE_ILLEGAL_KEY","metadata":null)"),
            std::string::npos);
}

TEST_F(StateEndpoints, MalformedBodiesAreRefusedWithTheirReason) {
  EXPECT_EQ(save(R"([{"value":1}])"),
            "400 " + error_json("ERR_MALFORMED_REQUEST", R"(\"key\" is a required field)"));
  EXPECT_TRUE(save("[{").starts_with(R"(400 {"errorCode":"ERR_MALFORMED_REQUEST","message":")"));
  EXPECT_EQ(save(""), "400 " + error_json("ERR_MALFORMED_REQUEST", "EOF"));
  EXPECT_TRUE(
      ask("POST", "/v1.0/state/st/bulk", "x")
          .starts_with(
              R"(400 {"errorCode":"ERR_MALFORMED_REQUEST","message":"failed deserializing HTTP body: )"));
}

TEST_F(StateEndpoints, EtagsDecideByTheirRules) {
  save(R"([{"key":"a","value":1}])");
  const std::string failed = "failed saving state in state store st: ";
  const std::string mismatch = "possible etag mismatch. error from state store";
  EXPECT_EQ(save(R"([{"key":"a","value":2,"etag":"7"}])"),
            "409 " + error_json("ERR_STATE_SAVE", failed + mismatch));
  EXPECT_EQ(save(R"([{"key":"a","value":2,"etag":"x"}])"),
            "400 " + error_json("ERR_STATE_SAVE", failed + "invalid etag value: x"));
  EXPECT_EQ(save(R"([{"key":"a","value":2,"options":{"concurrency":"first-write"}}])"),
            "409 " + error_json("ERR_STATE_SAVE", failed + mismatch));
  EXPECT_EQ(save(R"([{"key":"a","value":2,"etag":"1"}])"), "204 ");
  EXPECT_EQ(save(R"([{"key":"a","value":3,"etag":""}])"), "204 ") << "an empty one is none";
  EXPECT_EQ(
      ask("DELETE", "/v1.0/state/st/a", "", {{"If-Match", "1"}}),
      "409 " + error_json("ERR_STATE_DELETE", "failed deleting state with key a: " + mismatch));
  EXPECT_EQ(ask("DELETE", "/v1.0/state/st/a", "", {{"If-Match", etag("a")}}), "204 ");
  EXPECT_EQ(ask("DELETE", "/v1.0/state/st/a"), "204 ");
}

TEST_F(StateEndpoints, TheFailuresOfABulkAreOneAnswer) {
  save(R"([{"key":"a","value":1}])");
  EXPECT_TRUE(
      save(R"([{"key":"a","value":2,"etag":"9"},{"key":"b","value":2}])").starts_with("409 "));
  EXPECT_EQ(get("b"), "200 2") << "each is on its own";
  EXPECT_TRUE(save(R"([{"key":"a","value":2,"etag":"9"},{"key":"a","value":2,"etag":"x"}])")
                  .starts_with("400 "));
  store.failure = Error{Code::kUnavailable, "the server is gone"};
  EXPECT_EQ(save(R"([{"key":"a","value":2}])"),
            "500 " + error_json("ERR_STATE_SAVE",
                                "failed saving state in state store st: the server is gone"));
  EXPECT_EQ(get("a"), "500 " + error_json("ERR_STATE_GET",
                                          "fail to get a from state store st: the server is gone"));
  EXPECT_EQ(ask("DELETE", "/v1.0/state/st/a"),
            "500 " + error_json("ERR_STATE_DELETE",
                                "failed deleting state with key a: the server is gone"));
  EXPECT_EQ(ask("POST", "/v1.0/state/st/bulk", R"({"keys":["a"]})"),
            "500 " + error_json("ERR_STATE_BULK_GET", "the server is gone"));
  EXPECT_EQ(transact(R"([{"operation":"delete","request":{"key":"a"}}])"),
            "500 " + error_json("ERR_STATE_TRANSACTION",
                                "error while executing state transaction: the server is gone"));
}

TEST_F(StateEndpoints, WordsThatAreNoneAreRefused) {
  EXPECT_EQ(
      save(R"([{"key":"a","value":1,"options":{"concurrency":"both"}}])"),
      "500 " + error_json(
                   "ERR_STATE_SAVE",
                   "failed saving state in state store st: unrecognized concurrency model 'both'"));
  EXPECT_EQ(
      save(R"([{"key":"a","value":1,"options":{"consistency":"weak"}}])"),
      "500 " + error_json(
                   "ERR_STATE_SAVE",
                   "failed saving state in state store st: unrecognized consistency model 'weak'"));
  EXPECT_TRUE(
      save(R"([{"key":"a","value":1,"metadata":{"ttlInSeconds":"soon"}}])").starts_with("500 "));
  EXPECT_EQ(get("a"), "204 ");
}

TEST_F(StateEndpoints, ATimeToLiveComesFromTheItemOrTheQuery) {
  EXPECT_EQ(ask("POST", "/v1.0/state/st?metadata.ttlInSeconds=10",
                R"([{"key":"a","value":1,"metadata":{"ttlInSeconds":"1"}}])"),
            "204 ");
  EXPECT_EQ(world.request("GET", "/v1.0/state/st/a").headers.find("metadata.ttlExpireTime"),
            "2019-12-20T00:00:10Z");
  world.world.clock.advance(std::chrono::seconds(9));
  EXPECT_EQ(get("a"), "200 1") << "the query is stronger";
  world.world.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(get("a"), "204 ");
}

TEST_F(StateEndpoints, ABulkIsReadInTheOrderAskedFor) {
  save(R"([{"key":"a","value":1},{"key":"b","value":"x","metadata":{"ttlInSeconds":"10"}}])");
  EXPECT_EQ(
      ask("POST", "/v1.0/state/st/bulk", R"({"keys":["b","none","a"],"parallelism":2})"),
      R"(200 [{"key":"b","data":"x","etag":"2","metadata":{"ttlExpireTime":"2019-12-20T00:00:10Z"}},)"
      R"({"key":"none"},{"key":"a","data":1,"etag":"1"}])");
  EXPECT_EQ(ask("POST", "/v1.0/state/st/bulk", R"({"keys":[]})"), "200 []");
  store.write({blocks::state::Set{.key = "shop||raw", .value = Payload(std::string("\xff"))}},
              Time::max(), [](const auto&) {});
  EXPECT_EQ(ask("POST", "/v1.0/state/st/bulk", R"({"keys":["raw"]})"),
            R"(200 [{"key":"raw","error":"the value is not JSON","etag":"3"}])");
}

TEST_F(StateEndpoints, TransactionsAreAllOrNothing) {
  EXPECT_EQ(
      transact(
          R"([{"operation":"upsert","request":{"key":"a","value":1}},{"operation":"upsert","request":{"key":"b","value":1}}])"),
      "204 ");
  EXPECT_EQ(
      transact(
          R"([{"operation":"delete","request":{"key":"a"}},{"operation":"upsert","request":{"key":"b","value":2,"etag":"99"}}])"),
      "500 " + error_json("ERR_STATE_TRANSACTION",
                          "error while executing state transaction: possible etag mismatch. error "
                          "from state store"));
  EXPECT_EQ(get("a") + get("b"), "200 1200 1");
  EXPECT_EQ(transact("[]"), "204 ");
  EXPECT_EQ(transact(R"([{"operation":"patch","request":{"key":"a"}}])"),
            "400 " + error_json("ERR_NOT_SUPPORTED_STATE_OPERATION",
                                "operation type patch not supported"));
}

TEST_F(StateEndpoints, WhatAStoreCannotDoIsSaid) {
  EXPECT_EQ(
      ask("POST", "/v1.0-alpha1/state/st/query", "{}"),
      R"(500 {"errorCode":"ERR_STATE_STORE_NOT_SUPPORTED","message":"state store does not support querying",)" +
          kInfo + R"("DAPR_STATE_QUERYING_NOT_SUPPORTED","metadata":null}]})");
  store.offered.transaction_length_max = 1;
  EXPECT_EQ(
      transact(
          R"([{"operation":"delete","request":{"key":"a"}},{"operation":"delete","request":{"key":"b"}}])"),
      R"(400 {"errorCode":"ERR_STATE_STORE_TOO_MANY_TRANSACTIONS","message":"the transaction contains 2 operations, which is more than what the state store supports: 1",)" +
          kInfo +
          R"("DAPR_STATE_TOO_MANY_TRANSACTIONS","metadata":{"currentOpsTransaction":"2","maxOpsPerTransaction":"1"}}]})");
  store.offered.transactional = false;
  const std::string refused = transact("[]");
  EXPECT_TRUE(refused.starts_with(
      R"(500 {"errorCode":"ERR_STATE_STORE_NOT_SUPPORTED","message":"state store st doesn't support transactions","details":[{"@type":"type.googleapis.com/google.rpc.Help")"))
      << refused;
}

TEST_F(StateEndpoints, AQuerysKeysAreTheApps) {
  store.offered.query = true;
  EXPECT_EQ(ask("POST", "/v1.0-alpha1/state/st/query", "q"),
            R"(200 {"results":[{"key":"found","data":7,"etag":"3"}],"token":"q"})");
  EXPECT_EQ(ask("POST", "/v1.0-alpha1/state/st/query", "none"), "204 ");
  store.failure = Error{Code::kUnavailable, "gone"};
  EXPECT_TRUE(
      ask("POST", "/v1.0-alpha1/state/st/query", "q")
          .starts_with(
              R"(500 {"errorCode":"ERR_STATE_QUERY","message":"state store st query failed: gone",)"));
}

TEST(SortedJson, SortsMembersAndKeepsTheRest) {
  EXPECT_EQ(
      *api::sorted_json(R"( {"b": [ {"d":1,"c":2.50} ], "a" : 9007199254740993, "a": null} )"),
      R"({"a":null,"b":[{"c":2.5,"d":1}]})");
  EXPECT_FALSE(api::sorted_json("{"));
}

}  // namespace
}  // namespace troupe::testing

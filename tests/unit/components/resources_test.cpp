#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "runtime/components/folder.h"
#include "runtime/components/parse.h"
#include "tests/support/temporary_directory.h"

namespace troupe::testing {
namespace {

using namespace components;
using namespace std::chrono_literals;

const std::string kRedis = R"(apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: statestore, namespace: default }
spec:
  type: State.Redis
  version: v1
  ignoreErrors: true
  initTimeout: 1m
  metadata:
  - {name: redisHost, value: localhost:6379}
  - {name: redisPassword, secretKeyRef: {name: redis, key: pwd}}
  - name: clientKey
    envRef: MY_KEY
  - {name: database, value: 5}
  - {name: indexes, value: [{"name": "a", "n": 1, "s": "1"}]}
auth: { secretStore: my-store }
scopes: [app1, app2]
)";

// All problems, one on a line.
std::string problems(const Parsed& parsed) {
  std::string all;
  for (const Problem& each : parsed.problems) all += to_string(each) + "\n";
  return all;
}

std::string problem(const std::string& text) {
  const std::string all = problems(parse_resources(text, "f.yaml"));
  return all.substr(0, all.find('\n'));
}

template <class T>
T only(const std::string& text) {
  const Parsed parsed = parse_resources(text, "f.yaml");
  EXPECT_EQ(problems(parsed), "");
  EXPECT_EQ(parsed.resources.size(), 1U);
  return parsed.resources.empty() ? T{} : std::get<T>(parsed.resources.front().spec);
}

TEST(Resources, AComponentIsReadAsDaprReadsIt) {
  const Parsed parsed = parse_resources(kRedis, "f.yaml");
  EXPECT_EQ(problems(parsed), "");
  ASSERT_EQ(parsed.resources.size(), 1U);
  const Resource& resource = parsed.resources.front();
  EXPECT_EQ(resource.name, "statestore");
  EXPECT_EQ(resource.name_space, "default");
  EXPECT_EQ(resource.scopes, (std::vector<std::string>{"app1", "app2"}));
  EXPECT_EQ(to_string(resource.place), "f.yaml:1");
  const auto& component = std::get<Component>(resource.spec);
  EXPECT_EQ(component.type, "state.redis");
  EXPECT_EQ(component.version, "v1");
  EXPECT_TRUE(component.ignore_errors);
  EXPECT_EQ(component.init_timeout, 1min);
  EXPECT_EQ(component.secret_store, "my-store");
  ASSERT_EQ(component.metadata.size(), 5U);
  EXPECT_EQ(component.metadata[0].value, "localhost:6379");
  EXPECT_EQ(component.metadata[1].secret, (SecretRef{.name = "redis", .key = "pwd"}));
  EXPECT_EQ(component.metadata[2].env, "MY_KEY");
  EXPECT_EQ(component.metadata[3].value, "5");
  EXPECT_EQ(component.metadata[4].value, R"([{"name":"a","n":1,"s":"1"}])");
}

TEST(Resources, JsonIsReadAsWell) {
  const auto component = only<Component>(
      "{\n\t\"apiVersion\": \"dapr.io/v1alpha1\", \"kind\": \"Component\",\n"
      "\t\"metadata\": {\"name\": \"s\"},\n"
      "\t\"spec\": {\"type\": \"state.in-memory\", \"metadata\": [{\"name\": \"a\", \"value\": "
      "\"x\\ty\"}]}}\n");
  EXPECT_EQ(component.type, "state.in-memory");
  EXPECT_EQ(component.version, "v1");
  EXPECT_EQ(component.metadata.at(0).value, "x\ty");
}

TEST(Resources, AProblemNamesItsLineAndWhatWouldBeRight) {
  const std::string head =
      "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: a\nspec:\n";
  EXPECT_EQ(problem(head + "  type: stat.redis\n"),
            "f.yaml:6: spec.type: there is no block 'stat'; did you mean 'state'?");
  EXPECT_EQ(problem(head + "  type: state.redis\n  metadata: x\n"),
            "f.yaml:7: spec.metadata: expected a list, got 'x'");
  EXPECT_EQ(problem(head + "  type: state.redis\n  metadata:\n  - name: a\n    valu: x\n"),
            "f.yaml:9: spec.metadata[0].valu: is not known; did you mean 'value'?");
  EXPECT_EQ(problem(head + "  type: state.redis\n  ignoreErrors: maybe\n"),
            "f.yaml:7: spec.ignoreErrors: expected true or false, got 'maybe'");
  EXPECT_EQ(problem(head + "  version: v1\n"), "f.yaml:6: spec.type: is missing");
  EXPECT_EQ(problem(head + "  type: state.redis\n  metadata:\n  - {name: a, value: 1}\n"
                           "  - {name: A, value: 2}\n"),
            "f.yaml:6: spec.metadata: 'A' is there twice (case does not count)");
  EXPECT_EQ(problem("apiVersion: dapr.io/v1alpha1\nkind: Componet\n"),
            "f.yaml:1: kind: there is no 'Componet'; there are Component, Configuration, "
            "Subscription, HTTPEndpoint, Resiliency");
  EXPECT_EQ(problem("apiVersion: dapr.io/v2alpha1\nkind: Component\n"),
            "f.yaml:1: apiVersion: 'dapr.io/v2alpha1' has no kind 'Component'; it is of "
            "'dapr.io/v1alpha1'");
  EXPECT_EQ(problem("apiVersion: dapr.io/v1alpha1\nkind: Component\nspec: {type: state.x}\n"),
            "f.yaml:1: metadata: is missing");
  EXPECT_TRUE(problem("a: [1\nb: 2\n").starts_with("f.yaml:1: line 2, column "))
      << problem("a: [1\nb: 2\n");
}

TEST(Resources, ABrokenDocumentKeepsNoOtherFromBeingRead) {
  const Parsed parsed =
      parse_resources("# first\n---\na: [\n---\n" + kRedis + "---\n- 1\n---\n", "f");
  ASSERT_EQ(parsed.resources.size(), 1U);
  EXPECT_EQ(parsed.resources.front().place.line, 5U);
  EXPECT_EQ(parsed.problems.size(), 2U) << problems(parsed);
}

TEST(Resources, WhatIsNotDaprsIsPassedOver) {
  const Parsed parsed = parse_resources("apiVersion: v1\nkind: Service\n---\nname: x\n", "f");
  EXPECT_TRUE(parsed.resources.empty());
  EXPECT_EQ(problems(parsed), "");
}

TEST(Resources, ANameHasToFitIntoAPath) {
  EXPECT_EQ(problem("apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a/b}\n"
                    "spec: {type: state.redis}\n"),
            "f.yaml:3: metadata.name: 'a/b' cannot be part of a path: it may not be . or .., nor "
            "contain / or %");
}

TEST(Resources, RepeatedAnchorsAreBounded) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int n = 0; n < 10; ++n) text += (n == 0 ? "" : ", ") + before;
    text += "]\n";
  }
  EXPECT_NE(problem(text).find("more than 20000 values"), std::string::npos) << problem(text);
}

TEST(Resources, SubscriptionsOfBothVersionsAreRead) {
  const auto first = only<Subscription>(
      "apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata: {name: s}\n"
      "spec: {pubsubname: p, topic: t, route: /r, deadLetterTopic: d, metadata: {rawPayload: "
      "true}}\n");
  EXPECT_EQ(first.default_route, "/r");
  EXPECT_EQ(first.metadata.at("rawPayload"), "true");
  const auto second = only<Subscription>(
      "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: s}\n"
      "spec: {pubsubname: p, topic: t, routes: {rules: [{match: 'event.type == \"x\"', path: /x}], "
      "default: /d}, bulkSubscribe: {enabled: true, maxMessagesCount: 5}}\n");
  EXPECT_EQ(second.default_route, "/d");
  EXPECT_EQ(second.rules.at(0).match, "event.type == \"x\"");
  EXPECT_EQ(second.bulk.messages_max, 5);
}

TEST(Resources, ResiliencyAndHttpEndpointsAreRead) {
  const auto policies = only<Resiliency>(R"(apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: r}
spec:
  policies:
    timeouts: {general: 5s, fast: 300}
    retries:
      c: {policy: constant, duration: 5s, maxRetries: 3, matching: {httpStatusCodes: "429,500-599"}}
      e: {policy: exponential, maxInterval: 15s, maxRetries: -1}
    circuitBreakers:
      cb: {maxRequests: 1, interval: 8s, timeout: 45s, trip: consecutiveFailures > 5}
  targets:
    apps: {appB: {timeout: general, retry: c, circuitBreaker: cb}}
    actors: {typeA: {timeout: general, circuitBreaker: cb, circuitBreakerScope: both}}
    components: {statestore: {outbound: {retry: c}}}
)");
  EXPECT_EQ(policies.timeouts.at("fast"), 300ms);
  EXPECT_EQ(policies.retries.at("c").retries_max, 3);
  EXPECT_TRUE(policies.retries.at("e").exponential);
  EXPECT_EQ(policies.circuit_breakers.at("cb").timeout, 45s);
  EXPECT_EQ(policies.actors.at("typeA").circuit_breaker_scope, "both");
  EXPECT_EQ(policies.components.at("statestore").outbound.retry, "c");
  const auto endpoint = only<HttpEndpoint>(
      "apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: e}\n"
      "spec: {baseUrl: 'https://x', headers: [{name: h, value: v}], clientTLS: {rootCA: "
      "{secretKeyRef: "
      "{name: ca}}}}\n");
  EXPECT_EQ(endpoint.base_url, "https://x");
  EXPECT_EQ(endpoint.root_ca.secret->name, "ca");
}

TEST(Resources, AConfigurationsVariablesAreFilledInFirst) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "RATE") return "0.5";
    return std::nullopt;
  };
  const Parsed parsed = parse_configuration(R"(apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: c}
spec:
  tracing: {samplingRate: "${RATE}$NONE", zipkin: {endpointAddress: "http://z"}}
  secrets: {scopes: [{storeName: s, defaultAccess: deny, allowedSecrets: [a]}]}
  components: {deny: ["Bindings.SMTP", secretstores.local.file/v1]}
  features: [{name: HotReload, enabled: false}]
  api: {denied: [{name: state, version: v1, protocol: http}]}
  nameResolution: {component: mdns}
)",
                                            "c.yaml", environment);
  EXPECT_EQ(problems(parsed), "");
  const auto& configuration = std::get<Configuration>(parsed.resources.at(0).spec);
  EXPECT_EQ(configuration.sampling_rate, "0.5");
  EXPECT_FALSE(configuration.secret_scopes.at(0).allowed_by_default);
  EXPECT_EQ(configuration.denied_components.at(0), "bindings.smtp");
  EXPECT_FALSE(configuration.features.at("HotReload"));
  EXPECT_EQ(configuration.api_denied.at(0).name, "state");
  EXPECT_EQ(configuration.others.at("nameResolution"), R"({"component":"mdns"})");
}

TEST(Resources, ScopesAndNamespacesSayForWhomTheyAre) {
  const Parsed parsed = parse_resources(kRedis, "f");
  const Resource& resource = parsed.resources.front();
  EXPECT_TRUE(meant_for(resource, {.app_id = "app1", .name_space = ""}));
  EXPECT_FALSE(meant_for(resource, {.app_id = "app3", .name_space = ""}));
  EXPECT_TRUE(meant_for(resource, {.app_id = "app2", .name_space = "default"}));
  EXPECT_FALSE(meant_for(resource, {.app_id = "app2", .name_space = "blue"}));
}

Resource component(const std::string& name, const std::string& type) {
  return {.name = name, .spec = Component{.type = type, .version = "v1"}};
}

TEST(Resources, TheDifferenceOfTwoSetsIsWhatHasGoneChangedAndCome) {
  Resource moved = component("same", "state.a");
  moved.place = {.file = "elsewhere", .line = 7};
  const Difference change = difference(
      {component("same", "state.a"), component("gone", "state.a"), component("new", "state.a")},
      {component("added", "state.b"), moved, component("new", "state.b")});
  ASSERT_EQ(change.gone.size(), 1U);
  EXPECT_EQ(change.gone[0].name, "gone");
  ASSERT_EQ(change.changed.size(), 1U);
  EXPECT_EQ(std::get<Component>(change.changed[0].spec).type, "state.b");
  ASSERT_EQ(change.added.size(), 1U);
  EXPECT_EQ(change.added[0].name, "added");
  EXPECT_TRUE(difference({moved}, {moved}).empty());
}

TEST(Folders, AreReadInTheOrderOfTheirFilesAndNamesMayNotRepeat) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() + "/b.yaml") << kRedis;
  std::ofstream(directory.path() + "/a.yml") << kRedis;
  std::ofstream(directory.path() + "/notes.txt") << "hello";
  std::filesystem::create_directory(directory.path() + "/sub.yaml");
  const Parsed parsed = read_folders({directory.path()});
  ASSERT_EQ(parsed.resources.size(), 1U);
  EXPECT_EQ(parsed.resources.front().place.file, directory.path() + "/a.yml");
  EXPECT_NE(problems(parsed).find("there is a Component 'statestore' already, at " +
                                  directory.path() + "/a.yml:1"),
            std::string::npos);
  EXPECT_NE(problems(parsed).find("notes.txt:1: is no .yaml"), std::string::npos);
  EXPECT_TRUE(
      std::ranges::any_of(read_folders({directory.path() + "/none"}).problems, &Problem::error));
}

}  // namespace
}  // namespace troupe::testing

#include "runtime/components/resolve.h"

#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "runtime/components/properties.h"
#include "runtime/components/secret_stores.h"
#include "tests/support/temporary_directory.h"

namespace troupe::testing {
namespace {

using namespace components;
using namespace std::chrono_literals;

class Resolving : public ::testing::Test {
 protected:
  Surroundings surroundings() {
    return {.environment = [this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              if (found == variables.end()) return std::nullopt;
              return found->second;
            },
            .secret = [](const std::string& store,
                         const std::string& name) -> Result<std::map<std::string, std::string>> {
              if (store != "vault")
                return fail(Code::kNotFound, "there is no secret store '" + store + "'");
              if (name != "redis") return fail(Code::kUnavailable, "secret not found");
              return std::map<std::string, std::string>{
                  {"redis", "r"}, {"pwd", "p"}, {"empty", ""}};
            },
            .uuid = [this] { return "uuid" + std::to_string(++uuids); },
            .app_id = "app"};
  }
  // The value, or what went wrong.
  std::string value(NameValue entry, const std::string& store = "vault") {
    entry.name = "x";
    const Result<Resolved> resolved = resolve({entry}, store, surroundings());
    if (!resolved) return resolved.error().message;
    warnings = resolved->warnings;
    const auto found = resolved->values.find("x");
    return found == resolved->values.end() ? "unset" : found->second;
  }

  std::map<std::string, std::string> variables;
  std::vector<std::string> warnings;
  int uuids = 0;
};

TEST_F(Resolving, ASecretIsStrongerThanAValueAndAValueThanTheEnvironment) {
  variables["V"] = "env";
  EXPECT_EQ(value({.value = "v", .secret = SecretRef{"redis", "pwd"}, .env = "V"}), "p");
  EXPECT_EQ(value({.value = "v", .env = "V"}), "v");
  EXPECT_EQ(value({.env = "V"}), "env");
  EXPECT_EQ(value({.secret = SecretRef{"redis", ""}}), "r") << "the key is the name unless given";
}

TEST_F(Resolving, AReferenceToNothingLeavesAWarningAndNothingElse) {
  EXPECT_EQ(value({.secret = SecretRef{"redis", "none"}}), "unset");
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_EQ(value({.value = "v", .secret = SecretRef{"redis", "empty"}}), "v");
  EXPECT_EQ(value({.secret = SecretRef{"other", "x"}}), "unset");
  EXPECT_EQ(value({.env = "NOT_SET"}), "unset");
}

TEST_F(Resolving, AStoreThatIsNotThereIsAnError) {
  EXPECT_EQ(value({.secret = SecretRef{"redis", "pwd"}}, "later"),
            "there is no secret store 'later'");
  EXPECT_EQ(value({.secret = SecretRef{"redis", "pwd"}}, ""),
            "metadata 'x' refers to a secret, but there is no auth.secretStore");
}

TEST_F(Resolving, DaprsOwnVariablesAreOutOfReach) {
  for (const std::string name :
       {"APP_API_TOKEN", "app_api_token", "DAPR_API_TOKEN", "dapr_x", "a b"}) {
    variables[name] = "secret";
    EXPECT_EQ(value({.env = name}), "unset") << name;
    EXPECT_EQ(warnings.size(), 1U) << name;
  }
  variables["DAPR_ENV_KEYS"] = "A BC";
  variables["A"] = variables["B"] = "1";
  EXPECT_EQ(value({.env = "A"}), "1");
  EXPECT_EQ(value({.env = "B"}), "unset") << "only whole words count";
}

TEST_F(Resolving, TemplatesAreFilledIn) {
  EXPECT_EQ(value({.value = "{uuid}-{uuid}"}), "uuid1-uuid2");
  EXPECT_EQ(value({.value = "{appID}/{namespace}"}), "app/default.app");
  variables["NAMESPACE"] = "blue";
  EXPECT_EQ(value({.value = "{namespace}"}), "blue.app");
  EXPECT_EQ(value({.value = "{podName}"}),
            "metadata 'x': {podName} is asked for, but POD_NAME is not set");
  variables["POD_NAME"] = "pod";
  EXPECT_EQ(value({.value = "{podName} {other}"}), "pod {other}");
}

TEST(PropertiesOfComponents, AreFoundWithoutCaseAndByTheirOtherNames) {
  Properties properties(
      {{"RedisHost", "h"}, {"url", "u"}, {"poolSise", "3"}, {"ttl", "90"}, {"on", "YES"}});
  EXPECT_EQ(properties.text({"redisHost"}), "h");
  EXPECT_EQ(properties.text({"connectionString", "url"}), "u");
  EXPECT_EQ(properties.duration({"ttl"}, 1s).value(), 90s);
  EXPECT_EQ(properties.duration({"ttl"}, 1s, 1ms).value(), 90ms);
  EXPECT_TRUE(properties.truth({"on"}));
  EXPECT_EQ(properties.number({"poolSize"}, 10, 1, 100).value(), 10);
  EXPECT_EQ(properties.unknown(),
            std::vector<std::string>{"metadata 'poolSise' is not known; did you mean 'poolSize'?"});
  const auto wrong = properties.number({"redisHost"}, 1, 0, 5);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "metadata 'redisHost': expected a whole number from 0 to 5, got 'h'");
}

class SecretFiles : public ::testing::Test {
 protected:
  std::string secret(std::map<std::string, std::string> metadata, const std::string& name,
                     const std::string& key) {
    std::ofstream(directory.path() + "/s.json") << R"({"a":"1","b":{"c":"2","d":[true,5]},"n":7})";
    metadata["secretsFile"] = directory.path() + "/s.json";
    Properties properties(metadata);
    const auto store = local_file_secrets(properties);
    if (!store) return store.error().message;
    const auto values = (*store)->secret(name);
    if (!values) return values.error().message;
    const auto found = values->find(key);
    return found == values->end() ? "no key" : found->second;
  }

  TemporaryDirectory directory;
};

TEST_F(SecretFiles, TreesAreFlattened) {
  EXPECT_EQ(secret({}, "a", "a"), "1");
  EXPECT_EQ(secret({}, "b:c", "b:c"), "2");
  EXPECT_EQ(secret({{"nestedSeparator", "."}}, "b.d.1", "b.d.1"), "5");
  EXPECT_EQ(secret({}, "none", "x"), "secret none not found");
}

TEST_F(SecretFiles, ASecretMayHaveSeveralValues) {
  EXPECT_EQ(secret({{"multiValued", "true"}}, "b", "c"), "2");
  EXPECT_EQ(secret({{"multiValued", "true"}}, "b", "d:0"), "true");
  EXPECT_EQ(secret({{"multiValued", "true"}}, "a", "a"), "1");
}

TEST(SecretVariables, AreThoseOfTheEnvironmentButDaprs) {
  Properties properties({{"prefix", "P_"}});
  const auto store =
      local_env_secrets(properties, [](const std::string& name) -> std::optional<std::string> {
        if (name == "P_A" || name == "DAPR_A") return "1";
        return std::nullopt;
      });
  EXPECT_EQ((*store)->secret("A")->at("A"), "1");
  EXPECT_EQ((*store)->secret("B")->at("B"), "");
  Properties none;
  const auto all =
      local_env_secrets(none, [](const std::string&) { return std::optional<std::string>("x"); });
  EXPECT_EQ((*all)->secret("DAPR_A")->at("DAPR_A"), "");
}

}  // namespace
}  // namespace troupe::testing

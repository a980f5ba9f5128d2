#include "runtime/security/cluster_key.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"

namespace troupe::security {
namespace {

const std::string kOne(32, '1');
const std::string kTwo(32, '2');

TEST(ClusterKey, ReadsASecretALineAndLeavesOutWhatIsNone) {
  const auto key = ClusterKey::parse("# of the blue cluster\n\n  " + kOne + "\t\r\n" + kTwo);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->size(), 2U);
  EXPECT_EQ(key->derive(0, "x"), ClusterKey::parse(kOne)->derive(0, "x"));
  EXPECT_EQ(key->derive(1, "x"), ClusterKey::parse(kTwo + "\n")->derive(0, "x"));
}

TEST(ClusterKey, DerivesAnotherKeyForEachPurposeAndEachSecret) {
  const auto key = ClusterKey::parse(kOne + "\n" + kTwo).value();
  EXPECT_EQ(key.derive(0, "a").size(), 32U);
  EXPECT_EQ(key.derive(0, "a"), key.derive(0, "a"));
  EXPECT_NE(key.derive(0, "a"), key.derive(0, "b"));
  EXPECT_NE(key.derive(0, "a"), key.derive(1, "a"));
}

TEST(ClusterKey, RefusesNoneTooManyAndShortOnesWithoutQuotingThem) {
  const auto refusal = [](const std::string& text) { return ClusterKey::parse(text).error(); };
  EXPECT_EQ(refusal("").message,
            "there are 0 secrets; there must be one a line, and one or two of them");
  EXPECT_EQ(refusal("# only this").code, Code::kInvalid);
  EXPECT_EQ(refusal(kOne + "\n" + kTwo + "\n" + std::string(32, '3')).message,
            "there are 3 secrets; there must be one a line, and one or two of them");
  EXPECT_EQ(refusal("hunter2").message,
            "a secret has 7 characters; at least 32 are needed, as `openssl rand -hex 32` makes "
            "them");
}

TEST(ClusterKey, NamesTheFileThatIsWrong) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/key";
  EXPECT_EQ(ClusterKey::read(path).error().message, "cannot read the cluster's key from " + path);
  std::ofstream(path) << "short";
  EXPECT_EQ(ClusterKey::read(path).error().message.find(path + ": a secret has 5"), 0U);
  std::ofstream(path) << kOne;
  EXPECT_TRUE(ClusterKey::read(path));
}

}  // namespace
}  // namespace troupe::security

#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/transport/grpc_network.h"
#include "tests/unit/transport/test_certificates.h"
#include "tests/unit/transport/test_node.h"

namespace troupe::transport {
namespace {

using test_certificates::kGoodCa;
using test_certificates::kGoodCertificate;
using test_certificates::kGoodKey;
using test_certificates::kOtherCertificate;
using test_certificates::kOtherKey;

class Tls : public testing::Test {
 protected:
  TransportOptions options(const char* ca, const char* certificate, const char* key) {
    TransportOptions made = TestNode::options_at(0);
    made.retry_first = made.retry_longest = std::chrono::milliseconds(10);
    made.tls = TlsIdentity{
        .authorities = ca, .certificate = certificate, .key = key, .name = "troupe-node"};
    return made;
  }
  TransportOptions good() { return options(kGoodCa, kGoodCertificate, kGoodKey); }
};

void wait_for_failures(const TestNode& node) {
  while (node.network.metrics().attempts_failed < 3) std::this_thread::yield();
}

TEST_F(Tls, NodesWithCertificatesOfOneAuthoritySpeakWithOneAnother) {
  TestNode a(1, "blue", good());
  TestNode b(2, "blue", good());
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(b.network.start());
  a.know(b);
  ASSERT_TRUE(a.wait_connected(b));
  ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "in secret"));
  ASSERT_TRUE(b.wait_frames(a, 1));
  EXPECT_EQ(b.frames(a).front(), "in secret");
}

TEST_F(Tls, ANodeOfAnotherAuthorityIsNotHeard) {
  TestNode a(1, "blue", good());
  // Believes a, so that it is a that refuses.
  TestNode stranger(2, "blue", options(kGoodCa, kOtherCertificate, kOtherKey));
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(stranger.network.start());
  stranger.know(a);
  wait_for_failures(stranger);
  EXPECT_TRUE(stranger.recorder.take().connected.empty());
}

TEST_F(Tls, ANodeOfAnotherAuthorityIsNotBelieved) {
  TestNode a(1, "blue", good());
  // Believes everyone that a does, so that it is a that turns away.
  TestNode stranger(2, "blue", options(kGoodCa, kOtherCertificate, kOtherKey));
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(stranger.network.start());
  a.know(stranger);
  wait_for_failures(a);
  EXPECT_TRUE(a.recorder.take().connected.empty());
}

TEST_F(Tls, ANodeInClearIsNotHeard) {
  TestNode a(1, "blue", good());
  TransportOptions in_clear = good();
  in_clear.tls.reset();
  TestNode clear(2, "blue", in_clear);
  ASSERT_TRUE(a.network.start());
  ASSERT_TRUE(clear.network.start());
  clear.know(a);
  wait_for_failures(clear);
  EXPECT_TRUE(clear.recorder.take().connected.empty());
}

}  // namespace
}  // namespace troupe::transport

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/transport/grpc_network.h"
#include "tests/unit/transport/test_certificates.h"
#include "tests/unit/transport/test_node.h"

namespace troupe::transport {
namespace {

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("troupe-tls-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  TransportOptions options(const char* ca, const char* certificate, const char* key) {
    TransportOptions made = TestNode::options_at(0);
    made.retry_first = made.retry_longest = std::chrono::milliseconds(10);
    made.tls = TlsFiles{.ca = write(ca),
                        .certificate = write(certificate),
                        .key = write(key),
                        .name = "troupe-node"};
    return made;
  }
  TransportOptions good() {
    using namespace test_certificates;
    return options(kGoodCa, kGoodCertificate, kGoodKey);
  }

 private:
  std::string write(const char* text) {
    const std::string path = folder_ / (std::to_string(++files_) + ".pem");
    std::ofstream(path) << text;
    return path;
  }

  std::filesystem::path folder_;
  int files_ = 0;
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
  using namespace test_certificates;
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
  using namespace test_certificates;
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

#include <array>
#include <future>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/transport/wire.h"
#include "tests/unit/transport/test_node.h"

namespace troupe::transport {
namespace {

TransportOptions impatient() {
  TransportOptions options = TestNode::options_at(0);
  options.accept_timeout = std::chrono::milliseconds(50);
  return options;
}

Hello process_of(std::uint64_t node, std::uint64_t generation) {
  return {.cluster = "blue", .node = node_id(node), .generation = Generation{generation}};
}

void expect_heard(TestNode& sender, TestNode& receiver, std::size_t frames) {
  ASSERT_TRUE(sender.wait_connected(receiver));
  ASSERT_TRUE(sender.network.send(receiver.id, Lane::kControl, "hello"));
  ASSERT_TRUE(receiver.wait_frames(sender, frames));
}

void wait_refused(TestNode& node) {
  while (node.network.metrics().refused_by_peers == 0) std::this_thread::yield();
}

TEST(Clones, TheOlderIsRefusedWhileTheNewerIsHeard) {
  TestNode peer(1);
  TestNode newer(process_of(2, 6), TestNode::options_at(0));
  TestNode older(process_of(2, 5), TestNode::options_at(0));
  for (TestNode* node : {&peer, &newer, &older}) ASSERT_TRUE(node->network.start());
  newer.know(peer);
  expect_heard(newer, peer, 1);
  older.know(peer);
  wait_refused(older);
  expect_heard(newer, peer, 2);
  EXPECT_TRUE(older.recorder.take().connected.empty());
}

TEST(Clones, TheNewerTakesThePlaceOfTheOlder) {
  TestNode peer(1);
  TestNode older(process_of(2, 5), TestNode::options_at(0));
  TestNode newer(process_of(2, 6), TestNode::options_at(0));
  for (TestNode* node : {&peer, &newer, &older}) ASSERT_TRUE(node->network.start());
  older.know(peer);
  peer.know(older);
  expect_heard(older, peer, 1);
  ASSERT_TRUE(peer.wait_connected(older));
  newer.know(peer);
  expect_heard(newer, peer, 2);
  ASSERT_TRUE(peer.wait_disconnected(older));
  while (peer.network.send(older.id, Lane::kControl, "not to the older")) std::this_thread::yield();
  wait_refused(older);
}

// A call over which nothing is ever sent.
struct SilentCall final : grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
  SilentCall(const TestNode& node, const char* method)
      : stub(grpc::CreateChannel(node.network.address(), grpc::InsecureChannelCredentials())) {
    stub.PrepareBidiStreamingCall(&context, method, {}, this);
    StartCall();
  }
  void OnDone(const grpc::Status& status) override { over.set_value(status.error_code()); }

  grpc::GenericStub stub;
  grpc::ClientContext context;
  std::promise<grpc::StatusCode> over;
};

TEST(Intruders, AStreamWithoutAGreetingIsClosed) {
  TestNode node(1, "blue", impatient());
  ASSERT_TRUE(node.network.start());
  SilentCall call(node, kStreamMethod);
  EXPECT_NE(call.over.get_future().get(), grpc::StatusCode::OK);
}

TEST(Intruders, AnIntroductionWithoutAQuestionIsClosed) {
  TestNode node(1, "blue", impatient());
  ASSERT_TRUE(node.network.start());
  SilentCall call(node, kIntroduceMethod);
  EXPECT_NE(call.over.get_future().get(), grpc::StatusCode::OK);
}

TEST(Intruders, AConnectionThatSaysNothingIsClosed) {
  TestNode node(1, "blue", impatient());
  ASSERT_TRUE(node.network.start());
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(node.network.port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  std::array<char, 256> said{};
  ssize_t received = 1;
  while (received > 0) received = ::read(socket, said.data(), said.size());
  EXPECT_EQ(received, 0);
  ::close(socket);
}

}  // namespace
}  // namespace troupe::transport

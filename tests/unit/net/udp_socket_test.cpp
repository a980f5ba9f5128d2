#include "runtime/net/udp_socket.h"

#include <future>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/guarded.h"
#include "runtime/net/resolver.h"
#include "tests/unit/net/test_socket.h"

namespace troupe::net {
namespace {

using Addresses = Result<std::vector<SocketAddress>>;

// Receives one datagram at a time.
class Inbox {
 public:
  UdpSocket::Receive receive() {
    return [this](const SocketAddress& from, std::string_view bytes) {
      next_.with([&](auto& next) { next.set_value({from, std::string(bytes)}); });
    };
  }
  std::pair<SocketAddress, std::string> take() {
    auto future = next_.with([](auto& next) { return next.get_future(); });
    auto taken = future.get();
    next_.with([](auto& next) { next = {}; });
    return taken;
  }

 private:
  Guarded<std::promise<std::pair<SocketAddress, std::string>>> next_;
};

class UdpSocketTest : public testing::Test {
 protected:
  TestClock clock;
  IoThreads threads{clock, {.threads = 2}};
};

TEST_F(UdpSocketTest, DatagramsArriveWholeOverBothFamilies) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    Inbox inbox;
    UdpSocket a(threads);
    UdpSocket b(threads);
    ASSERT_TRUE(a.open(parse_numeric_host(host, 0).value(), [](const auto&, auto) {}));
    ASSERT_TRUE(b.open(parse_numeric_host(host, 0).value(), inbox.receive()));
    EXPECT_NE(b.local().port, 0);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, UdpSocket::kDatagramBytesMax}) {
      const std::string bytes(size, 'x');
      ASSERT_TRUE(a.send(b.local(), bytes));
      const auto [from, received] = inbox.take();
      EXPECT_EQ(from, a.local());
      EXPECT_TRUE(received == bytes);
    }
  }
}

TEST_F(UdpSocketTest, TooLargeIsRefused) {
  UdpSocket a(threads);
  ASSERT_TRUE(a.open(parse_numeric_host("127.0.0.1", 0).value(), [](const auto&, auto) {}));
  EXPECT_EQ(a.send(a.local(), std::string(UdpSocket::kDatagramBytesMax + 1, 'x')).error().code,
            Code::kInvalid);
}

TEST_F(UdpSocketTest, ATakenPortIsSaid) {
  UdpSocket a(threads);
  UdpSocket b(threads);
  ASSERT_TRUE(a.open(parse_numeric_host("127.0.0.1", 0).value(), [](const auto&, auto) {}));
  const auto opened = b.open(a.local(), [](const auto&, auto) {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "cannot receive datagrams on " + to_string(a.local()) +
                                        ": address already in use; choose another port");
}

TEST_F(UdpSocketTest, AClosedSocketSendsNothing) {
  UdpSocket a(threads);
  ASSERT_TRUE(a.open(parse_numeric_host("127.0.0.1", 0).value(), [](const auto&, auto) {}));
  a.close();
  a.close();
  EXPECT_EQ(a.send(a.local(), "x").error().code, Code::kUnavailable);
}

TEST_F(UdpSocketTest, SendingToNobodyDoesNotDisturbReceiving) {
  Inbox inbox;
  UdpSocket a(threads);
  ASSERT_TRUE(a.open(parse_numeric_host("127.0.0.1", 0).value(), inbox.receive()));
  SocketAddress nobody;
  {
    UdpSocket gone(threads);
    ASSERT_TRUE(gone.open(parse_numeric_host("127.0.0.1", 0).value(), [](const auto&, auto) {}));
    nobody = gone.local();
  }
  for (int i = 0; i < 10; ++i) (void)a.send(nobody, "x");
  ASSERT_TRUE(a.send(a.local(), "to me"));
  EXPECT_EQ(inbox.take().second, "to me");
}

TEST(Resolver, NumericHostsAreFoundInsideTheCall) {
  Resolver resolver;
  bool called = false;
  resolver.resolve({"::1", 80}, [&](Addresses found) {
    called = true;
    EXPECT_EQ(to_string(found->at(0)), "[::1]:80");
  });
  EXPECT_TRUE(called);
}

TEST(Resolver, NamesAreFoundOnItsThreads) {
  Resolver resolver;
  std::promise<Addresses> found;
  resolver.resolve({"localhost", 80},
                   [&](Addresses result) { found.set_value(std::move(result)); });
  const Addresses result = found.get_future().get();
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->at(0).is_loopback());
  EXPECT_EQ(result->at(0).port, 80);
}

TEST(Resolver, NobodyWaitsForEver) {
  Resolver resolver(1);
  resolver.stop();
  Code code = Code::kInternal;
  resolver.resolve({"localhost", 80}, [&](Addresses found) { code = found.error().code; });
  EXPECT_EQ(code, Code::kCancelled);
}

}  // namespace
}  // namespace troupe::net

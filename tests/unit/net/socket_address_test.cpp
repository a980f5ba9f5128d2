#include "runtime/net/socket_address.h"

#include <gtest/gtest.h>

namespace troupe::net {
namespace {

TEST(SocketAddress, IsPrintedAsItIsRead) {
  EXPECT_EQ(to_string(parse_numeric_host("127.0.0.1", 80).value()), "127.0.0.1:80");
  EXPECT_EQ(to_string(parse_numeric_host("::1", 80).value()), "[::1]:80");
  EXPECT_EQ(to_string(parse_numeric_host("[2001:db8::1]", 1).value()), "[2001:db8::1]:1");
  EXPECT_EQ(to_string(parse_numeric_host("fe80::1%1", 1).value()), "[fe80::1%1]:1");
}

TEST(SocketAddress, NamesAreNoNumbers) {
  for (const char* host : {"", "localhost", "1.2.3", "1.2.3.4.5", "::g", "fe80::1%no-such-card"}) {
    EXPECT_EQ(parse_numeric_host(host, 1).error().code, Code::kInvalid) << host;
  }
}

TEST(SocketAddress, KnowsLoopback) {
  EXPECT_TRUE(parse_numeric_host("127.9.9.9", 1)->is_loopback());
  EXPECT_TRUE(parse_numeric_host("::1", 1)->is_loopback());
  EXPECT_TRUE(parse_numeric_host("::ffff:127.0.0.1", 1)->is_loopback());
  EXPECT_FALSE(parse_numeric_host("::", 1)->is_loopback());
  EXPECT_FALSE(parse_numeric_host("::ffff:10.0.0.1", 1)->is_loopback());
  EXPECT_FALSE(parse_numeric_host("10.0.0.1", 1)->is_loopback());
}

TEST(HostPort, IsReadInEachForm) {
  EXPECT_EQ(parse_host_port("db.example:5432").value(), (HostPort{"db.example", 5432}));
  EXPECT_EQ(parse_host_port("127.0.0.1:80").value(), (HostPort{"127.0.0.1", 80}));
  EXPECT_EQ(parse_host_port("[::1]:80").value(), (HostPort{"::1", 80}));
  EXPECT_EQ(parse_host_port("[::1]", 7400).value(), (HostPort{"::1", 7400}));
  EXPECT_EQ(parse_host_port("host", 7400).value(), (HostPort{"host", 7400}));
  EXPECT_EQ(to_string(HostPort{"::1", 80}), "[::1]:80");
  EXPECT_EQ(to_string(HostPort{"a", 80}), "a:80");
}

TEST(HostPort, RefusesTheRest) {
  for (const char* text :
       {"", ":", ":80", "a", "a:", "a:b", "a:-1", "a:65536", "a:1x", "::1", "::1:80", "[::1",
        "[::1]80", "[::1]:", "[a]:1", "[127.0.0.1]:1", "a b:1", "a/b:1"}) {
    EXPECT_EQ(parse_host_port(text).error().code, Code::kInvalid) << text;
  }
}

}  // namespace
}  // namespace troupe::net

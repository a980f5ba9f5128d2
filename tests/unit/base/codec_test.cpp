#include "runtime/base/codec.h"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(Codec, ReadsWhatItWrote) {
  Writer writer;
  writer.number(0);
  writer.number(std::numeric_limits<std::uint64_t>::max());
  writer.integer(-1);
  writer.integer(std::numeric_limits<std::int64_t>::min());
  writer.bytes(std::string("a\0b", 3));
  writer.id(NodeId{.high = 1, .low = 2});
  writer.id(ShardId{7});
  writer.boolean(true);
  const std::string bytes = writer.take();
  Reader reader(bytes);
  EXPECT_EQ(reader.number(), 0U);
  EXPECT_EQ(reader.number(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(reader.integer(), -1);
  EXPECT_EQ(reader.integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(reader.bytes(), std::string("a\0b", 3));
  EXPECT_EQ(reader.id<NodeId>(), (NodeId{.high = 1, .low = 2}));
  EXPECT_EQ(reader.id<ShardId>(), ShardId{7});
  EXPECT_TRUE(reader.boolean());
  EXPECT_TRUE(reader.finished());
}

TEST(Codec, EveryCutShortIsNoticed) {
  Writer writer;
  writer.number(300);
  writer.bytes("hello");
  writer.id(NodeId{.high = 1, .low = 2});
  const std::string bytes = writer.take();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Reader reader(std::string_view(bytes).substr(0, length));
    reader.number();
    reader.bytes();
    reader.id<NodeId>();
    EXPECT_FALSE(reader.ok()) << length;
  }
}

TEST(Codec, NumbersTooLargeAreDamage) {
  Writer writer;
  writer.number(5);
  const std::string bytes = writer.take();
  Reader bounded(bytes);
  EXPECT_EQ(bounded.number_up_to(4), 0U);
  EXPECT_FALSE(bounded.ok());
  Reader endless(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
  endless.number();
  EXPECT_FALSE(endless.ok());
}

TEST(Codec, BigEndianKeepsTheOrderOfNumbers) {
  std::string small;
  std::string large;
  append_big_endian(small, std::uint64_t{255});
  append_big_endian(large, std::uint64_t{256});
  EXPECT_LT(small, large);
  EXPECT_EQ(big_endian_64(large), 256U);
}

TEST(NodeIdText, ComesBackFromItsDigits) {
  const NodeId node{.high = 0x0123456789abcdefU, .low = 7};
  EXPECT_EQ(to_string(node), "0123456789abcdef0000000000000007");
  EXPECT_EQ(parse_node_id(to_string(node)), node);
  EXPECT_TRUE(parse_node_id("123").empty());
  EXPECT_TRUE(parse_node_id(std::string(32, 'x')).empty());
}

}  // namespace
}  // namespace troupe

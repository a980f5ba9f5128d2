#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <troupe/message.h>

namespace troupe {
namespace {

struct Item {
  std::string name;
  int price = 0;
  friend bool operator==(const Item&, const Item&) = default;
};

TEST(Message, TravelsAsJson) {
  EXPECT_EQ(encode_message(Item{"tea", 4}), Payload(R"({"name":"tea","price":4})"));
  EXPECT_EQ(decode_message<Item>(Payload(R"({"name":"tea","price":4})")).value(), (Item{"tea", 4}));
  EXPECT_EQ(encode_message(std::string("tea")), Payload(R"("tea")"));
  EXPECT_EQ(content_type<Item>(), "application/json");
  EXPECT_EQ(decode_message<Item>(Payload()).error().code, Code::kInvalid);
}

TEST(Message, OfBytesTravelsAsItIs) {
  const std::string bytes("\0\xff{", 3);
  EXPECT_EQ(encode_message(Bytes{bytes}).view(), bytes);
  EXPECT_EQ(decode_message<Bytes>(Payload(bytes)).value(), Bytes{bytes});
  EXPECT_EQ(content_type<Bytes>(), "application/octet-stream");

  const Payload payload(bytes);
  EXPECT_EQ(encode_message(payload).view().data(), payload.view().data());
  EXPECT_EQ(decode_message<Payload>(payload).value().view().data(), payload.view().data());
}

TEST(Message, OfNothingIsEmpty) {
  EXPECT_TRUE(decode_message<void>(Payload()));
  EXPECT_TRUE(decode_message<void>(Payload("null")));
  EXPECT_TRUE(decode_message<void>(Payload("{}")));
  EXPECT_EQ(decode_message<void>(Payload("4")).error().code, Code::kInvalid);
  EXPECT_EQ(content_type<void>(), "");
}

TEST(Message, ThrowsForWhatCannotBeSaid) {
  EXPECT_THROW(encode_message(std::nan("")), std::invalid_argument);
  EXPECT_EQ(try_encode_message(std::nan("")).error().code, Code::kInvalid);
  EXPECT_THROW(encode_state(std::vector<double>{std::nan("")}), std::invalid_argument);
}

// These bytes are on disks: they never change.
TEST(State, HasTheseBytes) {
  EXPECT_EQ(encode_state(Item{"tea", 4}), "\x01{\"name\":\"tea\",\"price\":4}");
  EXPECT_EQ(encode_state(Bytes{std::string("\0a", 2)}), std::string("\x03\0a", 3));
  EXPECT_EQ(encode_state(std::vector<int>{}), "\x01[]");
}

TEST(State, ReadsBackWhatItStored) {
  EXPECT_EQ(decode_state<Item>(encode_state(Item{"tea", 4})).value(), (Item{"tea", 4}));
  EXPECT_EQ(decode_state<Bytes>(encode_state(Bytes{"x"})).value(), Bytes{"x"});
  EXPECT_EQ(decode_state<Bytes>(encode_state(Bytes{})).value(), Bytes{});
}

TEST(State, RefusesWhatItDidNotStore) {
  EXPECT_EQ(decode_state<Item>("").error().code, Code::kDataLoss);
  EXPECT_EQ(decode_state<Item>("\x04{}").error().code, Code::kDataLoss);
  EXPECT_EQ(decode_state<Item>("{}").error().code, Code::kDataLoss);
  EXPECT_EQ(decode_state<Item>("\x02{}").error().code, Code::kUnimplemented);
  EXPECT_EQ(decode_state<Item>("\x03{}").error().code, Code::kInvalid);
  EXPECT_EQ(decode_state<Bytes>("\x01{}").error().code, Code::kInvalid);
  EXPECT_EQ(decode_state<Item>("\x01{").error().code, Code::kInvalid);
}

}  // namespace
}  // namespace troupe

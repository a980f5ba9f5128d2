#include "runtime/transport/greeting.h"

#include <string>

#include <gtest/gtest.h>

namespace troupe::transport {
namespace {

Greeting greeting(std::uint64_t node, std::string cluster) {
  Greeting made;
  made.hello.cluster = std::move(cluster);
  made.hello.node = {.high = 0, .low = node};
  made.process = node;
  return made;
}

TEST(Greeting, IsReadAsItWasWritten) {
  Greeting sent = greeting(7, "blue");
  sent.hello.generation = Generation{42};
  sent.address = "127.0.0.1:7400";
  sent.lane = Lane::kCalls;
  sent.expected = {.high = 1, .low = 2};
  const auto read = decode_greeting(encode(sent));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read), encode(sent));
  EXPECT_EQ(read->hello.node, sent.hello.node);
  EXPECT_EQ(read->hello.generation, sent.hello.generation);
  EXPECT_EQ(read->lane, sent.lane);
}

TEST(Greeting, OtherBytesAreNone) {
  const std::string good = encode(greeting(7, "blue"));
  EXPECT_FALSE(decode_greeting(""));
  EXPECT_FALSE(decode_greeting("GET / HTTP/1.1\r\n"));
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_FALSE(decode_greeting(good.substr(0, i)));
  EXPECT_FALSE(decode_greeting(good + "x"));
}

TEST(Greeting, OfAnotherVersionIsRefusedByItsVersionWhateverFollows) {
  Greeting other = greeting(7, "blue");
  const std::uint64_t own = other.hello.protocol_version++;
  const auto read = decode_greeting(encode(other) + "more");
  ASSERT_TRUE(read);
  EXPECT_EQ(refusal(greeting(1, "blue"), *read), "it speaks protocol version " +
                                                     std::to_string(own + 1) + ", this node " +
                                                     std::to_string(own));
}

TEST(Greeting, StrangersAreRefusedWithTheReason) {
  const Greeting own = greeting(1, "blue");
  EXPECT_EQ(refusal(own, greeting(2, "red")), "it is of cluster 'red', this node of 'blue'");
  EXPECT_EQ(refusal(own, greeting(1, "blue")), "it is this node itself");
  Greeting clone = greeting(1, "blue");
  clone.process = 99;
  EXPECT_NE(refusal(own, clone)->find("was copied"), std::string::npos);
  Greeting seeker = greeting(2, "blue");
  seeker.expected = {.high = 0, .low = 3};
  EXPECT_NE(refusal(own, seeker)->find("it looks for node"), std::string::npos);
  Greeting expecting = own;
  expecting.expected = {.high = 0, .low = 3};
  EXPECT_NE(refusal(expecting, greeting(2, "blue"))->find("was expected there"), std::string::npos);
}

TEST(Greeting, NodesOfOneClusterOrOfNoneYetAreWelcome) {
  EXPECT_FALSE(refusal(greeting(1, "blue"), greeting(2, "blue")));
  EXPECT_FALSE(refusal(greeting(1, "blue"), greeting(2, "")));
  EXPECT_FALSE(refusal(greeting(1, ""), greeting(2, "blue")));
}

Greeting process_of(std::uint64_t node, std::uint64_t generation, std::uint64_t process) {
  Greeting made = greeting(node, "blue");
  made.hello.generation = Generation{generation};
  made.process = process;
  return made;
}

TEST(NewestProcesses, OfTwoWithTheSameIdTheNewerIsHeard) {
  NewestProcesses newest;
  EXPECT_FALSE(newest.refusal(process_of(7, 5, 1)));
  EXPECT_FALSE(newest.refusal(process_of(7, 6, 2)));
  const auto reason = newest.refusal(process_of(7, 5, 1));
  ASSERT_TRUE(reason);
  EXPECT_NE(reason->find("generation 6 after 5"), std::string::npos);
  EXPECT_FALSE(newest.refusal(process_of(8, 5, 1)));
}

TEST(NewestProcesses, AnUnregisteredProcessAndAnEarlierGreetingOfTheNewestAreHeard) {
  NewestProcesses newest;
  EXPECT_FALSE(newest.refusal(process_of(7, 6, 2)));
  EXPECT_FALSE(newest.refusal(process_of(7, 0, 3)));
  EXPECT_FALSE(newest.refusal(process_of(7, 5, 2)));
  EXPECT_TRUE(newest.refusal(process_of(7, 5, 1)));
}

TEST(NewestProcesses, RemembersBoundedlyMany) {
  NewestProcesses newest;
  EXPECT_FALSE(newest.refusal(process_of(1, 6, 2)));
  for (std::uint64_t node = 2; node < NewestProcesses::kNodesMax + 2; ++node) {
    EXPECT_FALSE(newest.refusal(process_of(node, 1, node)));
  }
  EXPECT_FALSE(newest.refusal(process_of(1, 5, 1)));
}

}  // namespace
}  // namespace troupe::transport

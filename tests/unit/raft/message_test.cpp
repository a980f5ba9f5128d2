#include "storage/raft/message.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/raft/configuration.h"

namespace troupe::raft {
namespace {

constexpr Address kFrom{.node = {.high = 0, .low = 1}, .replica = {2}};
constexpr Address kTo{.node = {.high = 0, .low = 3}, .replica = {4}};

Message message(Body body) {
  return {.from = kFrom, .to = kTo, .term = 7, .body = std::move(body)};
}

AppendRequest append() {
  const Configuration group{{{.address = kFrom, .voter = true}}};
  return {.previous_index = 10,
          .previous_term = 5,
          .committed = 9,
          .entries = {{.term = 5, .index = 11, .kind = EntryKind::kData, .data = {"x"}},
                      {.term = 7, .index = 12, .kind = EntryKind::kNoOp, .data = {}},
                      {.term = 7,
                       .index = 13,
                       .kind = EntryKind::kConfiguration,
                       .data = Payload(encode(group))}}};
}

std::vector<Message> samples() {
  return {message(VoteRequest{.pre = true, .transfer = false, .last_index = 300, .last_term = 6}),
          message(VoteResponse{.pre = false, .granted = true, .heard_leader_ago = Duration(99)}),
          message(append()),
          message(AppendResponse{.rejected = true, .index = 4, .hint_index = 3, .hint_term = 2}),
          message(Heartbeat{.round = 5, .committed = 6}),
          message(HeartbeatResponse{.round = 5}),
          message(TimeoutNow{})};
}

TEST(RaftMessage, ReadsWhatItWrote) {
  for (const Message& sample : samples()) EXPECT_EQ(*decode_message(encode(sample)), sample);
}

TEST(RaftMessage, EveryCutShortAndEveryExtraByteIsRefused) {
  for (const Message& sample : samples()) {
    const std::string bytes = encode(sample);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_message(bytes.substr(0, size))) << sample.body.index() << " " << size;
    }
    EXPECT_FALSE(decode_message(bytes + '\0'));
  }
}

TEST(RaftMessage, EntriesWhoseTermsFallAreRefused) {
  AppendRequest request = append();
  request.entries[1].term = 4;
  EXPECT_FALSE(decode_message(encode(message(request))));
}

TEST(RaftMessage, EntriesOfTermsToComeAreRefused) {
  AppendRequest request = append();
  request.entries[2].term = 8;
  EXPECT_FALSE(decode_message(encode(message(request))));
  request = append();
  request.previous_term = 8;
  EXPECT_FALSE(decode_message(encode(message(request))));
}

TEST(RaftMessage, DamagedConfigurationsAreRefused) {
  AppendRequest request = append();
  request.entries[2].data = Payload("nonsense");
  EXPECT_FALSE(decode_message(encode(message(request))));
}

TEST(RaftMessage, NumbersNearOverflowAreRefused) {
  AppendRequest request = append();
  request.previous_index = ~Index{0} - 1;
  EXPECT_FALSE(decode_message(encode(message(request))));
}

TEST(RaftMessage, NobodyIsRefused) {
  Message nobody = message(TimeoutNow{});
  nobody.from = {};
  EXPECT_FALSE(decode_message(encode(nobody)));
}

// A failure here means that this version would not understand nodes already running.
TEST(RaftMessage, BytesNeverChangeBetweenVersions) {
  const std::string addresses =
      std::string(15, '\0') + "\x01\x02" + std::string(15, '\0') + "\x03\x04";
  EXPECT_EQ(encode(message(HeartbeatResponse{.round = 300})), addresses + "\x07\x05\xac\x02");
  EXPECT_EQ(encode(message(Heartbeat{.round = 1, .committed = 9})), addresses + "\x07\x04\x01\x09");
  const AppendRequest request{
      .previous_index = 10,
      .previous_term = 5,
      .committed = 9,
      .entries = {{.term = 6, .index = 11, .kind = EntryKind::kData, .data = {"x"}}}};
  EXPECT_EQ(encode(message(request)), addresses + "\x07\x02\x0a\x05\x09\x01\x06\x01\x01x");
  EXPECT_EQ(encode(HardState{.term = 7, .vote = kFrom}), "\x07" + addresses.substr(0, 17));
}

TEST(RaftMessage, HardStateReadsWhatItWrote) {
  const HardState state{.term = 7, .vote = kFrom};
  EXPECT_EQ(*decode_hard_state(encode(state)), state);
  EXPECT_EQ(*decode_hard_state(encode(HardState{})), HardState{});
  EXPECT_FALSE(decode_hard_state(encode(state).substr(1)));
}

}  // namespace
}  // namespace troupe::raft

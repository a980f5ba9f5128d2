#include "runtime/cluster/frames.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr Time kSent{std::chrono::hours(1)};
constexpr Time kReceived{std::chrono::hours(9)};  // another machine's clock

template <class T>
T over_the_wire(T frame) {
  Result<Frame> decoded = decode_frame(encode(Frame(std::move(frame)), kSent), kReceived);
  EXPECT_TRUE(decoded) << decoded.error().message;
  return std::get<T>(*std::move(decoded));
}

CallFrame call() {
  CallFrame frame;
  frame.id = 77;
  frame.row = {.term = 3, .index = 9};
  frame.call.key = {"Cart", "a|b/\xf0\x9f\x98\x80"};
  frame.call.method = "add";
  frame.call.message = Payload(std::string("\0x", 2));
  frame.call.content_type = "application/json";
  frame.call.metadata = {{"k", "v"}};
  frame.call.traceparent = "00-1-2-01";
  frame.call.deadline = kSent + 5s;
  frame.call.chain.id = "chain";
  frame.call.chain.waiting = {{"Room", "r"}};
  frame.call.id = {.origin = {1, 2}, .generation = Generation{4}, .sequence = 5};
  frame.call.may_repeat = true;
  frame.call.done_below = 3;
  return frame;
}

TEST(Frames, CarryACallWithTheTimeItHasLeft) {
  const CallFrame got = over_the_wire(call());
  const CallFrame sent = call();
  EXPECT_EQ(got.id, sent.id);
  EXPECT_EQ(got.row, sent.row);
  EXPECT_EQ(got.call.key, sent.call.key);
  EXPECT_EQ(got.call.method, sent.call.method);
  EXPECT_EQ(got.call.message.view(), sent.call.message.view());
  EXPECT_EQ(got.call.content_type, sent.call.content_type);
  EXPECT_EQ(got.call.metadata.at(0).value, "v");
  EXPECT_EQ(got.call.traceparent, sent.call.traceparent);
  EXPECT_EQ(got.call.deadline, kReceived + 5s);
  EXPECT_EQ(got.call.chain.id, sent.call.chain.id);
  EXPECT_THAT(got.call.chain.waiting, ElementsAre(ActorKey{"Room", "r"}));
  EXPECT_EQ(got.call.id, sent.call.id);
  EXPECT_TRUE(got.call.may_repeat);
  EXPECT_EQ(got.call.done_below, 3U);
}

TEST(Frames, CarryACallThatMayTakeForEver) {
  CallFrame sent = call();
  sent.call.deadline = Time::max();
  EXPECT_EQ(over_the_wire(std::move(sent)).call.deadline, kReceived + std::chrono::hours(24 * 365));
}

TEST(Frames, CarryRepliesErrorsAndWhereElseToAsk) {
  const actors::Reply body{
      .body = Payload(std::string("body")), .content_type = "text/plain", .metadata = {}};
  const auto reply =
      over_the_wire(ReplyFrame{.id = 5, .result = body, .elsewhere = false, .row = {}});
  EXPECT_EQ(reply.result->body.view(), "body");

  const auto got = over_the_wire(ReplyFrame{
      .id = 6, .result = fail(Code::kUnavailable, "not here"), .elsewhere = true, .row = "row"});
  EXPECT_EQ(got.result.error().code, Code::kUnavailable);
  EXPECT_EQ(got.result.error().message, "not here");
  EXPECT_TRUE(got.elsewhere);
  EXPECT_EQ(got.row, "row");
}

TEST(Frames, CarryManyRaftMessages) {
  RaftFrame frame;
  const raft::Address from{.node = {.high = 1, .low = 2}, .replica = ReplicaId{3}};
  const raft::Address to{.node = {.high = 4, .low = 5}, .replica = ReplicaId{6}};
  for (std::uint32_t i = 0; i < 100; ++i) {
    frame.items.push_back(
        {ShardId{i},
         {.from = from, .to = to, .term = 7, .body = raft::HeartbeatResponse{.round = i}}});
  }
  const RaftFrame got = over_the_wire(frame);
  ASSERT_EQ(got.items.size(), 100U);
  EXPECT_EQ(got.items[99].shard, ShardId{99});
  EXPECT_EQ(got.items[99].message, frame.items[99].message);
}

TEST(Frames, LeaveOutRaftMessagesThatMakeNoSense) {
  raft::Message message;
  message.from = {.node = {.high = 1, .low = 2}, .replica = ReplicaId{3}};
  message.body = raft::Heartbeat{};  // to nobody
  RaftFrame frame;
  frame.items.push_back({ShardId{1}, message});
  message.to = {.node = {.high = 4, .low = 5}, .replica = ReplicaId{6}};
  frame.items.push_back({ShardId{2}, message});
  const RaftFrame got = over_the_wire(frame);
  ASSERT_EQ(got.items.size(), 1U);
  EXPECT_EQ(got.items[0].shard, ShardId{2});
}

TEST(Frames, CarryQuestionsAndAnswers) {
  const auto question = over_the_wire(
      RequestFrame{.id = 1, .service = Service::kOwner, .time_left = 3s, .body = "b"});
  EXPECT_EQ(question.service, Service::kOwner);
  EXPECT_EQ(question.time_left, 3s);
  EXPECT_EQ(*over_the_wire(ResponseFrame{.id = 1, .result = std::string("r")}).result, "r");
  EXPECT_EQ(over_the_wire(GossipFrame{"g"}).bytes, "g");
}

TEST(Frames, CutShortOrWithMoreBehindAreRefused) {
  const std::string whole = encode(Frame(call()), kSent);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Result<Frame> cut = decode_frame(std::string_view(whole).substr(0, length), kReceived);
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().code, Code::kInvalid);
  }
  EXPECT_FALSE(decode_frame(whole + "x", kReceived));
  EXPECT_FALSE(decode_call(whole + "x", kReceived));
}

TEST(Frames, AreDecodedAsWhatTheySayTheyAreOnly) {
  const std::string call_bytes = encode(Frame(call()), kSent);
  const std::string reply_bytes =
      encode_reply({.id = 5, .result = actors::Reply{}, .elsewhere = false, .row = {}});
  const std::string other = encode(Frame(GossipFrame{"g"}), kSent);
  EXPECT_EQ(kind_of(call_bytes), FrameKind::kCall);
  EXPECT_EQ(kind_of(reply_bytes), FrameKind::kReply);
  EXPECT_EQ(kind_of(other), FrameKind::kOther);
  EXPECT_TRUE(decode_call(call_bytes, kReceived));
  EXPECT_TRUE(decode_reply(reply_bytes));
  EXPECT_FALSE(decode_reply(call_bytes));
  EXPECT_FALSE(decode_call(reply_bytes, kReceived));
  EXPECT_FALSE(decode_call(other, kReceived));
}

TEST(Frames, OfNoKnownKindAreRefused) {
  for (int kind = 0; kind < 256; ++kind) {
    const std::string bytes(1, static_cast<char>(kind));
    EXPECT_FALSE(decode_frame(bytes, kReceived)) << kind;
    EXPECT_FALSE(decode_call(bytes, kReceived)) << kind;
    EXPECT_FALSE(decode_reply(bytes)) << kind;
  }
  EXPECT_EQ(kind_of(""), FrameKind::kOther);
}

}  // namespace
}  // namespace troupe::cluster

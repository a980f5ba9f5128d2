#include "runtime/cluster/frames.h"

#include <algorithm>
#include <optional>

#include "runtime/base/codec.h"

namespace troupe::cluster {
namespace {

enum class Kind : std::uint8_t { kRaft = 1, kRequest, kResponse, kCall, kReply, kGossip };

// More than a peer of ours ever sends; what claims more is damaged or hostile.
constexpr std::uint64_t kItemsMax = 1 << 20;
constexpr std::uint64_t kMetadataMax = 1024;
// Of most frames, beside the message: so many are allocated at once.
constexpr std::size_t kCallBytes = 160;
constexpr std::size_t kReplyBytes = 32;
constexpr auto kTimeLeftMax = std::chrono::hours(24 * 365);

// More is no more than that to who reads it.
void write_duration(Writer& out, Duration duration) {
  out.integer(std::clamp<Duration>(duration, -kTimeLeftMax, kTimeLeftMax).count());
}

Duration read_duration(Reader& in) {
  const Duration duration(in.integer());
  if (duration < -kTimeLeftMax || duration > kTimeLeftMax) in.damage();
  return in.ok() ? duration : Duration(0);
}

void write_wall(Writer& out, WallTime time) { out.integer(time.time_since_epoch().count()); }
WallTime read_wall(Reader& in) { return WallTime(Duration(in.integer())); }

void write_metadata(Writer& out, const std::vector<actors::Metadata>& metadata) {
  out.number(metadata.size());
  for (const actors::Metadata& each : metadata) {
    out.bytes(each.name);
    out.bytes(each.value);
  }
}

std::vector<actors::Metadata> read_metadata(Reader& in) {
  std::vector<actors::Metadata> metadata;
  const std::uint64_t count = in.number_up_to(kMetadataMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    std::string name = in.string();
    std::string value = in.string();
    metadata.push_back({.name = std::move(name), .value = std::move(value)});
  }
  return metadata;
}

void write_key(Writer& out, const ActorKey& key) {
  out.bytes(key.type);
  out.bytes(key.id);
}

ActorKey read_key(Reader& in) {
  ActorKey key;
  key.type = in.string();
  key.id = in.string();
  return key;
}

void write_cause(Writer& out, const storage::Cause& cause) {
  out.number(cause.index());
  if (const auto* call = std::get_if<storage::CallCause>(&cause)) {
    write_call_id(out, call->id);
    write_wall(out, call->keep_until);
    out.number(call->done_below);
  } else if (const auto* tick = std::get_if<storage::TickCause>(&cause)) {
    out.bytes(tick->name);
    out.number(tick->registration);
    out.number(tick->number);
  } else if (const auto* message = std::get_if<storage::OutboxCause>(&cause)) {
    out.id(message->source);
    out.number(message->number);
    out.number(message->low_water);
  }
}

storage::Cause read_cause(Reader& in) {
  switch (in.number_up_to(3)) {
    case 1: {
      storage::CallCause call;
      call.id = read_call_id(in);
      call.keep_until = read_wall(in);
      call.done_below = in.number();
      return call;
    }
    case 2: {
      storage::TickCause tick;
      tick.name = in.string();
      tick.registration = in.number();
      tick.number = in.number();
      return tick;
    }
    case 3: {
      storage::OutboxCause message;
      message.source = in.id<ShardId>();
      message.number = in.number();
      message.low_water = in.number();
      return message;
    }
    default:
      return {};
  }
}

void write_call(Writer& out, const actors::Call& call, Time now) {
  write_key(out, call.key);
  out.number(static_cast<std::uint64_t>(call.kind));
  out.bytes(call.method);
  out.bytes(call.message.view());
  out.bytes(call.content_type);
  write_metadata(out, call.metadata);
  out.bytes(call.traceparent);
  write_duration(out, call.deadline - now);
  out.bytes(call.chain.id);
  out.number(call.chain.waiting.size());
  for (const ActorKey& key : call.chain.waiting) write_key(out, key);
  write_call_id(out, call.id);
  out.boolean(call.may_repeat);
  out.boolean(call.may_have_run || call.asked_before);
  out.number(call.done_below);
  write_cause(out, call.cause);
  out.number(call.redirects);
}

void read_call(Reader& in, Time now, actors::Call& call) {
  call.key = read_key(in);
  call.kind = static_cast<actors::CallKind>(
      in.number_up_to(static_cast<std::uint64_t>(actors::CallKind::kTimers)));
  call.method = in.string();
  call.message = Payload(in.string());
  call.content_type = in.string();
  call.metadata = read_metadata(in);
  call.traceparent = in.string();
  call.deadline = now + read_duration(in);
  call.chain.id = in.string();
  const std::uint64_t waiting = in.number_up_to(actors::kChainLengthMax);
  for (std::uint64_t i = 0; i < waiting && in.ok(); ++i) call.chain.waiting.push_back(read_key(in));
  call.id = read_call_id(in);
  call.may_repeat = in.boolean();
  call.asked_before = in.boolean();
  call.done_below = in.number();
  call.cause = read_cause(in);
  call.redirects = static_cast<std::uint32_t>(in.number_up_to(1'000'000));
}

template <class T, class F>
void write_result(Writer& out, const Result<T>& result, F&& write_value) {
  out.boolean(result.has_value());
  if (result) {
    write_value(*result);
  } else {
    write_error(out, result.error());
  }
}

void write_frame(Writer& out, const RaftFrame& frame, Time /*now*/) {
  RaftFrameWriter bytes;
  for (const RaftFrame::Item& item : frame.items) bytes.add(item.shard, item.message);
  out.append(bytes.take());
}

void write_frame(Writer& out, const RequestFrame& frame, Time /*now*/) {
  out.number(static_cast<std::uint64_t>(Kind::kRequest));
  out.number(frame.id);
  out.number(static_cast<std::uint64_t>(frame.service));
  write_duration(out, frame.time_left);
  out.bytes(frame.body);
}

void write_frame(Writer& out, const ResponseFrame& frame, Time /*now*/) {
  out.number(static_cast<std::uint64_t>(Kind::kResponse));
  out.number(frame.id);
  write_result(out, frame.result, [&](const std::string& body) { out.bytes(body); });
}

void write_call_frame(Writer& out, std::uint64_t id, RowVersion row, const actors::Call& call,
                      Time now) {
  out.number(static_cast<std::uint64_t>(Kind::kCall));
  out.number(id);
  out.id(row);
  write_call(out, call, now);
}

void write_frame(Writer& out, const CallFrame& frame, Time now) {
  write_call_frame(out, frame.id, frame.row, frame.call, now);
}

void write_reply_frame(Writer& out, const ReplyFrame& frame) {
  out.number(static_cast<std::uint64_t>(Kind::kReply));
  out.number(frame.id);
  write_result(out, frame.result, [&](const actors::Reply& reply) {
    out.bytes(reply.body.view());
    out.bytes(reply.content_type);
    write_metadata(out, reply.metadata);
  });
  out.boolean(frame.elsewhere);
  out.bytes(frame.row);
}

void write_frame(Writer& out, const ReplyFrame& frame, Time /*now*/) {
  write_reply_frame(out, frame);
}

void write_frame(Writer& out, const GossipFrame& frame, Time /*now*/) {
  out.number(static_cast<std::uint64_t>(Kind::kGossip));
  out.bytes(frame.bytes);
}

RaftFrame read_raft(Reader& in) {
  RaftFrame frame;
  const std::uint64_t count = in.number_up_to(kItemsMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto shard = in.id<ShardId>();
    Result<raft::Message> message = raft::decode_message(in.bytes());
    if (message) frame.items.push_back({.shard = shard, .message = *std::move(message)});
  }
  return frame;
}

RequestFrame read_request(Reader& in) {
  RequestFrame frame;
  frame.id = in.number();
  frame.service = static_cast<Service>(in.number_up_to(static_cast<std::uint64_t>(Service::kLast)));
  frame.time_left = read_duration(in);
  frame.body = in.string();
  return frame;
}

ResponseFrame read_response(Reader& in) {
  const std::uint64_t id = in.number();
  if (!in.boolean()) return {.id = id, .result = Failure{read_error(in)}};
  return {.id = id, .result = in.string()};
}

void read_reply(Reader& in, ReplyFrame& frame) {
  frame.id = in.number();
  if (in.boolean()) {
    actors::Reply& reply = *frame.result;
    reply.body = Payload(in.string());
    reply.content_type = in.string();
    reply.metadata = read_metadata(in);
  } else {
    frame.result = Failure{read_error(in)};
  }
  frame.elsewhere = in.boolean();
  frame.row = in.string();
}

void read_call_frame(Reader& in, Time now, CallFrame& frame) {
  frame.id = in.number();
  frame.row = in.id<RowVersion>();
  read_call(in, now, frame.call);
}

void expect(Reader& in, Kind kind) {
  if (in.number() != static_cast<std::uint64_t>(kind)) in.damage();
}

}  // namespace

void write_call_id(Writer& out, const storage::CallId& id) {
  out.id(id.origin);
  out.id(id.generation);
  out.number(id.sequence);
}

storage::CallId read_call_id(Reader& in) {
  storage::CallId id;
  id.origin = in.id<NodeId>();
  id.generation = in.id<Generation>();
  id.sequence = in.number();
  return id;
}

void write_error(Writer& out, const Error& error) {
  out.number(static_cast<std::uint64_t>(error.code));
  out.bytes(error.message);
}

Error read_error(Reader& in) {
  const auto code = static_cast<Code>(in.number_up_to(static_cast<std::uint64_t>(Code::kInternal)));
  return {.code = code, .message = in.string()};
}

std::string encode(const Frame& frame, Time now) {
  Writer out;
  std::visit([&](const auto& each) { write_frame(out, each, now); }, frame);
  return out.take();
}

std::string encode_call(std::uint64_t id, RowVersion row, const actors::Call& call, Time now) {
  Writer out;
  out.reserve(call.message.size() + kCallBytes);
  write_call_frame(out, id, row, call, now);
  return out.take();
}

std::string encode_reply(const ReplyFrame& reply) {
  Writer out;
  out.reserve((reply.result ? reply.result->body.size() : 0) + kReplyBytes);
  write_reply_frame(out, reply);
  return out.take();
}

void RaftFrameWriter::add(ShardId shard, const raft::Message& message) {
  ++count_;
  message_.clear();
  raft::encode(message_, message);
  items_.id(shard);
  items_.bytes(message_.view());
}

std::string RaftFrameWriter::take() {
  Writer frame;
  frame.reserve(items_.size() + 16);  // a kind and a count
  frame.number(static_cast<std::uint64_t>(Kind::kRaft));
  frame.number(std::exchange(count_, 0));
  frame.append(items_.view());
  items_.clear();
  return frame.take();
}

std::optional<CallFrame> decode_call(std::string_view bytes, Time now) {
  std::optional<CallFrame> frame(std::in_place);
  Reader in(bytes);
  expect(in, Kind::kCall);
  read_call_frame(in, now, *frame);
  if (!in.finished()) frame.reset();
  return frame;
}

std::optional<ReplyFrame> decode_reply(std::string_view bytes) {
  std::optional<ReplyFrame> frame(
      {.id = 0, .result = actors::Reply{}, .elsewhere = false, .row = {}});
  Reader in(bytes);
  expect(in, Kind::kReply);
  read_reply(in, *frame);
  if (!in.finished()) frame.reset();
  return frame;
}

FrameKind kind_of(std::string_view bytes) {
  Reader in(bytes);
  switch (static_cast<Kind>(in.number_up_to(static_cast<std::uint64_t>(Kind::kGossip)))) {
    case Kind::kCall:
      return FrameKind::kCall;
    case Kind::kReply:
      return FrameKind::kReply;
    default:
      return FrameKind::kOther;
  }
}

Result<Frame> decode_frame(std::string_view bytes, Time now) {
  Reader in(bytes);
  std::optional<Frame> frame;
  switch (static_cast<Kind>(in.number_up_to(static_cast<std::uint64_t>(Kind::kGossip)))) {
    case Kind::kRaft:
      frame.emplace(read_raft(in));
      break;
    case Kind::kRequest:
      frame.emplace(read_request(in));
      break;
    case Kind::kResponse:
      frame.emplace(read_response(in));
      break;
    case Kind::kCall:
      if (std::optional<CallFrame> call = decode_call(bytes, now)) return Frame(*std::move(call));
      break;
    case Kind::kReply:
      if (std::optional<ReplyFrame> reply = decode_reply(bytes)) return Frame(*std::move(reply));
      break;
    case Kind::kGossip:
      frame.emplace(GossipFrame{.bytes = in.string()});
      break;
  }
  if (!frame || !in.finished()) return fail(Code::kInvalid, "a frame is damaged");
  return std::move(*frame);
}

std::string encode_outcome(const storage::Outcome& outcome) {
  Writer out;
  out.number(static_cast<std::uint64_t>(outcome.kind));
  out.number(outcome.index);
  out.number(outcome.last_sequence);
  out.bytes(outcome.reply);
  out.boolean(outcome.reply_recorded);
  out.boolean(outcome.error.has_value());
  if (outcome.error) write_error(out, *outcome.error);
  return out.take();
}

Result<storage::Outcome> decode_outcome(std::string_view bytes) {
  Reader in(bytes);
  storage::Outcome outcome;
  outcome.kind = static_cast<storage::Outcome::Kind>(
      in.number_up_to(static_cast<std::uint64_t>(storage::Outcome::Kind::kRefused)));
  outcome.index = in.number();
  outcome.last_sequence = in.number();
  outcome.reply = in.string();
  outcome.reply_recorded = in.boolean();
  if (in.boolean()) outcome.error = read_error(in);
  if (!in.finished()) return fail(Code::kInternal, "a damaged outcome");
  return outcome;
}

}  // namespace troupe::cluster

#include "storage/raft/message.h"

#include <utility>

#include "runtime/base/codec.h"
#include "storage/raft/configuration.h"

namespace troupe::raft {
namespace {

// Far from overflow whatever is added to it.
constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 60;
constexpr std::uint64_t kKindMax = static_cast<std::uint64_t>(EntryKind::kConfiguration);

void write(Writer& writer, const Address& address) {
  writer.id(address.node);
  writer.id(address.replica);
}

Address read_address(Reader& reader) {
  Address address;
  address.node = reader.id<NodeId>();
  address.replica = reader.id<ReplicaId>();
  return address;
}

void write(Writer& writer, const VoteRequest& request) {
  writer.boolean(request.pre);
  writer.boolean(request.transfer);
  writer.number(request.last_index);
  writer.number(request.last_term);
}

void write(Writer& writer, const VoteResponse& response) {
  writer.boolean(response.pre);
  writer.boolean(response.granted);
  writer.number(static_cast<std::uint64_t>(response.heard_leader_ago.count()));
}

void write(Writer& writer, const AppendRequest& request) {
  writer.number(request.previous_index);
  writer.number(request.previous_term);
  writer.number(request.committed);
  writer.number(request.entries.size());
  for (const Entry& entry : request.entries) {
    writer.number(entry.term);
    writer.number(static_cast<std::uint64_t>(entry.kind));
    writer.bytes(entry.data.view());
  }
}

void write(Writer& writer, const AppendResponse& response) {
  writer.boolean(response.rejected);
  writer.number(response.index);
  writer.number(response.hint_index);
  writer.number(response.hint_term);
}

void write(Writer& writer, const Heartbeat& heartbeat) {
  writer.number(heartbeat.round);
  writer.number(heartbeat.committed);
}

void write(Writer& writer, const HeartbeatResponse& response) { writer.number(response.round); }

void write(Writer&, const TimeoutNow&) {}

void read(Reader& reader, Term, VoteRequest& request) {
  request.pre = reader.boolean();
  request.transfer = reader.boolean();
  request.last_index = reader.number_up_to(kNumberMax);
  request.last_term = reader.number_up_to(kNumberMax);
}

void read(Reader& reader, Term, VoteResponse& response) {
  response.pre = reader.boolean();
  response.granted = reader.boolean();
  response.heard_leader_ago = Duration(static_cast<Duration::rep>(reader.number_up_to(kNumberMax)));
}

void read(Reader& reader, Term term, AppendRequest& request) {
  request.previous_index = reader.number_up_to(kNumberMax);
  request.previous_term = reader.number_up_to(term);
  request.committed = reader.number_up_to(kNumberMax);
  const std::uint64_t count = reader.number_up_to(kMessageEntriesMax);
  Term newest = request.previous_term;
  for (std::uint64_t i = 1; reader.ok() && i <= count; ++i) {
    Entry entry;
    entry.index = request.previous_index + i;
    entry.term = reader.number_up_to(term);
    entry.kind = static_cast<EntryKind>(reader.number_up_to(kKindMax));
    entry.data = Payload(reader.string());
    if (entry.term < newest) reader.damage();
    if (entry.kind == EntryKind::kConfiguration && !decode_configuration(entry.data.view())) {
      reader.damage();
    }
    newest = entry.term;
    request.entries.push_back(std::move(entry));
  }
}

void read(Reader& reader, Term, AppendResponse& response) {
  response.rejected = reader.boolean();
  response.index = reader.number_up_to(kNumberMax);
  response.hint_index = reader.number_up_to(kNumberMax);
  response.hint_term = reader.number_up_to(kNumberMax);
}

void read(Reader& reader, Term, Heartbeat& heartbeat) {
  heartbeat.round = reader.number_up_to(kNumberMax);
  heartbeat.committed = reader.number_up_to(kNumberMax);
}

void read(Reader& reader, Term, HeartbeatResponse& response) {
  response.round = reader.number_up_to(kNumberMax);
}

void read(Reader&, Term, TimeoutNow&) {}

// The place of a body in the variant is its number on the wire.
template <std::size_t... kPlaces>
Body read_body(Reader& reader, Term term, std::index_sequence<kPlaces...>) {
  const std::uint64_t place = reader.number_up_to(sizeof...(kPlaces) - 1);
  Body body;
  const auto read_as = [&]<std::size_t kPlace>() {
    if (place == kPlace) read(reader, term, body.emplace<kPlace>());
  };
  (read_as.template operator()<kPlaces>(), ...);
  return body;
}

}  // namespace

std::string encode(const Message& message) {
  Writer writer;
  encode(writer, message);
  return writer.take();
}

void encode(Writer& out, const Message& message) {
  write(out, message.from);
  write(out, message.to);
  out.number(message.term);
  out.number(message.body.index());
  std::visit([&out](const auto& body) { write(out, body); }, message.body);
}

Result<Message> decode_message(std::string_view bytes) {
  Reader reader(bytes);
  Message message;
  message.from = read_address(reader);
  message.to = read_address(reader);
  message.term = reader.number_up_to(kNumberMax);
  message.body =
      read_body(reader, message.term, std::make_index_sequence<std::variant_size_v<Body>>());
  if (message.from.empty() || message.to.empty()) reader.damage();
  if (!reader.finished()) return fail(Code::kDataLoss, "a raft message is damaged");
  return message;
}

std::string encode(const HardState& state) {
  Writer writer;
  writer.number(state.term);
  write(writer, state.vote);
  return writer.take();
}

Result<HardState> decode_hard_state(std::string_view bytes) {
  Reader reader(bytes);
  HardState state;
  state.term = reader.number_up_to(kNumberMax);
  state.vote = read_address(reader);
  if (!reader.finished()) return fail(Code::kDataLoss, "a term and vote are damaged");
  return state;
}

}  // namespace troupe::raft

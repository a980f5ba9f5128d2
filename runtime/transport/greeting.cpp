#include "runtime/transport/greeting.h"

#include "runtime/base/codec.h"

namespace troupe::transport {
namespace {

// So that what connects here by mistake is known for what it is.
constexpr std::string_view kMark = "troupe-peer";
constexpr std::size_t kTextBytesMax = 1024;

}  // namespace

std::string encode(const Greeting& greeting) {
  Writer out;
  out.bytes(kMark);
  out.number(greeting.hello.protocol_version);
  out.bytes(greeting.hello.cluster);
  out.id(greeting.hello.node);
  out.id(greeting.hello.generation);
  out.bytes(greeting.address);
  out.number(static_cast<std::uint64_t>(greeting.lane));
  out.id(greeting.expected);
  out.number(greeting.process);
  return out.take();
}

std::optional<Greeting> decode_greeting(std::string_view bytes) {
  Reader in(bytes);
  if (in.bytes() != kMark) return std::nullopt;
  Greeting greeting;
  greeting.hello.protocol_version = in.number();
  if (!in.ok()) return std::nullopt;
  if (greeting.hello.protocol_version != Hello{}.protocol_version) return greeting;
  greeting.hello.cluster = in.string();
  greeting.hello.node = in.id<NodeId>();
  greeting.hello.generation = in.id<Generation>();
  greeting.address = in.string();
  greeting.lane = static_cast<Lane>(in.number_up_to(1));
  greeting.expected = in.id<NodeId>();
  greeting.process = in.number();
  const bool sane = in.finished() && greeting.hello.cluster.size() <= kTextBytesMax &&
                    greeting.address.size() <= kTextBytesMax && !greeting.hello.node.empty();
  return sane ? std::optional(greeting) : std::nullopt;
}

std::optional<std::string> refusal(const Greeting& own, const Greeting& peer) {
  const Hello& me = own.hello;
  const Hello& you = peer.hello;
  if (you.protocol_version != me.protocol_version) {
    return "it speaks protocol version " + std::to_string(you.protocol_version) + ", this node " +
           std::to_string(me.protocol_version);
  }
  if (!you.cluster.empty() && !me.cluster.empty() && you.cluster != me.cluster) {
    return "it is of cluster '" + you.cluster + "', this node of '" + me.cluster + "'";
  }
  if (you.node == me.node) {
    if (peer.process == own.process) return "it is this node itself";
    return "its id " + to_string(you.node) +
           " is this node's too: the data directory was copied; stop one of them";
  }
  if (!peer.expected.empty() && peer.expected != me.node) {
    return "it looks for node " + short_name(peer.expected) + ", this is node " +
           short_name(me.node);
  }
  if (!own.expected.empty() && own.expected != you.node) {
    return "node " + short_name(own.expected) + " was expected there, it is node " +
           short_name(you.node);
  }
  return std::nullopt;
}

std::optional<std::string> NewestProcesses::refusal(const Greeting& peer) {
  const Process process{peer.hello.generation, peer.process};
  if (process.generation == Generation{}) return std::nullopt;
  if (newest_.size() >= kNodesMax && !newest_.contains(peer.hello.node)) newest_.clear();
  const auto [found, added] = newest_.try_emplace(peer.hello.node, process);
  Process& newest = found->second;
  if (added || newest.generation <= process.generation) {
    newest = process;
    return std::nullopt;
  }
  // A greeting written before the process registered anew may come after one written since.
  if (newest.process == process.process) return std::nullopt;
  return "a newer process has its id " + to_string(peer.hello.node) + ": generation " +
         std::to_string(newest.generation.value) + " after " +
         std::to_string(process.generation.value) + "; if its data directory was copied, stop it";
}

}  // namespace troupe::transport

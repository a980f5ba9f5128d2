#include "runtime/cluster/meta_machine.h"

#include <algorithm>
#include <utility>

namespace troupe::cluster {
namespace {

constexpr std::uint64_t kFormatVersion = 1;
constexpr std::uint64_t kNodesMax = 65536;
constexpr std::size_t kCommandsKnown = std::variant_size_v<MetaCommand>;

storage::Outcome refuse(Code code, std::string message) {
  storage::Outcome outcome;
  outcome.kind = storage::Outcome::Kind::kRefused;
  outcome.error = Error{.code = code, .message = std::move(message)};
  return outcome;
}

storage::Outcome reply(std::uint64_t number) {
  storage::Outcome outcome;
  Writer out;
  out.number(number);
  outcome.reply = out.take();
  return outcome;
}

void write(Writer& out, const FoundCluster& command) {
  out.bytes(command.cluster);
  out.number(command.shard_count);
  out.number(command.next_replica);
}
void write(Writer& out, const RegisterNode& command) {
  encode(out, command.node);
  out.number(command.earlier_starts.size());
  for (const std::uint64_t start : command.earlier_starts) out.number(start);
}
void write(Writer& /*out*/, const IssueReplica& /*command*/) {}
void write(Writer& out, const DrainNode& command) {
  out.id(command.node);
  out.boolean(command.draining);
}
void write(Writer& out, const RemoveNode& command) { out.id(command.node); }

MetaCommand read_command(Reader& in) {
  switch (in.number_up_to(kCommandsKnown - 1)) {
    case 0: {
      FoundCluster command;
      command.cluster = in.string();
      command.shard_count = static_cast<std::uint32_t>(in.number_up_to(1 << 16));
      command.next_replica = in.number();
      return command;
    }
    case 1: {
      RegisterNode command;
      command.node = decode_registered_node(in);
      const std::uint64_t count = in.number_up_to(RegisterNode::kEarlierStartsMax);
      for (std::uint64_t i = 0; i < count; ++i) command.earlier_starts.push_back(in.number());
      return command;
    }
    case 2:
      return IssueReplica{};
    case 3: {
      DrainNode command;
      command.node = in.id<NodeId>();
      command.draining = in.boolean();
      return command;
    }
    default:
      return RemoveNode{.node = in.id<NodeId>()};
  }
}

}  // namespace

void encode(Writer& out, const RegisteredNode& node) {
  out.id(node.id);
  out.id(node.generation);
  out.bytes(node.address);
  out.bytes(node.zone);
  out.number(node.weight);
  out.boolean(node.storage);
  out.boolean(node.draining);
  out.number(node.start);
}

RegisteredNode decode_registered_node(Reader& in) {
  RegisteredNode node;
  node.id = in.id<NodeId>();
  node.generation = in.id<Generation>();
  node.address = in.string();
  node.zone = in.string();
  node.weight = static_cast<std::uint32_t>(in.number_up_to(1'000'000));
  node.storage = in.boolean();
  node.draining = in.boolean();
  node.start = in.number();
  return node;
}

std::string encode(const MetaCommand& command) {
  Writer out;
  out.number(kFormatVersion);
  out.number(command.index());
  std::visit([&](const auto& each) { write(out, each); }, command);
  return out.take();
}

Result<MetaCommand> decode_meta_command(std::string_view bytes) {
  Reader in(bytes);
  const std::uint64_t version = in.number();
  if (in.ok() && version > kFormatVersion) {
    return fail(Code::kUnimplemented, "an entry of the meta shard has version " +
                                          std::to_string(version) + ", newer than this program's");
  }
  MetaCommand command = read_command(in);
  if (!in.finished()) return fail(Code::kDataLoss, "an entry of the meta shard is damaged");
  return command;
}

Result<void> MetaMachine::load(std::string_view stored) {
  *this = MetaMachine();
  if (stored.empty()) return {};
  Reader in(stored);
  in.number_up_to(kFormatVersion);
  cluster_ = in.string();
  shard_count_ = static_cast<std::uint32_t>(in.number_up_to(1 << 16));
  next_replica_ = in.number();
  next_generation_ = in.number();
  const std::uint64_t count = in.number_up_to(kNodesMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    RegisteredNode node = decode_registered_node(in);
    nodes_.insert_or_assign(node.id, std::move(node));
  }
  if (!in.finished()) return fail(Code::kDataLoss, "the state of the meta shard is damaged");
  return {};
}

std::string MetaMachine::stored() const {
  Writer out;
  out.number(kFormatVersion);
  out.bytes(cluster_);
  out.number(shard_count_);
  out.number(next_replica_);
  out.number(next_generation_);
  out.number(nodes_.size());
  for (const auto& [id, node] : nodes_) encode(out, node);
  return out.take();
}

storage::Outcome MetaMachine::apply(std::uint64_t index, const MetaCommand& command) {
  storage::Outcome outcome;
  if (const auto* founding = std::get_if<FoundCluster>(&command)) {
    outcome = found(*founding);
  } else if (const auto* enrolling = std::get_if<RegisterNode>(&command)) {
    outcome = enroll(*enrolling);
  } else if (std::holds_alternative<IssueReplica>(command)) {
    outcome = reply(next_replica_++);
  } else if (const auto* drain = std::get_if<DrainNode>(&command)) {
    const auto node = nodes_.find(drain->node);
    if (node == nodes_.end()) {
      outcome = refuse(Code::kNotFound, "no node " + to_string(drain->node) + " in this cluster");
    } else {
      node->second.draining = drain->draining;
    }
  } else if (const auto* removal = std::get_if<RemoveNode>(&command)) {
    nodes_.erase(removal->node);
  }
  outcome.index = index;
  return outcome;
}

storage::Outcome MetaMachine::found(const FoundCluster& command) {
  if (!cluster_.empty()) return {};
  cluster_ = command.cluster;
  shard_count_ = command.shard_count;
  next_replica_ = std::max(next_replica_, command.next_replica);
  return {};
}

storage::Outcome MetaMachine::enroll(const RegisterNode& command) {
  const auto known = nodes_.find(command.node.id);
  if (known != nodes_.end() && known->second.start == command.node.start) {
    return reply(known->second.generation.value);
  }
  const auto ours = [&](std::uint64_t start) {
    return std::ranges::find(command.earlier_starts, start) != command.earlier_starts.end();
  };
  if (known != nodes_.end() && command.node.generation < known->second.generation &&
      !ours(known->second.start)) {
    return refuse(Code::kPrecondition,
                  "node " + to_string(command.node.id) + " was last registered with generation " +
                      std::to_string(known->second.generation.value) +
                      ", but its data directory is of generation " +
                      std::to_string(command.node.generation.value) +
                      ": the directory was copied or rolled back; start it with an empty one");
  }
  if (known == nodes_.end() && nodes_.size() >= kNodesMax) {
    return refuse(Code::kExhausted, "the cluster has " + std::to_string(kNodesMax) + " nodes");
  }
  RegisteredNode node = command.node;
  node.generation = Generation{next_generation_++};
  // A drained node that comes back wants to serve again.
  node.draining = false;
  const std::uint64_t issued = node.generation.value;
  nodes_.insert_or_assign(node.id, std::move(node));
  return reply(issued);
}

}  // namespace troupe::cluster

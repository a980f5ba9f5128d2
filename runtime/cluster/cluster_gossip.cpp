// Cluster's part that speaks with other nodes: gossip, rows, and what comes from the network.
#include <algorithm>
#include <utility>
#include <variant>

#include "runtime/base/codec.h"
#include "runtime/cluster/cluster.h"

namespace troupe::cluster {
namespace {

// What an introduction is about: its first byte.
enum class Introduction : char { kFounding = Founding::kMark, kGossip = 'g' };
constexpr std::size_t kAddressesTold = 16;
constexpr auto kTestimonyPatience = std::chrono::seconds(1);

}  // namespace

void Cluster::gossip_tick() {
  if (!gossip_) return;
  gossip_->tick(deps_.clock.now());
  flush_gossip();
  gossip_changed();
  if (router_) router_->sweep();
  const Time next = gossip_->next_tick();
  gossip_at_ = next;
  deps_.loop.post_at(next, [this, alive = alive_] {
    if (*alive) gossip_tick();
  });
}

void Cluster::flush_gossip() {
  for (placement::Outgoing& out : gossip_->take_outgoing()) {
    const std::string address = to_string(out.to);
    if (!out.stream) {
      deps_.network.send_datagram(address, std::move(out.bytes));
      continue;
    }
    Writer body;
    body.bytes(to_string(options_.self.address));
    body.bytes(out.bytes);
    deps_.network.introduce(address, static_cast<char>(Introduction::kGossip) + body.take(),
                            [](const Result<std::string>& /*answer*/) {});
  }
}

// Follows what gossip has brought: members and rows.
void Cluster::gossip_changed() {
  if (gossip_->membership().superseded()) {
    return deps_.fatal({.code = Code::kPrecondition,
                        .message = "a newer process than this is known as node " +
                                   to_string(options_.self.id) +
                                   ": the data directory was copied or rolled back; stop the other "
                                   "process, or start this one with "
                                   "an empty directory"});
  }
  know_members();
  rows_changed();
}

void Cluster::know_members() {
  const auto view = members();
  if (view->version == members_version_) return;
  members_version_ = view->version;
  for (const placement::View::Entry& entry : view->members) {
    if (entry.member->id == options_.self.id) continue;
    if (entry.status == placement::MemberStatus::kAlive ||
        entry.status == placement::MemberStatus::kSuspect) {
      deps_.network.know(entry.member->id, to_string(entry.member->address));
    } else if (entry.status == placement::MemberStatus::kLeft) {
      deps_.network.forget(entry.member->id);
    }
  }
  for (const NodeId node : doubts_.members_changed(*view)) {
    if (rpc_) rpc_->give_up(node, "it may be gone");
  }
  if (owners_) owners_->members_changed();
}

void Cluster::publish(placement::Row row) {
  if (row.shard == kMetaShard) row.shard = ShardId{cluster_.shard_count};
  gossip_->rows().apply(std::move(row));
  rows_changed();
}

void Cluster::learn(std::string_view bytes) {
  Reader in(bytes);
  placement::Row row = placement::decode_row(in);
  if (!in.finished()) return;
  publish(std::move(row));
}

void Cluster::rows_changed() {
  for (const ShardId shard : gossip_->rows().take_changed()) {
    follow(shard);
    meta_->row_changed(shard);
  }
}

// A newer row of a shard: rights come and go with it, and a replica that it no longer names goes.
void Cluster::follow(ShardId table_shard) {
  const bool meta = table_shard.value == cluster_.shard_count;
  placement::Row row;
  {
    const placement::Table::RowRef found = table_->lookup(table_shard);
    if (!found) return;
    row = *found;
  }
  if (!meta && rights_) rights_->apply(row);
  const ShardId shard = meta ? kMetaShard : table_shard;
  Replica* replica = replicas_->find(shard);
  if (replica == nullptr || row.leader == options_.self.id) return;
  const raft::Raft& raft = replica->raft();
  // A new replica begins with a snapshot from before it was added: rows of that time say nothing.
  const bool knows_itself = raft.configuration().contains(raft.self());
  if (!knows_itself || row.version.index <= raft.log().configuration_index() ||
      row.version.term < raft.term()) {
    return;
  }
  const bool named = std::ranges::any_of(row.replicas, [&](const placement::RowReplica& each) {
    return each.node == options_.self.id && each.replica == replica->keys().replica();
  });
  if (!named) replicas_->retire(shard, replica->keys().replica());
}

void Cluster::connected(const Hello& peer) {
  deps_.loop.post([this, alive = alive_, node = peer.node] {
    if (!*alive) return;
    doubts_.connected(node, *members());
    if (owners_) owners_->doubts_changed();
    if (rights_) rights_->forget_peer(node);
  });
}

void Cluster::disconnected(NodeId peer) {
  deps_.loop.post([this, alive = alive_, peer] {
    if (!*alive || stopping_) return;
    doubts_.disconnected(peer, *members());
    if (owners_) owners_->doubts_changed();
    rpc_->give_up(peer, "the connection broke");
    replicas_->disconnected(peer);
    if (router_) router_->disconnected(peer);
  });
}

void Cluster::nobody_listens(NodeId peer) {
  if (options_.takeover != Takeover::kEvidence) return;
  deps_.loop.post([this, alive = alive_, peer] {
    if (!*alive || stopping_) return;
    const auto gone = doubts_.nobody_listens(peer, *members());
    if (gone) testify(peer, *gone);
  });
}

void Cluster::serve_testimonies() {
  rpc_->serve(Service::kTestify, [this](NodeId from, const std::string& body, Time /*deadline*/,
                                        Done<std::string> respond) {
    Reader in(body);
    const auto node = in.id<NodeId>();
    const auto generation = in.id<Generation>();
    if (!in.finished()) return respond(fail(Code::kInvalid, "a damaged testimony"));
    hear_witness(from, node, generation);
    respond(std::string());
  });
}

void Cluster::testify(NodeId node, Generation generation) {
  hear_witness(options_.self.id, node, generation);
  Writer out;
  out.id(node);
  out.id(generation);
  const std::string testimony = out.take();
  for (const auto& member : members()->reachable()) {
    if (member->id == options_.self.id || doubts_.in_doubt(member->id)) continue;
    rpc_->ask(member->id, Service::kTestify, testimony, kTestimonyPatience,
              [](const Result<std::string>& /*heard*/) {});
  }
}

void Cluster::hear_witness(NodeId witness, NodeId node, Generation generation) {
  if (options_.takeover != Takeover::kEvidence || !doubts_.testify(witness, node, generation)) {
    return;
  }
  deps_.log.info("a node is gone: nobody listens at its address", {{"node", short_name(node)}});
  if (owners_) owners_->ended(node, generation);
}

void Cluster::received(NodeId from, std::string_view bytes) {
  if (kind_of(bytes) != FrameKind::kOther) {
    Inbox* calls = calls_.load(std::memory_order_acquire);
    return calls != nullptr ? calls->put(from, bytes) : refuse_call(from, bytes);
  }
  Result<Frame> frame = decode_frame(bytes, deps_.clock.now());
  if (!frame) return deps_.log.warning("a damaged frame", {{"from", short_name(from)}});
  auto kept = std::make_shared<Frame>(std::move(*frame));
  deps_.loop.post([this, alive = alive_, from, kept] {
    if (!*alive) return;
    if (auto* raft = std::get_if<RaftFrame>(&*kept)) {
      replicas_->received(from, *raft);
    } else if (auto* request = std::get_if<RequestFrame>(&*kept)) {
      rpc_->received(from, std::move(*request));
    } else if (auto* response = std::get_if<ResponseFrame>(&*kept)) {
      rpc_->received(from, std::move(*response));
    }
  });
}

void Cluster::work_begins() {
  if (deps_.scheduler != nullptr) deps_.scheduler->hold();
  if (Inbox* calls = calls_.load(std::memory_order_acquire)) calls->begin_batch();
}

bool Cluster::work_ends(bool may_stay) {
  if (Inbox* calls = calls_.load(std::memory_order_acquire)) calls->end_batch();
  if (deps_.scheduler == nullptr) return false;
  if (may_stay) return deps_.scheduler->release_and_help();
  deps_.scheduler->release();
  return false;
}

// From the inbox.
void Cluster::received_call(NodeId from, std::string_view bytes) {
  if (kind_of(bytes) == FrameKind::kCall) {
    if (auto call = decode_call(bytes, deps_.clock.now())) {
      return router_->received(from, *std::move(call));
    }
  } else if (auto reply = decode_reply(bytes)) {
    return router_->received(from, *std::move(reply));
  }
  deps_.log.warning("a damaged frame", {{"from", short_name(from)}});
}

// An old row led here, before this process hosts anything.
void Cluster::refuse_call(NodeId from, std::string_view bytes) {
  const std::optional<CallFrame> call = decode_call(bytes, deps_.clock.now());
  if (!call) return;
  answers_.send(from, {.id = call->id,
                       .result = fail(Code::kUnavailable, "this node is starting"),
                       .elsewhere = true,
                       .row = {}});
}

void Cluster::introduced(std::string question, Done<std::string> respond) {
  if (question.empty()) return respond(fail(Code::kInvalid, "an empty introduction"));
  auto kept = std::make_shared<Done<std::string>>(std::move(respond));
  deps_.loop.post([this, alive = alive_, kept, question = std::move(question)] {
    if (!*alive) return (*kept)(fail(Code::kUnavailable, "this node is stopping"));
    const std::string_view body = std::string_view(question).substr(1);
    if (question.front() == static_cast<char>(Introduction::kGossip)) {
      Reader in(body);
      const auto from = placement::parse_address(in.string());
      const std::string_view bytes = in.bytes();
      if (gossip_ && from && in.finished()) {
        static_cast<void>(gossip_->receive(deps_.clock.now(), *from, bytes, true));
        flush_gossip();
        gossip_changed();
      }
      return (*kept)(std::string());
    }
    if (founding_ && !founding_->finished()) {
      return founding_->answer(body,
                               [kept](Result<std::string> answer) { (*kept)(std::move(answer)); });
    }
    if (!belongs_) {
      return (*kept)(fail(Code::kUnavailable, "this node is starting"));
    }
    std::vector<std::string> addresses;
    for (const auto& member : gossip_->membership().view()->reachable()) {
      if (addresses.size() < kAddressesTold) addresses.push_back(to_string(member->address));
    }
    Proposal cluster = cluster_;
    cluster.founders.clear();
    (*kept)(Founding::member_answer(
        {.node = options_.self.id, .address = to_string(options_.self.address)}, cluster,
        addresses));
  });
}

void Cluster::received_datagram(const std::string& from, std::string_view bytes) {
  deps_.loop.post([this, alive = alive_, from, kept = std::string(bytes)] {
    if (!*alive || !gossip_) return;
    const auto address = placement::parse_address(from);
    if (!address) return;
    static_cast<void>(gossip_->receive(deps_.clock.now(), *address, kept, false));
    flush_gossip();
    gossip_changed();
  });
}

}  // namespace troupe::cluster

#include "tests/simulation/raft/node.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"

namespace troupe::raft {
namespace {

using std::chrono::milliseconds;

// Packets start with one of these.
constexpr std::uint64_t kMessage = 1;
constexpr std::uint64_t kSnapshot = 2;
constexpr std::uint64_t kReport = 3;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
  return hash ^ (hash >> 29);
}

std::uint64_t hash_of(std::uint64_t before, const Entry& entry) {
  std::uint64_t hash = mix(mix(before, entry.index), static_cast<std::uint64_t>(entry.kind));
  for (const char byte : entry.data.view()) hash = mix(hash, static_cast<unsigned char>(byte));
  return hash;
}

Writer packet(std::uint64_t kind, const Address& from, const Address& to) {
  Writer writer;
  writer.number(kind);
  for (const Address& address : {from, to}) {
    writer.id(address.node);
    writer.id(address.replica);
  }
  return writer;
}

Address read_address(Reader& reader) {
  Address address;
  address.node = reader.id<NodeId>();
  address.replica = reader.id<ReplicaId>();
  return address;
}

}  // namespace

Node::Node(NodeId id, const Surroundings& around)
    : id_(id), around_(around), disk_(around.timeline, around.random, [](Batch& batch) {
        for (auto& write : batch) write();
      }) {}

void Node::found(ReplicaId replica, Configuration configuration) {
  durable_.replica = replica;
  durable_.log_start.configuration = std::move(configuration);
}

void Node::start() {
  around_.network.attach(id_, [this](NodeId, const std::string& bytes) { receive(bytes); });
  if (durable_.replica.value != 0) launch();
}

// A replica added to its group, or added again: knows nothing yet.
void Node::create(ReplicaId replica) {
  disk_.forget();
  durable_ = {};
  durable_.replica = replica;
  launch();
}

void Node::launch() {
  ++life_;
  proposals_.clear();
  pending_reads_.clear();
  sending_.clear();
  hash_ = durable_.hash;
  Restored restored{.hard_state = durable_.hard_state,
                    .log_start = durable_.log_start,
                    .entries = {},
                    .applied = durable_.applied};
  for (const auto& [index, entry] : durable_.log) restored.entries.push_back(entry);
  RaftOptions options{.self = self()};
  options.window_requests_max = 8;
  options.request_entries_max = 8;
  raft_ =
      std::make_unique<Raft>(options, std::move(restored), around_.random, around_.timeline.now());
  arrange_tick();
}

void Node::crash() {
  around_.network.detach(id_);
  raft_.reset();
  ++life_;
  disk_.crash();
}

void Node::arrange_tick() {
  around_.timeline.after(milliseconds(20 + around_.random.below(20)), [this, life = life_] {
    if (life != life_) return;
    raft_->tick(around_.timeline.now());
    drain();
    arrange_tick();
  });
}

void Node::receive(const std::string& bytes) {
  Reader reader(bytes);
  const std::uint64_t kind = reader.number();
  if (kind == kMessage) {
    const auto message = decode_message(reader.bytes());
    check(message.has_value(), "what was encoded decodes");
    if (message->to.replica > durable_.replica) create(message->to.replica);
    if (!raft_) return;
    raft_->receive(around_.timeline.now(), *message);
  } else if (raft_ && kind == kSnapshot) {
    receive_snapshot(reader);
  } else if (raft_) {
    receive_report(reader);
  }
  drain();
}

void Node::receive_snapshot(Reader reader) {
  const Address from = read_address(reader);
  if (read_address(reader) != self()) return;
  Snapshot snapshot;
  snapshot.start.index = reader.number();
  snapshot.start.term = reader.number();
  snapshot.start.configuration = decode_configuration(reader.bytes()).value();
  snapshot.hash = reader.number();
  if (raft_->snapshot_installed(around_.timeline.now(), snapshot.start)) {
    installing_ = snapshot;
    ++snapshots_;
  }
  report(from, true, snapshot.start.index);
}

void Node::report(const Address& to, bool installed, Index index) {
  Writer writer = packet(kReport, self(), to);
  writer.boolean(installed);
  writer.number(index);
  around_.network.send(id_, to.node, writer.take());
}

void Node::receive_report(Reader reader) {
  const Address from = read_address(reader);
  if (read_address(reader) != self()) return;
  const bool installed = reader.boolean();
  const Index index = reader.number();
  sending_.erase(from);
  raft_->snapshot_sent(around_.timeline.now(), from, installed, index);
}

void Node::send_snapshot(const SendSnapshot& order) {
  const Index index = raft_->applied();
  check(index >= order.at_least, "what was compacted was applied");
  Writer writer = packet(kSnapshot, self(), order.to);
  writer.number(index);
  writer.number(raft_->log().term(index).value());
  writer.bytes(encode(raft_->log().configuration_at(index)));
  writer.number(hash_);
  const std::uint64_t attempt = sending_[order.to] = ++contexts_;
  // A stream takes longer than a message: it may well arrive after what came later.
  around_.timeline.after(
      milliseconds(around_.random.below(100)),
      [this, to = order.to.node, bytes = writer.take()] { around_.network.send(id_, to, bytes); });
  around_.timeline.after(milliseconds(1500), [this, life = life_, to = order.to, attempt] {
    const auto sending = life == life_ ? sending_.find(to) : sending_.end();
    if (sending == sending_.end() || sending->second != attempt) return;
    sending_.erase(sending);
    raft_->snapshot_sent(around_.timeline.now(), to, false, 0);
    drain();
  });
}

void Node::propose(const std::string& command) {
  const auto index = raft_->propose(around_.timeline.now(), command);
  if (index) proposals_[*index] = command;
  drain();
}

void Node::read() {
  const std::uint64_t context = ++contexts_;
  if (raft_->read_index(around_.timeline.now(), context)) {
    pending_reads_[context] = around_.ledger.newest_acknowledged();
  }
  drain();
}

void Node::drain() {
  if (!raft_) return;
  const auto next = [this] {
    const bool idle = raft_->idle();
    Ready ready = raft_->take_ready();
    check(!idle || ready.empty(), "who is idle has nothing to do");
    return ready;
  };
  for (Ready ready = next(); !ready.empty(); ready = next()) {
    if (ready.lost_leadership) proposals_.clear();
    for (const std::uint64_t context : ready.failed_reads) pending_reads_.erase(context);
    Batch batch;
    take_writes(ready, batch);
    for (const Message& message : ready.messages) {
      Writer writer;
      writer.number(kMessage);
      writer.bytes(encode(message));
      around_.network.send(id_, message.to.node, writer.take());
    }
    for (const Entry& entry : ready.committed) apply(entry);
    batch.emplace_back([this, applied = raft_->applied(), hash = hash_] {
      durable_.applied = applied;
      durable_.hash = hash;
    });
    for (const ReadState& read : ready.reads) {
      const auto pending = pending_reads_.extract(read.context);
      if (pending) around_.ledger.served(self(), pending.mapped(), read.index);
    }
    disk_.write(std::move(batch), [this, ticket = ready.ticket] {
      if (ticket == 0) return;
      raft_->persisted(around_.timeline.now(), ticket);
      drain();
    });
    for (const SendSnapshot& order : ready.snapshots) send_snapshot(order);
    const Index kept = raft_->applied() - raft_->log().start().index;
    if (around_.trailing > 0 && kept > 4 * around_.trailing) {
      raft_->compact(raft_->applied() - around_.trailing);
    }
    if (raft_->role() == Role::kLeader) around_.ledger.leads(*raft_, around_.timeline.now());
  }
}

void Node::take_writes(Ready& ready, Batch& batch) {
  if (ready.ticket == 0) return;
  if (ready.snapshot_installed) hash_ = installing_.hash;
  batch.emplace_back([this, hard_state = ready.hard_state, log_start = std::move(ready.log_start),
                      truncate_from = ready.truncate_from, entries = std::move(ready.entries)] {
    auto& log = durable_.log;
    if (hard_state) durable_.hard_state = *hard_state;
    if (log_start) {
      durable_.log_start = *log_start;
      log.erase(log.begin(), log.upper_bound(log_start->index));
    }
    if (truncate_from) log.erase(log.lower_bound(*truncate_from), log.end());
    for (const Entry& entry : entries) log[entry.index] = entry;
  });
}

void Node::apply(const Entry& entry) {
  hash_ = hash_of(hash_, entry);
  around_.ledger.applied(self(), entry, hash_);
  const auto proposal = proposals_.extract(entry.index);
  if (!proposal) return;
  if (entry.data.view() != proposal.mapped()) {
    around_.ledger.violate(to_string(self()) + " told a client of another's entry");
  }
  around_.ledger.acknowledged(entry.index);
}

}  // namespace troupe::raft

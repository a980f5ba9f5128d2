#include "tests/scenarios/raft/conversation.h"

#include <algorithm>
#include <chrono>

#include "runtime/base/check.h"

namespace troupe::raft {
namespace {

using std::chrono::milliseconds;

std::uint64_t number_of(const Address& address) { return address.node.low; }

// "3", "3/9" (replica 9 of node 3; else the replica bears its node's number); "+3" is a learner.
Member parse_member(std::string word) {
  Member member{.address = {}, .voter = word.front() != '+'};
  if (!member.voter) word.erase(0, 1);
  const auto slash = word.find('/');
  member.address.node.low = std::stoull(word.substr(0, slash));
  member.address.replica.value = slash == std::string_view::npos
                                     ? member.address.node.low
                                     : std::stoull(word.substr(slash + 1));
  return member;
}

std::string print(const Member& member) {
  std::string text = (member.voter ? "" : "+") + std::to_string(number_of(member.address));
  const auto replica = member.address.replica.value;
  if (replica != number_of(member.address)) text += "/" + std::to_string(replica);
  return text;
}

Configuration parse_members(std::istringstream& words) {
  Configuration configuration;
  for (std::string word; words >> word;) configuration.members.push_back(parse_member(word));
  return configuration;
}

std::string print(const Configuration& configuration) {
  std::string text;
  for (const Member& member : configuration.members) text += " " + print(member);
  return text;
}

std::string print(const Entry& entry) {
  const std::string term = std::to_string(entry.term) + ":";
  if (entry.kind == EntryKind::kNoOp) return term + "-";
  if (entry.kind == EntryKind::kConfiguration) return term + "members";
  return term + std::string(entry.data.view());
}

std::uint64_t read_number(std::istringstream& words) {
  std::uint64_t number = 0;
  words >> number;
  return number;
}

std::string rest_of(std::istringstream& words) {
  std::string all;
  for (std::string word; words >> word;) all += " " + word;
  return all;
}

}  // namespace

std::string Conversation::play(const std::string& script) {
  std::istringstream lines(script);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    Words words(line.substr(0, line.find('#')));
    std::string name;
    if (!(words >> name)) continue;
    const std::string wrong = command(name, words);
    if (!wrong.empty()) return "line " + std::to_string(number) + ": " + line + ": " + wrong;
    for (auto& [id, node] : nodes_) drain(node);
  }
  return "";
}

std::string Conversation::command(const std::string& name, Words& words) {
  static const std::set<std::string> of_time = {"wait", "tick", "settle", "deliver"};
  static const std::set<std::string> of_network = {"cut",  "mute", "isolate", "heal",
                                                   "hold", "pass", "release", "drop"};
  static const std::set<std::string> of_machine = {"crash", "restart", "disk", "limit",
                                                   "snapshots"};
  if (name == "expect") return expect(words);
  if (name == "group") {
    group(words);
  } else if (of_time.contains(name)) {
    time(name, words);
  } else if (of_network.contains(name)) {
    network(name, words);
  } else if (of_machine.contains(name)) {
    machine(name, words);
  } else {
    return request(name, words);
  }
  return "";
}

void Conversation::group(Words& words) {
  const Configuration founders = parse_members(words);
  for (const Member& member : founders.members) {
    Node& founder = node(number_of(member.address));
    founder.durable.self = member.address;
    founder.durable.log_start.configuration = founders;
    launch(founder);
  }
}

// wait 300 [2 3]: milliseconds pass, only for these nodes if any are named; messages move all the
// while. tick: they do not.
void Conversation::time(const std::string& name, Words& words) {
  if (name == "deliver") {
    deliver();
  } else if (name == "settle") {
    while (deliver()) {
    }
  } else {
    const Time end = now_ + milliseconds(read_number(words));
    std::set<std::uint64_t> only;
    while (const std::uint64_t id = read_number(words)) only.insert(id);
    while (now_ < end) {
      now_ += milliseconds(10);
      for (auto& [id, node] : nodes_) {
        if (!node.raft || (!only.empty() && !only.contains(id))) continue;
        node.raft->tick(now_);
        drain(node);
      }
      while (name == "wait" && deliver()) {
      }
    }
  }
}

void Conversation::network(const std::string& name, Words& words) {
  const std::uint64_t a = read_number(words);
  const std::uint64_t b = read_number(words);
  if (name == "cut") {
    cut_.insert({a, b});
    cut_.insert({b, a});
  } else if (name == "mute") {
    cut_.insert({a, b});
  } else if (name == "isolate") {
    for (const auto& [id, node] : nodes_) {
      cut_.insert({a, id});
      cut_.insert({id, a});
    }
  } else if (name == "heal") {
    cut_.clear();
  } else if (name == "hold") {
    held_links_.insert({a, b});
  } else if (name == "pass") {
    held_links_.erase({a, b});
  } else if (name == "drop") {
    messages_.clear();
  } else {
    held_links_.clear();
    hold_snapshots_ = false;
    messages_.insert(messages_.end(), held_.begin(), held_.end());
    held_.clear();
  }
}

void Conversation::machine(const std::string& name, Words& words) {
  if (name == "limit") {
    options_.request_entries_max = read_number(words);
    return;
  }
  if (name == "snapshots") {
    hold_snapshots_ = true;
    return;
  }
  Node& node = nodes_[read_number(words)];
  if (name == "crash") {
    node.raft.reset();
    node.unsynced.clear();
  } else if (name == "restart") {
    launch(node);
  } else {
    std::string order;
    words >> order;
    node.disk_stopped = order == "stop";
    sync(node);
  }
}

// Answers "" if it was accepted; a last word !code says that it must be refused with that.
std::string Conversation::request(const std::string& name, Words& words) {
  static const std::map<std::string, Code> codes = {{"!precondition", Code::kPrecondition},
                                                    {"!unavailable", Code::kUnavailable},
                                                    {"!exhausted", Code::kExhausted},
                                                    {"!invalid", Code::kInvalid}};
  Node& asked = node(read_number(words));
  if (!asked.raft) return "is not running";
  std::string arguments = rest_of(words);
  std::optional<Code> refusal;
  if (const auto mark = arguments.find('!'); mark != std::string_view::npos) {
    refusal = codes.at(arguments.substr(mark));
    arguments.resize(mark - 1);
  }
  Words left(arguments);
  Result<void> answer;
  if (name == "propose") {
    const std::string command = arguments.substr(1);
    const auto index = asked.raft->propose(now_, command);
    if (index) asked.waiting[*index] = command;
    if (!index) answer = fail(index.error());
  } else if (name == "configure") {
    const auto index = asked.raft->propose_configuration(now_, parse_members(left));
    if (!index) answer = fail(index.error());
  } else if (name == "transfer") {
    answer = asked.raft->transfer(now_, parse_member(arguments.substr(1)).address);
  } else if (name == "read") {
    answer = asked.raft->read_index(now_, read_number(left));
  } else if (name == "suspect") {
    asked.raft->campaign_now(now_);
  } else if (name == "compact") {
    asked.raft->compact(read_number(left));
  } else {
    return "no such command";
  }
  if (answer) return refusal ? "was accepted" : "";
  return refusal == answer.error().code ? "" : answer.error().message;
}

void Conversation::launch(Node& node) {
  RaftOptions options = options_;
  options.self = node.durable.self;
  Restored restored{.hard_state = node.durable.hard_state,
                    .log_start = node.durable.log_start,
                    .entries = {},
                    .applied = node.durable.applied};
  for (const auto& [index, entry] : node.durable.log) restored.entries.push_back(entry);
  node.state = node.durable.state;
  node.waiting.clear();
  node.raft = std::make_unique<Raft>(options, std::move(restored), random_, now_);
}

void Conversation::drain(Node& node) {
  if (!node.raft) return;
  for (Ready ready = node.raft->take_ready(); !ready.empty(); ready = node.raft->take_ready()) {
    if (ready.lost_leadership) {
      for (const auto& [index, command] : node.waiting) node.told += " unknown:" + command;
      node.waiting.clear();
    }
    if (ready.snapshot_installed) node.state = node.installing;
    for (const Message& message : ready.messages) post(message);
    apply(node, ready);
    for (const SendSnapshot& order : ready.snapshots) take_snapshot(node, order);
    node.unsynced.push_back({std::move(ready), node.raft->applied(), node.state});
    sync(node);
  }
}

void Conversation::sync(Node& node) {
  while (!node.disk_stopped && !node.unsynced.empty()) {
    Batch batch = std::move(node.unsynced.front());
    node.unsynced.pop_front();
    Durable& durable = node.durable;
    const Ready& ready = batch.ready;
    if (ready.hard_state) durable.hard_state = *ready.hard_state;
    if (ready.log_start) {
      durable.log_start = *ready.log_start;
      durable.log.erase(durable.log.begin(), durable.log.upper_bound(ready.log_start->index));
    }
    if (ready.truncate_from) {
      durable.log.erase(durable.log.lower_bound(*ready.truncate_from), durable.log.end());
    }
    for (const Entry& entry : ready.entries) durable.log[entry.index] = entry;
    durable.applied = batch.applied;
    durable.state = batch.state;
    if (ready.ticket != 0 && node.raft) node.raft->persisted(now_, ready.ticket);
  }
}

void Conversation::apply(Node& node, const Ready& ready) {
  for (const Entry& entry : ready.committed) {
    const std::string command(entry.data.view());
    if (entry.kind == EntryKind::kData) node.state += " " + command;
    const auto waiting = node.waiting.extract(entry.index);
    if (waiting) node.told += (waiting.mapped() == command ? " ok:" : " wrong:") + waiting.mapped();
  }
  for (const ReadState& read : ready.reads) node.told += " read:" + std::to_string(read.context);
  for (const auto context : ready.failed_reads) {
    node.told += " failed-read:" + std::to_string(context);
  }
}

void Conversation::post(const Message& message) {
  const std::pair link(number_of(message.from), number_of(message.to));
  if (held_links_.contains(link)) {
    held_.push_back(message);
  } else if (!cut_.contains(link)) {
    messages_.push_back(message);
  }
}

// What is on its way now, not the answers to it. False if nothing was.
bool Conversation::deliver() {
  for (auto& [id, node] : nodes_) drain(node);
  if (messages_.empty() && (snapshots_.empty() || hold_snapshots_)) return false;
  for (const Message& message : std::exchange(messages_, {})) deliver(message);
  if (!hold_snapshots_) {
    for (const Snapshot& snapshot : std::exchange(snapshots_, {})) deliver(snapshot);
  }
  for (auto& [id, node] : nodes_) drain(node);
  return true;
}

void Conversation::deliver(const Message& message) {
  const auto decoded = decode_message(encode(message));
  check(decoded.has_value() && *decoded == message, "messages survive the wire");
  Node& receiver = node(number_of(message.to));
  if (message.to.replica > receiver.durable.self.replica) {  // added, under a fresh replica id
    const bool stopped = receiver.disk_stopped;
    receiver = Node{};
    receiver.disk_stopped = stopped;
    receiver.durable.self = message.to;
    launch(receiver);
  }
  if (!receiver.raft) return;
  receiver.raft->receive(now_, message);
  drain(receiver);
}

void Conversation::take_snapshot(Node& node, const SendSnapshot& order) {
  const Index index = node.raft->applied();
  const Log& log = node.raft->log();
  const LogStart start{.index = index,
                       .term = log.term(index).value(),
                       .configuration = log.configuration_at(index)};
  snapshots_.push_back({node.raft->self(), order.to, start, node.state});
}

void Conversation::deliver(const Snapshot& snapshot) {
  Node& receiver = node(number_of(snapshot.to));
  Node& sender = node(number_of(snapshot.from));
  const bool there = receiver.raft && receiver.durable.self == snapshot.to &&
                     !cut_.contains({number_of(snapshot.from), number_of(snapshot.to)});
  if (there) {
    const bool taken = receiver.raft->snapshot_installed(now_, snapshot.start);
    if (taken) receiver.installing = snapshot.state;
    receiver.told += taken ? " snapshot" : " old-snapshot";
    drain(receiver);
  }
  if (sender.raft) sender.raft->snapshot_sent(now_, snapshot.to, there, snapshot.start.index);
}

std::string Conversation::expect(Words& words) {
  std::string what;
  words >> what;
  if (what == "no-leader" || what == "leader") {
    std::string leaders;
    for (const auto& [id, node] : nodes_) {
      if (node.raft && node.raft->role() == Role::kLeader) leaders += " " + std::to_string(id);
    }
    return leaders == rest_of(words) ? "" : "leading:" + leaders;
  }
  Node& asked = node(read_number(words));
  if (what == "state" || what == "disk") {
    const std::string& state = what == "disk" ? asked.durable.state : asked.state;
    return state == rest_of(words) ? "" : "state:" + state;
  }
  if (what == "told") {
    const std::string told = std::exchange(asked.told, "");
    return told == rest_of(words) ? "" : "told:" + told;
  }
  return asked.raft ? expect_lines(what, asked, words) : "is not running";
}

std::string Conversation::expect_lines(const std::string& what, Node& node, Words& words) {
  const Raft& raft = *node.raft;
  std::string is;
  if (what == "log") {
    for (Index index = raft.log().start().index + 1; index <= raft.log().last_index(); ++index) {
      is += " " + print(raft.log().at(index));
    }
  } else if (what == "members") {
    is = print(raft.configuration());
  } else if (what == "committed-members") {
    is = print(raft.committed_configuration());
  } else if (what == "committed") {
    is = " " + std::to_string(raft.committed());
  } else if (what == "start") {
    is = " " + std::to_string(raft.log().start().index);
  } else if (what == "term") {
    is = " " + std::to_string(raft.term());
  } else if (what == "role") {
    const char* const names[] = {"follower", "pre-candidate", "candidate", "leader"};
    is = std::string(" ") + names[static_cast<std::size_t>(raft.role())];
  } else {
    return "no such expectation";
  }
  return is == rest_of(words) ? "" : "is" + is;
}

}  // namespace troupe::raft

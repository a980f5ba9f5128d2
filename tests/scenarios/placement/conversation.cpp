#include "tests/scenarios/placement/conversation.h"

#include <chrono>
#include <set>

#include "placement/membership/messages.h"

namespace troupe::placement {
namespace {

constexpr std::uint32_t kShards = 64;

NodeId id(std::size_t i) { return GossipWorld::member(i).id; }

std::uint64_t read_number(std::istringstream& words) {
  std::uint64_t number = 0;
  words >> number;
  return number;
}

Duration read_seconds(std::istringstream& words) {
  double seconds = 0;
  words >> seconds;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::string name_of(MemberStatus status) {
  switch (status) {
    case MemberStatus::kAlive:
      return "alive";
    case MemberStatus::kSuspect:
      return "suspect";
    case MemberStatus::kDead:
      return "dead";
    case MemberStatus::kLeft:
      return "left";
  }
  return "?";
}

// "2.7": term 2, index 7.
RowVersion read_version(const std::string& text) {
  const auto dot = text.find('.');
  return {.term = std::stoull(text.substr(0, dot)), .index = std::stoull(text.substr(dot + 1))};
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
    if (!world_ && name != "members") return "a conversation begins with its members";
    const std::string wrong = command(name, words);
    if (!wrong.empty()) return "line " + std::to_string(number) + ": " + line + ": " + wrong;
  }
  return "";
}

std::string Conversation::command(const std::string& name, Words& words) {
  static const std::set<std::string> of_network = {"stop", "start", "apart", "heal", "loss"};
  if (name == "hear") return hear(words);
  if (name == "row") return row(words);
  if (name == "expect") return expect(words);
  if (name == "members") {
    members(words);
  } else if (name == "wait") {
    world_->run_for(read_seconds(words));
  } else if (name == "join") {
    const std::size_t newcomer = read_number(words);
    std::vector<std::size_t> seeds;
    for (std::string word; words >> word;) seeds.push_back(std::stoul(word));
    world_->join(newcomer, seeds);
  } else if (name == "again") {
    world_->restart(read_number(words));
  } else if (name == "leave") {
    const std::size_t i = read_number(words);
    (*world_)[i].gossip.membership().leave(world_->now());
    world_->flush(i);
    (*world_)[i].running = false;
  } else if (of_network.contains(name)) {
    network(name, words);
  } else {
    return "no such command";
  }
  return "";
}

void Conversation::members(Words& words) {
  const std::size_t count = read_number(words);
  std::string word;
  words >> word;
  world_.emplace(count, kShards, NetworkFaults{}, 1);
  if (word == "strangers") {
    for (std::size_t i = 0; i < count; ++i) world_->flush(i);
  } else {
    world_->acquaint();
  }
}

void Conversation::network(const std::string& name, Words& words) {
  if (name == "loss") {
    world_->faults().loss = static_cast<double>(read_number(words)) / 100;
    return;
  }
  if (name == "heal") {
    for (std::size_t i = 0; i < world_->size(); ++i) (*world_)[i].side = 0;
    return;
  }
  for (std::string word; words >> word;) {
    GossipWorld::Node& node = (*world_)[std::stoul(word)];
    if (name == "apart") node.side = 1;
    if (name == "stop") node.running = false;
    if (name != "start") continue;
    node.running = true;
    node.gossip.tick(world_->now());
    world_->flush(std::stoul(word));
  }
}

// hear AT OF generation G incarnation I: somebody says so, true or not.
std::string Conversation::hear(Words& words) {
  const std::size_t at = read_number(words);
  Member about = GossipWorld::member(read_number(words));
  for (std::string word; words >> word;) {
    if (word == "generation") about.generation = Generation{read_number(words)};
    if (word == "incarnation") about.incarnation = read_number(words);
  }
  const std::string bytes = message_header(about.id) + encode_part(Alive{about});
  const auto taken = (*world_)[at].gossip.membership().receive(world_->now(), about.address, bytes);
  return taken ? "" : "refused: " + taken.error().message;
}

// row AT SHARD TERM.INDEX LEADER [owners N] [!old]: the shard's leader there applied it.
std::string Conversation::row(Words& words) {
  const std::size_t at = read_number(words);
  Row row{.version = {},
          .shard = ShardId{static_cast<std::uint32_t>(read_number(words))},
          .leader = {},
          .replicas = {},
          .owners = {}};
  std::string word;
  words >> word;
  row.version = read_version(word);
  row.leader = id(read_number(words));
  bool old = false;
  while (words >> word) {
    if (word == "!old") old = true;
    if (word != "owners") continue;
    for (std::uint64_t i = 0, count = read_number(words); i < count; ++i) {
      row.owners.push_back({.type = "type" + std::to_string(100 + i),
                            .node = row.leader,
                            .generation = Generation{1},
                            .epoch = Epoch{1}});
    }
  }
  const bool taken = (*world_)[at].gossip.rows().apply(std::move(row));
  world_->flush(at);
  return taken != old ? "" : taken ? "was taken" : "was not taken";
}

// expect MEMBERS see OF STATUS [within S]; expect MEMBERS row SHARD TERM.INDEX:LEADER [within S];
// expect MEMBERS incarnation OF N; expect MEMBERS generation OF N; expect MEMBERS health N.
// MEMBERS: a number, numbers with commas, or `all`: those that run.
std::string Conversation::expect(Words& words) {
  std::string who;
  std::string what;
  words >> who >> what;
  const Members at = read_members(who);
  std::function<std::string(std::size_t)> actual;
  if (what == "health") {
    actual = [this](std::size_t i) {
      return std::to_string((*world_)[i].gossip.membership().health_score());
    };
  } else if (what == "row") {
    const ShardId shard{static_cast<std::uint32_t>(read_number(words))};
    actual = [this, shard](std::size_t i) { return row_at(i, shard); };
  } else {
    const std::size_t of = read_number(words);
    actual = [this, what, of](std::size_t i) -> std::string {
      if (what == "see") return i == of ? "alive" : status(i, of);
      const auto view = (*world_)[i].gossip.membership().view();
      const View::Entry* entry = view->find(id(of));
      if (entry == nullptr) return "unknown";
      return std::to_string(what == "incarnation" ? entry->member->incarnation
                                                  : entry->member->generation.value);
    };
  }
  std::string wanted;
  std::string word;
  words >> wanted >> word;
  const Duration within = word == "within" ? read_seconds(words) : Duration(0);
  return holds(
      wanted,
      [&] {
        for (const std::size_t i : at) {
          if (const std::string is = actual(i); is != wanted) return std::to_string(i) + ": " + is;
        }
        return wanted;
      },
      within);
}

std::string Conversation::holds(const std::string& wanted,
                                const std::function<std::string()>& actual, Duration within) {
  world_->run_until([&] { return actual() == wanted; }, within);
  const std::string is = actual();
  return is == wanted ? "" : "is " + is;
}

std::string Conversation::status(std::size_t at, std::size_t of) {
  const auto view = (*world_)[at].gossip.membership().view();
  const View::Entry* entry = view->find(id(of));
  return entry == nullptr ? "unknown" : name_of(entry->status);
}

std::string Conversation::row_at(std::size_t at, ShardId shard) {
  const Table::RowRef row = (*world_)[at].table.lookup(shard);
  if (!row) return "none";
  std::string leader = "?";
  for (std::size_t i = 0; i < world_->size(); ++i) {
    if (row->leader == id(i)) leader = std::to_string(i);
  }
  return std::to_string(row->version.term) + "." + std::to_string(row->version.index) + ":" +
         leader;
}

Conversation::Members Conversation::read_members(const std::string& text) {
  Members members;
  if (text == "all") {
    for (std::size_t i = 0; i < world_->size(); ++i) {
      if ((*world_)[i].running) members.push_back(i);
    }
    return members;
  }
  std::istringstream numbers(text);
  for (std::string number; std::getline(numbers, number, ',');) {
    members.push_back(std::stoul(number));
  }
  return members;
}

}  // namespace troupe::placement

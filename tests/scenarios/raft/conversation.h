#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "storage/raft/raft.h"

namespace troupe::raft {

/// Plays a conversation with a group of replicas, written as text, one command a line; see
/// README.md beside it. Nothing happens by itself: messages move and time passes when told.
class Conversation {
 public:
  /// Empty, or what was not as expected, with the line.
  std::string play(const std::string& script);

 private:
  struct Durable {
    Address self;
    HardState hard_state;
    LogStart log_start;
    std::map<Index, Entry> log;
    Index applied = 0;
    std::string state;  // the commands applied, in order
  };
  struct Batch {
    Ready ready;
    Index applied;
    std::string state;
  };
  struct Node {
    Durable durable;
    bool disk_stopped = false;
    std::unique_ptr<Raft> raft;
    std::string state;
    std::deque<Batch> unsynced;
    std::map<Index, std::string> waiting;  // proposals
    std::string told;                      // what clients were told, in order
    std::string installing;
  };
  struct Snapshot {
    Address from;
    Address to;
    LogStart start;
    std::string state;
  };
  using Words = std::istringstream;

  std::string command(const std::string& name, Words& words);
  std::string expect(Words& words);
  std::string expect_lines(const std::string& what, Node& node, Words& words);
  void group(Words& words);
  void time(const std::string& name, Words& words);
  void network(const std::string& name, Words& words);
  void machine(const std::string& name, Words& words);
  std::string request(const std::string& name, Words& words);

  void launch(Node& node);
  void drain(Node& node);
  void sync(Node& node);
  void apply(Node& node, const Ready& ready);
  void post(const Message& message);
  bool deliver();
  void deliver(const Message& message);
  void deliver(const Snapshot& snapshot);
  void take_snapshot(Node& node, const SendSnapshot& order);
  Node& node(std::uint64_t number) { return nodes_[number]; }

  Random random_{1};
  Time now_{std::chrono::hours(1)};
  RaftOptions options_;
  std::map<std::uint64_t, Node> nodes_;
  std::deque<Message> messages_;
  std::deque<Snapshot> snapshots_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> cut_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> held_links_;
  std::deque<Message> held_;
  bool hold_snapshots_ = false;
};

}  // namespace troupe::raft

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/gossip_world.h"

namespace troupe::placement {

/// Plays a conversation of a few members, written as text, one command a line; see README.md beside
/// it. Members run on virtual time, which passes only when told.
class Conversation {
 public:
  /// Empty, or what was not as expected, with the line.
  std::string play(const std::string& script);

 private:
  using Words = std::istringstream;
  using Members = std::vector<std::size_t>;

  std::string command(const std::string& name, Words& words);
  void members(Words& words);
  void network(const std::string& name, Words& words);
  std::string hear(Words& words);
  std::string row(Words& words);
  std::string expect(Words& words);
  std::string holds(const std::string& wanted, const std::function<std::string()>& actual,
                    Duration within);

  std::string status(std::size_t at, std::size_t of);
  std::string row_at(std::size_t at, ShardId shard);
  Members read_members(const std::string& text);

  std::optional<GossipWorld> world_;
};

}  // namespace troupe::placement

// Plays the conversations with the gate that stand in gate.txt beside this file:
//
//     gate [reentrant N]                 a new gate; N: its depth
//     arrive NAME write|const|interleave [chain C] [waits_here] [expires T] ->
//     waits|deadlock|deep|closed begin -> NAME|nothing              begin awaited -> ...: of those
//     that running turns wait for finish NAME, end NAME, cancel NAME, close expire T ->
//     NAME|nothing
#include "actors/turns/gate.h"

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

struct Named {
  Ticket ticket;
  std::string name;
  std::string chain;
};

class Player {
 public:
  /// What the gate answers; empty if it says nothing.
  std::string play(std::istringstream& words) {
    std::string verb;
    words >> verb;
    if (verb == "gate") return start(words);
    if (verb == "arrive") return arrive(words);
    if (verb == "close") return gate_->close(), "";
    std::string name;
    words >> name;
    if (verb == "begin") return name_of(gate_->begin_next(name == "awaited"));
    if (verb == "expire") return name_of(gate_->take_expired(Time(Duration(std::stoi(name)))));
    Ticket& ticket = tickets_.at(name)->ticket;
    if (verb == "finish") return gate_->finish(ticket), "";
    if (verb == "end") return gate_->end(ticket), "";
    if (verb == "cancel") return gate_->cancel(ticket), "";
    return "no such verb: " + verb;
  }

 private:
  std::string start(std::istringstream& words) {
    std::string word;
    std::size_t depth = 0;
    words >> word >> depth;
    tickets_.clear();
    gate_ = std::make_unique<Gate>(word == "reentrant", depth);
    return "";
  }

  std::string arrive(std::istringstream& words) {
    auto named = std::make_unique<Named>();
    std::string word;
    words >> named->name >> word;
    if (word == "const") named->ticket.access = Access::kReadOnly;
    if (word == "interleave") named->ticket.access = Access::kInterleave;
    named->ticket.expires = Time::max();
    while (words >> word) {
      if (word == "waits_here") named->ticket.chain_waits_here = true;
      if (word == "chain") words >> named->chain;
      int moment = 0;
      if (word == "expires" && words >> moment) named->ticket.expires = Time(Duration(moment));
    }
    named->ticket.chain = named->chain;
    const Gate::Verdict verdict = gate_->arrive(named->ticket);
    tickets_[named->name] = std::move(named);
    switch (verdict) {
      case Gate::Verdict::kWaits:
        return "waits";
      case Gate::Verdict::kDeadlock:
        return "deadlock";
      case Gate::Verdict::kTooDeep:
        return "deep";
      case Gate::Verdict::kClosed:
        return "closed";
    }
    return "";
  }

  std::string name_of(const Ticket* ticket) const {
    for (const auto& [name, each] : tickets_) {
      if (&each->ticket == ticket) return name;
    }
    return "nothing";
  }

  std::unique_ptr<Gate> gate_;
  std::map<std::string, std::unique_ptr<Named>> tickets_;
};

TEST(GateScenarios, AnswerAsWritten) {
  std::ifstream script(std::string(__FILE__).substr(0, std::string(__FILE__).rfind('/')) +
                       "/gate.txt");
  ASSERT_TRUE(script) << "run from the build folder";
  Player player;
  std::string line;
  int number = 0;
  int steps = 0;
  while (std::getline(script, line)) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::size_t arrow = line.find("->");
    std::istringstream words(line.substr(0, arrow));
    const std::string expected = arrow == std::string::npos ? "" : line.substr(arrow + 3);
    EXPECT_EQ(player.play(words), expected) << "gate.txt:" << number << ": " << line;
    ++steps;
  }
  EXPECT_GT(steps, 50);
}

}  // namespace
}  // namespace troupe::actors

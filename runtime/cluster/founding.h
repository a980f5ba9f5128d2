#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/base/network.h"
#include "runtime/base/random.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::cluster {

/// A node that is to found a cluster, or has.
struct Founder {
  NodeId node;
  std::string address;

  friend auto operator<=>(const Founder&, const Founder&) = default;
};

/// A cluster that one node proposes to found together with others.
struct Proposal {
  std::string cluster;  // its name, unique; empty: none
  std::uint32_t shard_count = 0;
  NodeId proposer;
  std::vector<Founder> founders;  // sorted
  bool created = false;           // all have promised: it will not be withdrawn any more

  friend bool operator==(const Proposal&, const Proposal&) = default;
};

std::string encode(const Proposal& proposal);
Proposal decode_proposal(std::string_view bytes);

struct FoundingOptions {
  NodeId self;
  std::string address;
  std::vector<std::string> seeds;  // where others may listen
  std::uint32_t expect = 1;        // founders; 0: only join what exists
  std::uint32_t shard_count = 256;
  Duration interval = std::chrono::milliseconds(100);
  /// Who has not been heard of for so long is not counted on.
  Duration silence = std::chrono::seconds(5);
  /// A proposal that not all have accepted by then is withdrawn, for one with others.
  Duration patience = std::chrono::seconds(10);
  /// What this node waits for is logged after the first, and again after each of the second.
  Duration first_report = std::chrono::seconds(2);
  Duration report_interval = std::chrono::seconds(30);
};

/// What a node without a cluster does until it has one: it joins the first cluster it meets, or
/// founds one together with as many others as were asked for.
///
/// The node with the lowest id among those it has met, and that want a cluster of the same size,
/// proposes; each founder promises itself, durably, to one proposal at a time; when all have
/// promised the proposer writes down that the cluster exists, and says so. A proposal that cannot
/// come about it withdraws, durably, before anything else: that frees those who promised, who hear
/// it from the proposer or ask. Nobody else may free them, so no two proposals that share a founder
/// both succeed. Proposals are never repeated, so that old messages about one do no harm.
/// Belongs to the node loop.
class Founding {
 public:
  struct Outcome {
    Proposal cluster;      // what it is; founders empty for one that existed before
    bool founder = false;  // this node is one of its founders: it begins the first groups
    std::vector<std::string> addresses;  // of members, to gossip with
  };
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Network& network;
    Random& random;
    /// Makes the promise (or its withdrawal: an empty proposal) durable.
    std::function<void(const Proposal&, Done<void>)> save;
    /// This node is a member of a cluster. A founder alone has promised nothing durably before:
    /// others must hear of its cluster only once what becomes of the outcome is durable.
    std::function<void(Outcome)> finished;
    Log log;
  };

  /// The first byte of its introductions, which tells them from others; answer() is given the rest.
  static constexpr char kMark = 'f';

  /// `promised`: what an earlier process had promised; an empty one if nothing.
  Founding(FoundingOptions options, Proposal promised, Dependencies dependencies);
  ~Founding() { *alive_ = false; }

  void start();
  /// Learns of more addresses where others may listen.
  void add_seed(const std::string& address);

  /// Answers another node's question, while this node has no cluster.
  void answer(std::string_view question, Done<std::string> respond);
  /// The answer of a node that is a member of a cluster.
  static std::string member_answer(const Founder& self, const Proposal& cluster,
                                   const std::vector<std::string>& addresses);
  /// The outcome has been given.
  bool finished() const { return finished_; }
  /// For people: what it waits for.
  std::string status() const;

 private:
  struct Answer;

  std::string question(std::uint64_t step, const Proposal& proposal) const;
  void ask_all();
  void answered(std::uint64_t asked_after, const Result<std::string>& bytes);
  void report();
  void meet(const Answer& answer);
  Answer self_answer() const;
  void consider();
  void found_alone(Proposal proposal);
  void promise(Proposal proposal, Done<void> done);
  void propose();
  void proposal_answered(NodeId from, const Answer& answer);
  void give_way(const Answer& answer);
  void withdraw();
  void conclude();
  void tell_created();
  void finish(Outcome outcome);

  FoundingOptions options_;
  Dependencies deps_;
  struct Candidate {
    std::string address;
    Time heard;
  };

  bool ours() const { return !promised_.cluster.empty() && promised_.proposer == options_.self; }

  std::map<NodeId, Candidate> candidates_;
  std::vector<std::string> addresses_;
  std::map<std::string, std::string> silent_;  // why, by address
  Time report_at_{};
  Proposal promised_;
  std::uint64_t promises_ = 0;  // made and taken back: tells old answers from new ones
  std::set<NodeId> accepted_;   // of the proposal that is ours
  Time proposed_at_{};
  Proposal found_;  // once finished
  bool saving_ = false;
  bool finished_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace troupe::cluster

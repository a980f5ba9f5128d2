#include "runtime/cluster/founding.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "runtime/base/codec.h"

namespace troupe::cluster {
namespace {

constexpr std::uint64_t kFoundersMax = 1024;
constexpr std::size_t kAddressesMax = 256;

enum Step : std::uint8_t { kHello, kPropose, kWithdraw, kCreated, kLastStep = kCreated };

void write(Writer& out, const Proposal& proposal) {
  out.bytes(proposal.cluster);
  out.number(proposal.shard_count);
  out.id(proposal.proposer);
  out.number(proposal.founders.size());
  for (const Founder& founder : proposal.founders) {
    out.id(founder.node);
    out.bytes(founder.address);
  }
  out.boolean(proposal.created);
}

Proposal read_proposal(Reader& in) {
  Proposal proposal;
  proposal.cluster = in.string();
  proposal.shard_count = static_cast<std::uint32_t>(in.number_up_to(1 << 16));
  proposal.proposer = in.id<NodeId>();
  const std::uint64_t count = in.number_up_to(kFoundersMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto node = in.id<NodeId>();
    proposal.founders.push_back({.node = node, .address = in.string()});
  }
  proposal.created = in.boolean();
  return proposal;
}

void write(Writer& out, const std::vector<std::string>& texts) {
  out.number(texts.size());
  for (const std::string& text : texts) out.bytes(text);
}

std::vector<std::string> read_texts(Reader& in) {
  std::vector<std::string> texts;
  const std::uint64_t count = in.number_up_to(kAddressesMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) texts.push_back(in.string());
  return texts;
}

}  // namespace

std::string encode(const Proposal& proposal) {
  Writer out;
  write(out, proposal);
  return out.take();
}

Proposal decode_proposal(std::string_view bytes) {
  Reader in(bytes);
  Proposal proposal = read_proposal(in);
  return in.finished() ? proposal : Proposal{};
}

// What a node says of itself, asked or not.
struct Founding::Answer {
  Founder self;
  Proposal cluster;  // of which it is a member; or which it has promised itself to
  bool member = false;
  std::uint32_t expect = 0;  // how many founders it wants; 0: it only joins
  std::vector<std::string> addresses;

  std::string encode() const {
    Writer out;
    out.id(self.node);
    out.bytes(self.address);
    write(out, cluster);
    out.boolean(member);
    out.number(expect);
    write(out, addresses);
    return out.take();
  }
  static std::optional<Answer> decode(Reader& in) {
    Answer answer;
    answer.self.node = in.id<NodeId>();
    answer.self.address = in.string();
    answer.cluster = read_proposal(in);
    answer.member = in.boolean();
    answer.expect = static_cast<std::uint32_t>(in.number_up_to(kFoundersMax));
    answer.addresses = read_texts(in);
    if (!in.finished() || answer.self.node.empty()) return std::nullopt;
    return answer;
  }
};

Founding::Founding(FoundingOptions options, Proposal promised, Dependencies dependencies)
    : options_(std::move(options)),
      deps_(std::move(dependencies)),
      addresses_(options_.seeds),
      promised_(std::move(promised)) {
  for (const Founder& founder : promised_.founders) add_seed(founder.address);
}

void Founding::start() {
  report_at_ = deps_.clock.now() + options_.first_report;
  // What an earlier process of this node proposed still stands; who accepted it will say so again.
  if (ours() && promised_.created) return tell_created();
  if (ours()) propose();
  consider();
  ask_all();
}

void Founding::add_seed(const std::string& address) {
  if (address == options_.address || addresses_.size() >= kAddressesMax) return;
  if (std::ranges::find(addresses_, address) == addresses_.end()) addresses_.push_back(address);
}

Founding::Answer Founding::self_answer() const {
  return {.self = {.node = options_.self, .address = options_.address},
          .cluster = finished_ ? found_ : promised_,
          .member = finished_,
          .expect = options_.expect,
          .addresses = addresses_};
}

std::string Founding::question(std::uint64_t step, const Proposal& proposal) const {
  Writer out;
  out.number(step);
  write(out, proposal);
  return kMark + out.take() + self_answer().encode();
}

void Founding::ask_all() {
  if (finished_) return;
  if (deps_.clock.now() >= report_at_) report();
  if (ours() && !saving_ && deps_.clock.now() - proposed_at_ >= options_.patience) withdraw();
  const bool proposing = ours() && !saving_;
  for (const std::string& address : addresses_) {
    deps_.network.introduce(
        address, question(proposing ? kPropose : kHello, promised_),
        [this, alive = alive_, asked_after = promises_, address,
         &loop = deps_.loop](Result<std::string> bytes) {
          loop.post([this, alive, asked_after, address, bytes = std::move(bytes)] {
            if (!*alive) return;
            silent_.erase(address);
            if (!bytes) silent_[address] = bytes.error().message;
            answered(asked_after, bytes);
          });
        });
  }
  deps_.loop.post_at(deps_.clock.now() + options_.interval, [this, alive = alive_] {
    if (*alive) ask_all();
  });
}

// A node that waits looks like one that hangs, unless it says for what.
void Founding::report() {
  report_at_ = deps_.clock.now() + options_.report_interval;
  std::string silent;
  for (const auto& [address, why] : silent_) silent += (silent.empty() ? "" : "; ") + why;
  deps_.log.warning("has no cluster yet", {{"state", status()}, {"unreachable", silent}});
}

// Remembers who else wants to found a cluster of this size.
void Founding::meet(const Answer& answer) {
  add_seed(answer.self.address);
  for (const std::string& address : answer.addresses) add_seed(address);
  if (answer.member || answer.expect != options_.expect) return;
  candidates_[answer.self.node] = {.address = answer.self.address, .heard = deps_.clock.now()};
}

void Founding::answered(std::uint64_t asked_after, const Result<std::string>& bytes) {
  // While a promise is on its way to the disk nobody knows what this node stands by.
  if (finished_ || saving_ || !bytes) return;
  Reader in(*bytes);
  const std::optional<Answer> answer = Answer::decode(in);
  if (!answer || answer->self.node == options_.self) return;
  meet(*answer);
  const bool promised = !promised_.cluster.empty();
  if (promised && answer->cluster.cluster != promised_.cluster) {
    // The proposer no longer stands by what it proposed. It may have said so before it proposed:
    // only what was asked after the promise counts.
    const bool dropped = promised_.proposer == answer->self.node && asked_after == promises_;
    if (dropped) return promise({}, [](const Result<void>& /*saved*/) {});
    if (ours()) give_way(*answer);
    return;
  }
  if (answer->member) {
    if (answer->cluster.cluster.empty()) return;
    // It exists. Did we help to found it? Then all have promised, and its beginning is ours too.
    return finish({.cluster = promised ? promised_ : answer->cluster,
                   .founder = promised,
                   .addresses = addresses_});
  }
  if (promised) return proposal_answered(answer->self.node, *answer);
  consider();
}

// Whether it is time to propose.
void Founding::consider() {
  if (finished_ || saving_ || options_.expect == 0 || !promised_.cluster.empty()) return;
  const Time now = deps_.clock.now();
  std::erase_if(candidates_,
                [&](const auto& each) { return now - each.second.heard > options_.silence; });
  if (candidates_.size() + 1 < options_.expect) return;
  if (!candidates_.empty() && candidates_.begin()->first < options_.self) return;
  Proposal proposal;
  proposal.cluster = to_string(NodeId{.high = deps_.random.next(), .low = deps_.random.next()});
  proposal.shard_count = options_.shard_count;
  proposal.proposer = options_.self;
  proposal.founders.push_back({.node = options_.self, .address = options_.address});
  for (const auto& [node, candidate] : candidates_) {
    if (proposal.founders.size() == options_.expect) break;
    proposal.founders.push_back({.node = node, .address = candidate.address});
  }
  if (options_.expect == 1) return found_alone(std::move(proposal));
  promise(std::move(proposal), [this](const Result<void>& saved) {
    if (saved) propose();
  });
}

// Nobody has to be told, and nothing was promised before: the cluster exists when what becomes of
// the outcome is durable, or has never been.
void Founding::found_alone(Proposal proposal) {
  proposal.created = true;
  promised_ = std::move(proposal);
  finish({.cluster = promised_, .founder = true, .addresses = addresses_});
}

void Founding::promise(Proposal proposal, Done<void> done) {
  saving_ = true;
  auto kept = std::make_shared<Proposal>(std::move(proposal));
  deps_.save(*kept, [this, alive = alive_, kept,
                     done = std::move(done)](const Result<void>& saved) mutable {
    if (!*alive) return;
    saving_ = false;
    if (saved) {
      promised_ = *kept;
      ++promises_;
    }
    done(saved);
  });
}

void Founding::propose() {
  deps_.log.info("proposes a cluster", {{"founders", promised_.founders.size()}});
  proposed_at_ = deps_.clock.now();
  accepted_ = {options_.self};
  conclude();
}

void Founding::proposal_answered(NodeId from, const Answer& answer) {
  if (!ours() || answer.cluster.cluster != promised_.cluster) return;
  const bool wanted = std::ranges::any_of(
      promised_.founders, [&](const Founder& founder) { return founder.node == from; });
  if (!wanted) return;
  accepted_.insert(from);
  conclude();
}

// What exists goes first, and then the proposal of the lowest id, if both cannot be.
void Founding::give_way(const Answer& answer) {
  const Proposal& other = answer.cluster;
  if (other.cluster.empty()) return;
  if (answer.member) return withdraw();
  const bool shared = std::ranges::any_of(promised_.founders, [&](const Founder& founder) {
    return founder.node == answer.self.node ||
           std::ranges::any_of(other.founders,
                               [&](const Founder& each) { return each.node == founder.node; });
  });
  if (shared && other.proposer < options_.self) withdraw();
}

void Founding::withdraw() {
  const Proposal withdrawn = promised_;
  accepted_.clear();
  promise({}, [this, withdrawn](const Result<void>& saved) {
    if (!saved) return;
    for (const Founder& founder : withdrawn.founders) {
      if (founder.node == options_.self) continue;
      deps_.network.introduce(founder.address, question(kWithdraw, withdrawn),
                              [](const Result<std::string>& /*answer*/) {});
    }
  });
}

void Founding::conclude() {
  if (finished_ || saving_ || accepted_.size() < promised_.founders.size()) return;
  Proposal created = promised_;
  created.created = true;
  promise(std::move(created), [this](const Result<void>& saved) {
    if (saved) tell_created();
  });
}

void Founding::tell_created() {
  for (const Founder& founder : promised_.founders) {
    if (founder.node == options_.self) continue;
    deps_.network.introduce(founder.address, question(kCreated, promised_),
                            [](const Result<std::string>& /*answer*/) {});
  }
  finish({.cluster = promised_, .founder = true, .addresses = addresses_});
}

void Founding::finish(Outcome outcome) {
  finished_ = true;
  found_ = outcome.cluster;
  deps_.finished(std::move(outcome));
}

void Founding::answer(std::string_view question, Done<std::string> respond) {
  Reader in(question);
  const std::uint64_t step = in.number_up_to(kLastStep);
  const Proposal proposal = read_proposal(in);
  const std::optional<Answer> asker = Answer::decode(in);
  if (!asker) return respond(fail(Code::kInvalid, "a damaged introduction"));
  if (asker->self.node == options_.self) {
    return respond(fail(Code::kInvalid, "a node asks itself"));
  }
  meet(*asker);
  auto tell = [this, respond = std::move(respond)](const Result<void>& /*saved*/) mutable {
    respond(self_answer().encode());
  };
  const bool can =
      !finished_ && !saving_ && !proposal.cluster.empty() && proposal.proposer == asker->self.node;
  const bool about_promised = can && proposal.cluster == promised_.cluster;
  const bool wanted = std::ranges::any_of(
      proposal.founders, [&](const Founder& founder) { return founder.node == options_.self; });
  if (step == kPropose && can && wanted && options_.expect != 0 && promised_.cluster.empty()) {
    return promise(proposal, std::move(tell));
  }
  if (step == kWithdraw && about_promised) return promise({}, std::move(tell));
  if (step == kCreated && about_promised) {
    tell({});
    return finish({.cluster = promised_, .founder = true, .addresses = addresses_});
  }
  tell({});
}

std::string Founding::member_answer(const Founder& self, const Proposal& cluster,
                                    const std::vector<std::string>& addresses) {
  std::vector<std::string> some = addresses;
  if (some.size() > kAddressesMax) some.resize(kAddressesMax);
  return Answer{.self = self, .cluster = cluster, .member = true, .expect = 0, .addresses = some}
      .encode();
}

std::string Founding::status() const {
  if (finished_) return "has a cluster";
  if (options_.expect == 0) return "looks for a cluster to join";
  std::string text = "waits for " + std::to_string(options_.expect) + " founders, knows " +
                     std::to_string(candidates_.size() + 1);
  if (!promised_.cluster.empty()) {
    text +=
        ", has promised itself to the cluster that " + short_name(promised_.proposer) + " proposes";
  }
  return text;
}

}  // namespace troupe::cluster

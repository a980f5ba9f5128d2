#include "runtime/cluster/founding.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "runtime/base/codec.h"

namespace troupe::cluster {
namespace {

constexpr std::uint64_t kFoundersMax = 1024;
constexpr std::size_t kAddressesMax = 256;

enum Step : std::uint64_t { kHello, kPropose, kWithdraw, kCreated, kLastStep = kCreated };

void write(Writer& out, const Proposal& proposal) {
  out.bytes(proposal.cluster);
  out.number(proposal.shard_count);
  out.id(proposal.proposer);
  out.number(proposal.founders.size());
  for (const Founder& founder : proposal.founders) {
    out.id(founder.node);
    out.bytes(founder.address);
  }
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
  std::vector<std::string> addresses;

  std::string encode() const {
    Writer out;
    out.id(self.node);
    out.bytes(self.address);
    write(out, cluster);
    out.boolean(member);
    write(out, addresses);
    return out.take();
  }
  static std::optional<Answer> decode(Reader& in) {
    Answer answer;
    answer.self.node = in.id<NodeId>();
    answer.self.address = in.string();
    answer.cluster = read_proposal(in);
    answer.member = in.boolean();
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
  candidates_[options_.self] = options_.address;
  for (const Founder& founder : promised_.founders) add_seed(founder.address);
}

void Founding::start() {
  consider();
  ask_all();
}

void Founding::add_seed(const std::string& address) {
  if (address == options_.address || addresses_.size() >= kAddressesMax) return;
  if (std::ranges::find(addresses_, address) == addresses_.end()) addresses_.push_back(address);
}

std::string Founding::question(std::uint64_t step, const Proposal& proposal) const {
  Writer out;
  out.number(step);
  write(out, proposal);
  const Answer self{.self = {.node = options_.self, .address = options_.address},
                    .cluster = promised_,
                    .member = false,
                    .addresses = addresses_};
  return kMark + out.take() + self.encode();
}

void Founding::ask_all() {
  if (finished_) return;
  const bool ours = !promised_.cluster.empty() && promised_.proposer == options_.self;
  for (const std::string& address : addresses_) {
    deps_.network.introduce(
        address, question(ours ? kPropose : kHello, promised_),
        [this, alive = alive_, address, &loop = deps_.loop](Result<std::string> bytes) {
          loop.post([this, alive, address, bytes = std::move(bytes)] {
            if (*alive) answered(address, bytes);
          });
        });
  }
  deps_.loop.post_at(deps_.clock.now() + options_.interval, [this, alive = alive_] {
    if (*alive) ask_all();
  });
}

void Founding::answered(const std::string& /*address*/, const Result<std::string>& bytes) {
  if (finished_ || !bytes) return;
  Reader in(*bytes);
  const std::optional<Answer> answer = Answer::decode(in);
  if (!answer || answer->self.node == options_.self) return;
  add_seed(answer->self.address);
  for (const std::string& address : answer->addresses) add_seed(address);
  if (answer->member) {
    // It exists. Did we help to found it? Then all have promised, and its beginning is ours too.
    const bool founder = !promised_.cluster.empty() && answer->cluster.cluster == promised_.cluster;
    if (!promised_.cluster.empty() && !founder) {
      // A proposal of ours that others did not accept: what exists goes first.
      if (promised_.proposer != options_.self) return;
      return withdraw();
    }
    Outcome outcome{.cluster = founder ? promised_ : answer->cluster,
                    .founder = founder,
                    .addresses = addresses_};
    return finish(std::move(outcome));
  }
  const bool of_theirs = !promised_.cluster.empty() &&
                         promised_.proposer == answer->self.node && !saving_;
  if (of_theirs && answer->cluster != promised_) {
    // It no longer stands by what it proposed: its withdrawal got lost.
    return promise({}, [](const Result<void>& /*saved*/) {});
  }
  candidates_[answer->self.node] = answer->self.address;
  proposal_answered(answer->self.node, *answer);
  consider();
}

// Whether it is time to propose.
void Founding::consider() {
  if (finished_ || saving_ || options_.expect == 0 || !promised_.cluster.empty()) return;
  if (candidates_.size() < options_.expect) return;
  if (candidates_.begin()->first != options_.self) return;
  Proposal proposal;
  proposal.cluster = to_string(NodeId{.high = deps_.random.next(), .low = deps_.random.next()});
  proposal.shard_count = options_.shard_count;
  proposal.proposer = options_.self;
  for (const auto& [node, address] : candidates_) {
    if (proposal.founders.size() == options_.expect) break;
    proposal.founders.push_back({.node = node, .address = address});
  }
  promise(std::move(proposal), [this](const Result<void>& saved) {
    if (saved) propose();
  });
}

void Founding::promise(Proposal proposal, Done<void> done) {
  saving_ = true;
  auto kept = std::make_shared<Proposal>(std::move(proposal));
  deps_.save(*kept, [this, alive = alive_, kept,
                     done = std::move(done)](const Result<void>& saved) mutable {
    if (!*alive) return;
    saving_ = false;
    if (saved) promised_ = *kept;
    done(saved);
  });
}

void Founding::propose() {
  deps_.log.info("proposes a cluster", {{"founders", promised_.founders.size()}});
  accepted_.clear();
  accepted_[options_.self] = true;
  conclude();
}

void Founding::proposal_answered(NodeId from, const Answer& answer) {
  if (promised_.cluster.empty() || promised_.proposer != options_.self) return;
  const bool wanted = std::ranges::any_of(
      promised_.founders, [&](const Founder& founder) { return founder.node == from; });
  if (!wanted) return;
  if (answer.cluster == promised_) {
    accepted_[from] = true;
    return conclude();
  }
  // It has promised itself to somebody with a lower id, who goes first.
  if (!answer.cluster.cluster.empty() && answer.cluster.proposer < options_.self) withdraw();
}

void Founding::withdraw() {
  const Proposal withdrawn = promised_;
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
  if (finished_ || accepted_.size() < promised_.founders.size()) return;
  for (const Founder& founder : promised_.founders) {
    if (founder.node == options_.self) continue;
    deps_.network.introduce(founder.address, question(kCreated, promised_),
                            [](const Result<std::string>& /*answer*/) {});
  }
  finish({.cluster = promised_, .founder = true, .addresses = addresses_});
}

void Founding::finish(Outcome outcome) {
  finished_ = true;
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
  add_seed(asker->self.address);
  for (const std::string& address : asker->addresses) add_seed(address);
  candidates_[asker->self.node] = asker->self.address;
  auto tell = [this, respond = std::move(respond)](const Result<void>& /*saved*/) mutable {
    respond(Answer{.self = {.node = options_.self, .address = options_.address},
                   .cluster = promised_,
                   .member = finished_,
                   .addresses = addresses_}
                .encode());
  };
  const bool about_ours = !proposal.cluster.empty() && proposal == promised_;
  if (step == kPropose && promised_.cluster.empty() && !saving_ && !finished_ &&
      options_.expect != 0) {
    return promise(proposal, std::move(tell));
  }
  if (step == kWithdraw && about_ours && !saving_ && !finished_ &&
      promised_.proposer != options_.self) {
    return promise({}, std::move(tell));
  }
  if (step == kCreated && about_ours && !finished_) {
    tell({});
    return finish({.cluster = promised_, .founder = true, .addresses = addresses_});
  }
  tell({});
}

std::string Founding::member_answer(const Founder& self, const Proposal& cluster,
                                    const std::vector<std::string>& addresses) {
  std::vector<std::string> some = addresses;
  if (some.size() > kAddressesMax) some.resize(kAddressesMax);
  return Answer{.self = self, .cluster = cluster, .member = true, .addresses = some}.encode();
}

std::string Founding::status() const {
  if (finished_) return "has a cluster";
  if (options_.expect == 0) return "looks for a cluster to join";
  return "waits for " + std::to_string(options_.expect) + " founders, knows " +
         std::to_string(candidates_.size());
}

}  // namespace troupe::cluster

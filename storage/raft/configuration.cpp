#include "storage/raft/configuration.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"

namespace troupe::raft {

std::string to_string(const Address& address) {
  return short_name(address.node) + "/" + std::to_string(address.replica.value);
}

const Member* Configuration::find(const Address& address) const {
  const Member* member = on(address.node);
  return member != nullptr && member->address == address ? member : nullptr;
}

const Member* Configuration::on(NodeId node) const {
  const auto found = std::ranges::find_if(
      members, [node](const Member& member) { return member.address.node == node; });
  return found == members.end() ? nullptr : &*found;
}

bool Configuration::votes(const Address& address) const {
  const Member* member = find(address);
  return member != nullptr && member->voter;
}

std::size_t Configuration::voters() const {
  return static_cast<std::size_t>(std::ranges::count_if(members, &Member::voter));
}

std::size_t Configuration::succession(const Address& candidate, const Address& leader) const {
  check(votes(candidate), "only voters succeed a leader");
  std::size_t place = 0;  // the one after the leader, or the first
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].address == leader) place = i + 1;
  }
  std::size_t before = 0;
  for (;; ++place) {
    const Member& member = members[place % members.size()];
    if (member.address == candidate) return before;
    if (member.voter) ++before;
  }
}

std::string encode(const Configuration& configuration) {
  Writer writer;
  writer.number(configuration.members.size());
  for (const Member& member : configuration.members) {
    writer.id(member.address.node);
    writer.id(member.address.replica);
    writer.boolean(member.voter);
  }
  return writer.take();
}

Result<Configuration> decode_configuration(std::string_view bytes) {
  Reader reader(bytes);
  Configuration configuration;
  const std::uint64_t count = reader.number_up_to(Configuration::kMembersMax);
  for (std::uint64_t i = 0; reader.ok() && i < count; ++i) {
    Member member;
    member.address.node = reader.id<NodeId>();
    member.address.replica = reader.id<ReplicaId>();
    member.voter = reader.boolean();
    if (member.address.empty() || configuration.on(member.address.node) != nullptr) reader.damage();
    configuration.members.push_back(member);
  }
  if (!reader.finished()) return fail(Code::kDataLoss, "a configuration is damaged");
  return configuration;
}

Result<void> check_step(const Configuration& from, const Configuration& to) {
  if (to.members.size() > Configuration::kMembersMax) {
    return fail(Code::kInvalid,
                "a group has at most " + std::to_string(Configuration::kMembersMax) + " members");
  }
  if (to.voters() == 0) return fail(Code::kInvalid, "a group needs a voter");
  std::size_t changed = 0;
  for (const Member& member : to.members) {
    const std::string name = to_string(member.address);
    if (member.address.empty() || to.on(member.address.node)->address != member.address) {
      return fail(Code::kInvalid, "each member needs a node of its own, unlike " + name);
    }
    const Member* before = from.on(member.address.node);
    if (before != nullptr && before->address.replica > member.address.replica) {
      return fail(Code::kInvalid, name + " is older than " + to_string(before->address));
    }
    if (!member.voter || from.votes(member.address)) continue;
    if (!from.contains(member.address)) {
      return fail(Code::kInvalid, name + " must be a learner before it votes");
    }
    ++changed;
  }
  for (const Member& member : from.members) {
    if (member.voter && !to.votes(member.address)) ++changed;
  }
  if (changed > 1) return fail(Code::kInvalid, "only one voter may change at a time");
  return {};
}

ConfigurationHistory::ConfigurationHistory(Index index, Configuration configuration) {
  steps_.push_back({.index = index, .configuration = std::move(configuration)});
}

void ConfigurationHistory::append(Index index, Configuration configuration) {
  check(index > latest_index(), "configurations come in the order of the log");
  steps_.push_back({.index = index, .configuration = std::move(configuration)});
}

void ConfigurationHistory::truncate(Index from) {
  while (steps_.size() > 1 && steps_.back().index >= from) steps_.pop_back();
}

void ConfigurationHistory::compact(Index index) {
  while (steps_.size() > 1 && steps_[1].index <= index) steps_.pop_front();
}

const Configuration& ConfigurationHistory::at(Index index) const {
  std::size_t i = steps_.size() - 1;
  while (i > 0 && steps_[i].index > index) --i;
  return steps_[i].configuration;
}

}  // namespace troupe::raft

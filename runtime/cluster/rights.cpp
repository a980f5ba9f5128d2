#include "runtime/cluster/rights.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe::cluster {

Rights::Rights(NodeId self, Generation generation, placement::LeaseConfig config,
               Dependencies dependencies)
    : holder_(self, generation, config),
      self_(self),
      generation_(generation),
      deps_(std::move(dependencies)) {}

std::shared_ptr<actors::Right> Rights::find(ShardId shard, std::string_view type) const {
  return stripe(shard).with([&](const Found& found) -> std::shared_ptr<actors::Right> {
    const auto right = found.find(std::pair(shard, type));
    return right == found.end() ? nullptr : right->second;
  });
}

// A leader that has not applied all that earlier ones committed knows earlier owners. A right that
// ended for such a row, and began again with the next one, would count its commits anew.
bool Rights::knows_later(const placement::Row& row) const {
  for (auto held = pipelines_.lower_bound({row.shard, {}});
       held != pipelines_.end() && held->first.first == row.shard; ++held) {
    const placement::Owner* const owner = row.owner(held->first.second);
    if (owner == nullptr || owner->epoch < held->second.right->epoch) return true;
  }
  return false;
}

void Rights::apply(const placement::Row& row) {
  if (knows_later(row)) return;
  holder_.apply(row);
  for (const placement::Owner& owner : row.owners) {
    if (owner.node != self_ || owner.generation != generation_) continue;
    const std::optional<placement::LeaseHolder::Right> right = holder_.right(row.shard, owner.type);
    if (right) begin(row.shard, owner.type, right->epoch);
  }
  refresh(row.shard);
}

placement::RenewalAck Rights::receive(Time now, NodeId from, const placement::Renewal& renewal) {
  placement::RenewalAck ack = holder_.receive(now, from, renewal);
  for (const placement::Renewal::Shard& shard : renewal.shards) refresh(shard.shard);
  return ack;
}

void Rights::renew_locally(ShardId shard, std::uint64_t term, const placement::RightsStamp& stamp,
                           Time until) {
  holder_.renew_locally(shard, term, stamp, until);
  refresh(shard);
}

// Mirrors what the holder says of a shard into its Right objects.
void Rights::refresh(ShardId shard) {
  std::vector<Key> ended;
  for (auto held = pipelines_.lower_bound({shard, {}});
       held != pipelines_.end() && held->first.first == shard; ++held) {
    const auto right = holder_.right(shard, held->first.second);
    if (right && right->epoch == held->second.right->epoch) {
      held->second.right->prolong(right->valid_until);
    } else if (!held->second.releasing) {
      ended.push_back(held->first);
    }
  }
  for (const Key& key : ended) end(key);
}

bool Rights::hosts(const std::string& type) const {
  return !types_ || std::ranges::binary_search(*types_, type);
}

void Rights::host(std::vector<std::string> types) {
  std::ranges::sort(types);
  types_ = std::move(types);
  for (const auto& [key, held] : pipelines_) held.right->host(hosts(key.second));
}

void Rights::begin(ShardId shard, const std::string& type, Epoch epoch) {
  const Key key(shard, type);
  const auto held = pipelines_.find(key);
  if (held != pipelines_.end()) {
    if (held->second.right->epoch >= epoch) return;
    end(key);
  }
  auto right = std::make_shared<actors::Right>(shard, type, epoch);
  right->host(hosts(type));
  auto pipeline = std::make_shared<CommitPipeline>(
      right, 0, deps_.clock, deps_.loop,
      [this](ShardId to, ProposedEntry entry, Done<storage::Outcome> done) {
        deps_.propose(to, std::move(entry), std::move(done));
      });
  pipelines_.insert_or_assign(key, Held{.right = right, .pipeline = std::move(pipeline)});
  stripe(shard).with([&](Found& found) { found.insert_or_assign(key, right); });
}

void Rights::end(const Key& key) {
  const auto found = pipelines_.find(key);
  if (found == pipelines_.end()) return;
  const Held held = std::move(found->second);
  pipelines_.erase(found);
  stripe(key.first).with([&](Found& rights) {
    const auto right = rights.find(key);
    if (right != rights.end() && right->second == held.right) rights.erase(right);
  });
  held.pipeline->end();
  deps_.drain(held.right, [] {});
}

void Rights::commit(const std::shared_ptr<actors::Right>& right,
                    std::shared_ptr<storage::Entry> entry, Done<storage::Outcome> done) {
  const auto held = pipelines_.find(std::pair(right->shard, std::string_view(right->type)));
  if (held == pipelines_.end() || held->second.right != right) {
    return done(fail(Code::kPrecondition, "this node no longer owns the actor"));
  }
  held->second.pipeline->submit(std::move(entry), std::move(done));
}

void Rights::release(ShardId shard, const std::string& type, Epoch epoch, Done<void> done) {
  const Key key(shard, type);
  const auto found = pipelines_.find(key);
  if (found != pipelines_.end() && found->second.right->epoch > epoch) {
    return done(fail(Code::kPrecondition, "this node holds a later right"));
  }
  if (found == pipelines_.end() || found->second.right->epoch != epoch) {
    // The leader asks again because our answer was lost, or sooner than its row got here.
    holder_.release(shard, type, epoch);
    return done({});
  }
  Held& held = found->second;
  if (held.releasing) return done(fail(Code::kPrecondition, "this right is being released"));
  held.releasing = true;
  held.right->drain();
  auto finish = [this, key, epoch, pipeline = held.pipeline, done = std::move(done)]() mutable {
    // The turns are over; their commits are known once the pipeline is empty.
    pipeline->when_idle([this, key, epoch, done = std::move(done)]() mutable {
      holder_.release(key.first, key.second, epoch);
      const auto present = pipelines_.find(key);
      if (present != pipelines_.end() && present->second.right->epoch == epoch) end(key);
      done({});
    });
  };
  deps_.drain(held.right,
              [this, finish = std::move(finish)]() mutable { deps_.loop.post(std::move(finish)); });
}

void Rights::release_all(Function<void()> done) {
  if (pipelines_.empty()) return done();
  auto left = std::make_shared<std::size_t>(pipelines_.size());
  auto all_done = std::make_shared<Function<void()>>(std::move(done));
  std::vector<std::pair<Key, Epoch>> held;
  held.reserve(pipelines_.size());
  for (const auto& [key, each] : pipelines_) held.emplace_back(key, each.right->epoch);
  for (const auto& [key, epoch] : held) {
    release(key.first, key.second, epoch, [left, all_done](const Result<void>& /*released*/) {
      if (--*left == 0) (*all_done)();
    });
  }
}

std::vector<std::shared_ptr<actors::Right>> Rights::all() const {
  std::vector<std::shared_ptr<actors::Right>> rights;
  rights.reserve(pipelines_.size());
  for (const auto& [key, held] : pipelines_) rights.push_back(held.right);
  return rights;
}

}  // namespace troupe::cluster

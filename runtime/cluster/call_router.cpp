#include "runtime/cluster/call_router.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/base/codec.h"

namespace troupe::cluster {
namespace {

constexpr auto kFirstWait = std::chrono::milliseconds(2);
constexpr auto kLongestWait = std::chrono::milliseconds(100);
constexpr std::uint32_t kQuickLooks = 3;
constexpr auto kLocatePatience = std::chrono::seconds(2);

std::string describe(const actors::Call& call) { return to_string(call.key) + " " + call.method; }

// Of a call that nobody can say of whether it took effect, again and again: then that is the
// answer.
constexpr std::uint32_t kUnknownsMax = 3;

// Its turns may begin here. One that drains still stands in the table under this node's name.
bool usable(const std::shared_ptr<actors::Right>& right) {
  return right != nullptr && !right->ended() && !right->draining() && right->hosted();
}

}  // namespace

CallRouter::CallRouter(CallRouterOptions options, Dependencies dependencies)
    : options_(options), deps_(std::move(dependencies)), next_id_(options.first_id) {}

ShardId CallRouter::shard_of(const actors::Call& call) const {
  return placement::shard_of(call.key.type, call.key.id, options_.shard_count);
}

void CallRouter::route(actors::Call call) {
  if (stopped_.load(std::memory_order_acquire)) {
    return call.done(fail(Code::kUnavailable, "this node is stopping"));
  }
  if (deps_.deliver_live(call)) return;
  const Time now = deps_.clock.now();
  if (call.deadline <= now) {
    return call.done(fail(Code::kTimeout, describe(call) + ": no owner was found in time"));
  }
  const ShardId shard = shard_of(call);
  const std::shared_ptr<actors::Right> right = deps_.rights.find(shard, call.key.type);
  if (usable(right)) return deps_.deliver(std::move(call));
  NodeId to;
  RowVersion version;
  {
    const placement::Table::RowRef row = deps_.table.lookup(shard);
    if (row) {
      const placement::Owner* owner = row->owner(call.key.type);
      if (owner != nullptr) to = owner->node;
      version = row->version;
    }
  }
  if (to.empty() || to == options_.self) {
    deps_.loop.post([this, held = std::make_shared<actors::Call>(std::move(call))] {
      locate(std::move(*held));
    });
    return;
  }
  send(to, version, std::move(call), now);
}

void CallRouter::returned(actors::Call call) {
  if (call.from.empty()) return again(std::move(call));
  const ShardId shard = shard_of(call);
  deps_.answers.send(call.from, {.id = call.from_id,
                                 .result = fail(Code::kUnavailable,
                                                "this node does not own " + to_string(call.key)),
                                 .elsewhere = true,
                                 .row = known_row(shard)});
}

// Nobody knows whether this try took effect. From now on an error is no proof that nothing did:
// also what a later try throws may be for what the first one has changed.
void CallRouter::mark_uncertain(actors::Call& call) {
  if (std::exchange(call.may_have_run, true)) return;
  call.done = [done = std::move(call.done)](Result<actors::Reply> result) mutable {
    const bool sure = result || result.error().code == Code::kUnknownOutcome ||
                      result.error().code == Code::kInvalid ||
                      result.error().code == Code::kUnimplemented;
    if (sure) return done(std::move(result));
    done(fail(Code::kUnknownOutcome,
              "an earlier try may have taken effect, and the last one failed: " +
                  result.error().message));
  };
}

void CallRouter::again(actors::Call call) {
  if (call.here_only) {
    return call.done(fail(Code::kPrecondition, to_string(call.key) + " is not active here"));
  }
  ++call.redirects;
  const Duration wait =
      std::min<Duration>(kLongestWait, kFirstWait * (1U << std::min(call.redirects, 6U)));
  hold(std::move(call), wait);
}

void CallRouter::hold(actors::Call call, Duration wait) {
  if (held_.load(std::memory_order_relaxed) >= options_.held_max) {
    return call.done(fail(Code::kExhausted, "too many calls wait for the owner of their actor"));
  }
  held_.fetch_add(1, std::memory_order_relaxed);
  const Time when = std::min(deps_.clock.now() + wait, call.deadline);
  deps_.loop.post_at(when, [this, held = std::make_shared<actors::Call>(std::move(call))] {
    held_.fetch_sub(1, std::memory_order_relaxed);
    // What sent it here may be old news: the leader knows better. But a right may have come too.
    const ShardId shard = shard_of(*held);
    const std::shared_ptr<actors::Right> right = deps_.rights.find(shard, held->key.type);
    if (right != nullptr && right->hosted()) return route(std::move(*held));
    locate(std::move(*held));
  });
}

void CallRouter::locate(actors::Call call) {
  const Time now = deps_.clock.now();
  if (stopped_ || call.deadline <= now) return route(std::move(call));
  const ShardId shard = shard_of(call);
  const std::string type = call.key.type;
  const Duration patience = std::min<Duration>(kLocatePatience, call.deadline - now);
  deps_.locate(shard, type, patience,
               [this, held = std::make_shared<actors::Call>(std::move(call))](
                   const Result<void>& located) mutable {
                 if (located) return look(std::move(*held));
                 not_located(std::move(*held), located.error());
               });
}

// Whoever called may know another node that can do better than this one.
void CallRouter::not_located(actors::Call call, const Error& why) {
  const Time now = deps_.clock.now();
  if (call.ownerless_since == Time{}) call.ownerless_since = now;
  const std::string failure = describe(call) + ": no owner was found in time: " + why.message;
  if (why.code == Code::kNotFound) return call.done(fail(why));
  if (now >= call.deadline) return call.done(fail(Code::kTimeout, failure));
  if (now - call.ownerless_since < options_.owner_patience) return again(std::move(call));
  call.done(fail(Code::kUnavailable, failure));
}

// After the leader has answered: straight on, but not in circles.
void CallRouter::look(actors::Call call) {
  if (++call.redirects <= kQuickLooks) return route(std::move(call));
  const ShardId shard = shard_of(call);
  NodeId owner;
  {
    const placement::Table::RowRef row = deps_.table.lookup(shard);
    if (row && row->owner(call.key.type) != nullptr) owner = row->owner(call.key.type)->node;
  }
  const bool here = owner.empty() || owner == options_.self;
  if (here && !usable(deps_.rights.find(shard, call.key.type))) return again(std::move(call));
  route(std::move(call));
}

// The calls on their way to a node.
std::atomic<std::size_t>& CallRouter::window(NodeId node) {
  return *windows_.with([&](auto& windows) { return &windows[node]; });
}

void CallRouter::send(NodeId to, RowVersion row, actors::Call&& call, Time now) {
  std::atomic<std::size_t>& open = window(to);
  if (open.fetch_add(1, std::memory_order_relaxed) >= options_.window) {
    open.fetch_sub(1, std::memory_order_relaxed);
    return call.done(fail(Code::kExhausted, "too many calls are on their way to node " +
                                                short_name(to) + "; slow down"));
  }
  if (call.id.empty()) call.id = deps_.ids.next();
  call.may_repeat = true;
  const std::uint64_t id = next_id_.fetch_add(1, std::memory_order_relaxed);
  std::string bytes = encode_call(id, row, call, now);
  stripe(id).with(
      [&](PendingById& pending) { pending.try_emplace(id, to, row, open, std::move(call)); });
  remote_.fetch_add(1, std::memory_order_relaxed);
  if (deps_.network.send_soon(to, Lane::kCalls, std::move(bytes))) return;
  if (Taken pending = take(id, to)) again(std::move(pending.mapped().call));
}

// Empty if it is not pending, or not with `from`.
CallRouter::Taken CallRouter::take(std::uint64_t id, NodeId from) {
  Taken taken = stripe(id).with([&](PendingById& pending) {
    const auto found = pending.find(id);
    return found == pending.end() || found->second.to != from ? Taken() : pending.extract(found);
  });
  if (taken) {
    remote_.fetch_sub(1, std::memory_order_relaxed);
    taken.mapped().window.fetch_sub(1, std::memory_order_relaxed);
  }
  return taken;
}

std::vector<CallRouter::Taken> CallRouter::take_if(
    const std::function<bool(const Pending&)>& wanted) {
  std::vector<std::pair<std::uint64_t, NodeId>> found;
  for (Guarded<PendingById>& each : stripes_) {
    each.with([&](PendingById& pending) {
      for (const auto& [id, call] : pending) {
        if (wanted(call)) found.emplace_back(id, call.to);
      }
    });
  }
  std::vector<Taken> taken;
  for (const auto& [id, to] : found) {
    if (Taken pending = take(id, to)) taken.push_back(std::move(pending));
  }
  return taken;
}

void CallRouter::received(NodeId from, CallFrame&& frame) {
  actors::Call& call = frame.call;
  call.from = from;
  call.from_id = frame.id;
  call.done = [this, from, id = frame.id](Result<actors::Reply> result) {
    deps_.answers.send(from,
                       {.id = id, .result = std::move(result), .elsewhere = false, .row = {}});
  };
  if (deps_.deliver_live(call)) return;
  accept(std::move(call), frame.row, deps_.clock.now() + options_.catch_up_patience);
}

void CallRouter::accept(actors::Call&& call, RowVersion row, Time until) {
  const ShardId shard = shard_of(call);
  const std::shared_ptr<actors::Right> right = deps_.rights.find(shard, call.key.type);
  if (usable(right)) return deps_.deliver(std::move(call));
  RowVersion known;
  {
    const placement::Table::RowRef mine = deps_.table.lookup(shard);
    if (mine) known = mine->version;
  }
  const Time now = deps_.clock.now();
  if (known >= row || now >= until || stopped_) return returned(std::move(call));
  deps_.loop.post_at(now + kFirstWait,
                     [this, row, until, held = std::make_shared<actors::Call>(std::move(call))] {
                       accept(std::move(*held), row, until);
                     });
}

std::string CallRouter::known_row(ShardId shard) const {
  const placement::Table::RowRef row = deps_.table.lookup(shard);
  if (!row) return {};
  Writer out;
  encode(out, *row);
  return out.take();
}

void CallRouter::received(NodeId from, ReplyFrame&& frame) {
  Taken pending = take(frame.id, from);
  if (!pending) return;
  actors::Call& call = pending.mapped().call;
  if (frame.result) return call.done(std::move(frame.result));
  // What may have run is asked again under the same id: its shard knows whether it did.
  if (!frame.elsewhere && frame.result.error().code != Code::kUnknownOutcome) {
    return call.done(std::move(frame.result));
  }
  if (!frame.elsewhere && ++call.unknowns >= kUnknownsMax) {
    return call.done(std::move(frame.result));
  }
  if (!frame.elsewhere) mark_uncertain(call);
  deps_.loop.post([this, row = std::move(frame.row),
                   held = std::make_shared<actors::Call>(std::move(call)),
                   known = pending.mapped().row]() mutable {
    if (!row.empty()) deps_.learn(row);
    const ShardId shard = shard_of(*held);
    const bool newer = deps_.table.version(shard) > known;
    ++held->redirects;
    if (newer && held->redirects < 8) return route(std::move(*held));
    again(std::move(*held));
  });
}

void CallRouter::disconnected(NodeId peer) {
  for (Taken& pending : take_if([&](const Pending& each) { return each.to == peer; })) {
    mark_uncertain(pending.mapped().call);
    again(std::move(pending.mapped().call));
  }
}

bool CallRouter::owned_elsewhere(const Pending& pending) const {
  const placement::Table::RowRef row = deps_.table.lookup(shard_of(pending.call));
  const placement::Owner* owner = row ? row->owner(pending.call.key.type) : nullptr;
  return owner != nullptr && !owner->node.empty() && owner->node != pending.to;
}

// A node that has fallen silent breaks no connection. Its leases end soon: calls that wait for it
// go to whoever owns their actors then, and if it has dealt with them after all their shard knows.
void CallRouter::leave_doubted() {
  std::map<NodeId, bool> doubted;
  std::set<Sought> sought;
  const auto wanted = [&](const Pending& each) {
    const auto [known, is_new] = doubted.try_emplace(each.to, false);
    if (is_new) known->second = deps_.doubted(each.to);
    if (!known->second) return false;
    if (owned_elsewhere(each)) return true;
    sought.emplace(each.to, shard_of(each.call), each.call.key.type);
    return false;
  };
  for (Taken& pending : take_if(wanted)) {
    mark_uncertain(pending.mapped().call);
    ++pending.mapped().call.redirects;
    route(std::move(pending.mapped().call));
  }
  for (const Sought& each : sought) ask_for_others(each);
}

// Their shard's leader replaces an owner that it does not hear of, once somebody asks.
void CallRouter::ask_for_others(const Sought& sought) {
  if (!sought_.insert(sought).second) return;
  const auto& [node, shard, type] = sought;
  deps_.locate(shard, type, kLocatePatience,
               [this, sought](const Result<void>& /*located*/) { sought_.erase(sought); });
}

void CallRouter::sweep() {
  leave_doubted();
  const Time now = deps_.clock.now();
  for (Taken& taken : take_if([&](const Pending& each) { return each.call.deadline <= now; })) {
    Pending& pending = taken.mapped();
    pending.call.done(fail(Code::kUnknownOutcome,
                           describe(pending.call) + ": no answer from node " +
                               short_name(pending.to) + " in time; it may have taken effect"));
  }
}

void CallRouter::stop() {
  stopped_ = true;
  for (Taken& taken : take_if([](const Pending& /*each*/) { return true; })) {
    actors::Call& call = taken.mapped().call;
    call.done(fail(Code::kUnknownOutcome, describe(call) + ": this node is stopping"));
  }
}

}  // namespace troupe::cluster

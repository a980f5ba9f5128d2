#include "actors/directory/actors.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "actors/activation/activation.h"
#include "actors/activation/home.h"
#include "actors/directory/reminder_calls.h"
#include "runtime/base/guarded.h"

namespace troupe::actors {
namespace {

constexpr std::size_t kStripes = 256;
// Activations looked at in one scan, so that a million of them do not hold up the timers.
constexpr std::size_t kScanMax = 20'000;
// How long after the deadline of a stop those that hear are given to end.
constexpr Duration kStopGrace = std::chrono::milliseconds(100);

using Types = std::unordered_map<std::string, std::shared_ptr<const ActorType>>;
using Live = std::shared_ptr<Activation>;

struct KeyHash {
  using is_transparent = void;
  std::size_t operator()(const ActorKey& key) const { return std::hash<ActorKey>()(key); }
  std::size_t operator()(const Live& live) const { return (*this)(live->key()); }
};
struct KeyEqual {
  using is_transparent = void;
  bool operator()(const Live& a, const Live& b) const { return a->key() == b->key(); }
  bool operator()(const ActorKey& a, const Live& b) const { return a == b->key(); }
  bool operator()(const Live& a, const ActorKey& b) const { return a->key() == b; }
};

// What one right has here. All of a shard are in one stripe.
struct Holding {
  std::size_t activations = 0;
  std::vector<Function<void()>> drained;
};

struct Stripe {
  std::unordered_set<Live, KeyHash, KeyEqual> live;
  std::unordered_map<ActorKey, std::vector<Live>> workers;  // stateless
  std::unordered_map<const Right*, Holding> holdings;

  template <class Use>
  void each(Use use) const {
    for (const Live& activation : live) use(activation);
    for (const auto& [key, pool] : workers) {
      for (const Live& activation : pool) use(activation);
    }
  }
};

Error not_owned(const ActorKey& key) {
  return {Code::kPrecondition, "this node is not the owner of " + to_string(key)};
}

}  // namespace

class Actors::State final : public Home, public std::enable_shared_from_this<State> {
 public:
  using Home::Home;

  void deliver(Call call);
  bool deliver_live(Call& call);
  bool deliver_here(Call& call);
  void ended(Activation& activation, std::vector<EventList> first) override;
  void drain(const std::shared_ptr<Right>& right, Function<void()> done);
  void stop(Time deadline, Function<void()> done);
  void schedule_scan();
  void let_go();

  Guarded<std::shared_ptr<const Types>> types{std::make_shared<const Types>()};
  std::array<Guarded<Stripe>, kStripes> stripes;
  std::atomic<std::size_t> total{0};
  std::atomic<bool> stopping{false};
  std::atomic<bool> stop_over{false};  // until then callers hear at their deadlines
  Guarded<Function<void()>> stopped;

 private:
  Guarded<Stripe>& stripe(ShardId shard) { return stripes[shard.value % kStripes]; }
  ShardId shard_of(const ActorKey& key) const {
    return dependencies.shards.shard_of(key.type, key.id);
  }
  std::shared_ptr<const ActorType> type(const std::string& name) const;
  Result<Live> begin(const ActorKey& key, ShardId shard);
  void reminders(Call call, ShardId shard);
  Live worker(Stripe& stripe, const ActorKey& key, std::shared_ptr<const ActorType> type);
  Result<Live> insert(Stripe& stripe, const ActorKey& key, std::shared_ptr<const ActorType> type,
                      std::shared_ptr<Right> right);
  std::vector<Function<void()>> erase(Stripe& stripe, Activation& activation);
  void scan();
  void give_up(const Live& activation);
  void end_at_deadline();
  void complete_stop();

  std::size_t scan_from_ = 0;
};

std::shared_ptr<const ActorType> Actors::State::type(const std::string& name) const {
  const std::shared_ptr<const Types> all = types.with([](const auto& now) { return now; });
  const auto found = all->find(name);
  return found == all->end() ? nullptr : found->second;
}

void Actors::State::deliver(Call call) {
  const ShardId shard = shard_of(call.key);
  if (call.kind == CallKind::kReminders) return reminders(std::move(call), shard);
  for (;;) {
    Live activation = stripe(shard).with([&](const Stripe& here) {
      const auto found = here.live.find(call.key);
      return found == here.live.end() ? nullptr : *found;
    });
    if (activation == nullptr) {
      Result<Live> begun = begin(call.key, shard);
      if (!begun && begun.error().code == Code::kPrecondition) {
        metrics.calls_not_owned.add();
        return dependencies.router.returned(std::move(call));
      }
      if (!begun) return call.done(fail(begun.error()));
      activation = *std::move(begun);
    }
    if (Activation::offer(std::move(activation), call)) return;
  }
}

bool Actors::State::deliver_live(Call& call) {
  if (call.kind == CallKind::kReminders) return false;
  Live activation = stripe(shard_of(call.key)).with([&](const Stripe& here) -> Live {
    const auto found = here.live.find(call.key);
    if (found == here.live.end()) return nullptr;
    const Right* const right = (*found)->right().get();
    return right->draining() || right->ended() ? nullptr : *found;
  });
  return activation != nullptr && Activation::offer(std::move(activation), call);
}

bool Actors::State::deliver_here(Call& call) {
  Live activation = stripe(shard_of(call.key)).with([&](const Stripe& here) -> Live {
    const auto found = here.live.find(call.key);
    return found != here.live.end() && (*found)->type().options.outside ? *found : nullptr;
  });
  if (activation == nullptr) return false;
  if (call.kind != CallKind::kReminders) return Activation::offer(std::move(activation), call);
  if (!activation->right()->lets_out(dependencies.clock.now())) return false;
  run_reminder_call(*this, activation->right(), std::move(call));
  return true;
}

void Actors::State::reminders(Call call, ShardId shard) {
  const std::shared_ptr<Right> right = dependencies.shards.right(shard, call.key.type);
  if (right == nullptr || !right->holds(dependencies.clock.now()) || stopping.load()) {
    metrics.calls_not_owned.add();
    return dependencies.router.returned(std::move(call));
  }
  run_reminder_call(*this, right, std::move(call));
}

// Finds it anew: another thread may have begun it meanwhile.
Result<Live> Actors::State::begin(const ActorKey& key, ShardId shard) {
  std::shared_ptr<const ActorType> found = type(key.type);
  if (found == nullptr) {
    if (dependencies.shards.right(shard, key.type) != nullptr) return fail(not_owned(key));
    return fail(Code::kNotFound, "no actor type '" + key.type + "' here");
  }
  if (found->options.stateless_workers > 0) {
    return stripe(shard).with([&](Stripe& here) -> Result<Live> {
      if (stopping.load()) return fail(not_owned(key));
      return worker(here, key, std::move(found));
    });
  }
  std::shared_ptr<Right> right = dependencies.shards.right(shard, key.type);
  return stripe(shard).with([&](Stripe& here) -> Result<Live> {
    const auto there = here.live.find(key);
    if (there != here.live.end()) return *there;
    return insert(here, key, std::move(found), std::move(right));
  });
}

// A draining right is seen here or its drain sees what is inserted: both are under the stripe.
Result<Live> Actors::State::insert(Stripe& here, const ActorKey& key,
                                   std::shared_ptr<const ActorType> type,
                                   std::shared_ptr<Right> right) {
  if (stopping.load() || right == nullptr || right->draining() || right->ended()) {
    return fail(not_owned(key));
  }
  if (total.load(std::memory_order_relaxed) >= options.activations_max) {
    return fail(Code::kExhausted,
                "this node has its most activations, " + std::to_string(options.activations_max));
  }
  ++here.holdings[right.get()].activations;
  total.fetch_add(1);
  auto activation =
      std::make_shared<Activation>(shared_from_this(), key, std::move(type), std::move(right));
  here.live.insert(activation);
  return activation;
}

// The one with the shortest mailbox; a new one while there are fewer than the type allows and all
// have something waiting.
Live Actors::State::worker(Stripe& here, const ActorKey& key,
                           std::shared_ptr<const ActorType> type) {
  std::vector<Live>& pool = here.workers[key];
  const Time now = dependencies.clock.now();
  const auto load = [&](const Live& each) {
    const ActivationFacts facts = each->facts(now);
    return facts.waiting + (facts.idle == Duration{0} ? 1 : 0);
  };
  const auto least = std::ranges::min_element(pool, {}, load);
  if (least != pool.end() &&
      (pool.size() >= type->options.stateless_workers || load(*least) == 0)) {
    return *least;
  }
  total.fetch_add(1);
  pool.push_back(std::make_shared<Activation>(shared_from_this(), key, std::move(type), nullptr));
  return pool.back();
}

std::vector<Function<void()>> Actors::State::erase(Stripe& here, Activation& activation) {
  std::vector<Function<void()>> drained;
  const std::shared_ptr<Right>& right = activation.right();
  if (right == nullptr) {
    const auto pool = here.workers.find(activation.key());
    if (pool == here.workers.end()) return drained;
    if (std::erase_if(pool->second, [&](const Live& each) { return each.get() == &activation; })) {
      total.fetch_sub(1);
    }
    if (pool->second.empty()) here.workers.erase(pool);
    return drained;
  }
  const auto found = here.live.find(activation.key());
  if (found == here.live.end() || found->get() != &activation) return drained;
  here.live.erase(found);
  total.fetch_sub(1);
  const auto holding = here.holdings.find(right.get());
  if (--holding->second.activations == 0) {
    drained = std::move(holding->second.drained);
    here.holdings.erase(holding);
  }
  return drained;
}

// The successor is in place before anybody can find that this one is gone, and has the calls that
// were left before any that come now.
void Actors::State::ended(Activation& activation, std::vector<EventList> left) {
  const ShardId shard = shard_of(activation.key());
  const std::shared_ptr<const ActorType> next_type = type(activation.key().type);
  const std::shared_ptr<Right> next_right =
      activation.right() == nullptr ? nullptr
                                    : dependencies.shards.right(shard, activation.key().type);
  const Live keep = activation.shared_from_this();
  std::vector<std::unique_ptr<Event>> refused;
  std::vector<Function<void()>> drained = stripe(shard).with([&](Stripe& here) {
    left.push_back(activation.close_mailbox());
    std::vector<Function<void()>> done = erase(here, activation);
    Result<Live> next = fail(not_owned(activation.key()));
    for (EventList& list : left) {
      while (std::unique_ptr<Event> event = list.pop()) {
        if (!event->is_call()) continue;
        if (!next && next_type != nullptr && activation.right() == nullptr && !stopping.load()) {
          next = worker(here, activation.key(), next_type);
        } else if (!next && next_type != nullptr) {
          next = insert(here, activation.key(), next_type, next_right);
        }
        if (!next || !(*next)->offer_again(event)) refused.push_back(std::move(event));
      }
    }
    return done;
  });
  for (const std::unique_ptr<Event>& event : refused) event->hand_back(dependencies.router);
  for (Function<void()>& done : drained) done();
  if (total.load() == 0 && stopping.load()) complete_stop();
}

void Actors::State::drain(const std::shared_ptr<Right>& right, Function<void()> done) {
  const bool any = stripe(right->shard).with([&](Stripe& here) {
    const auto holding = here.holdings.find(right.get());
    if (holding == here.holdings.end()) return false;
    holding->second.drained.push_back(std::move(done));
    for (const Live& each : here.live) {
      if (each->right() == right) each->request_drain();
    }
    return true;
  });
  if (!any) done();
}

void Actors::State::stop(Time deadline, Function<void()> done) {
  stopped.with([&](auto& waiting) { waiting = std::move(done); });
  stopping.store(true);
  for (Guarded<Stripe>& each : stripes) {
    each.with([](Stripe& here) { here.each([](const Live& live) { live->request_drain(); }); });
  }
  dependencies.timers.post_at(deadline, [self = shared_from_this()] { self->end_at_deadline(); });
  if (total.load() == 0) complete_stop();
}

void Actors::State::end_at_deadline() {
  for (Guarded<Stripe>& each : stripes) {
    each.with([](Stripe& here) { here.each([](const Live& live) { live->request_end(); }); });
  }
  dependencies.timers.post_at(dependencies.clock.now() + kStopGrace,
                              [self = shared_from_this()] { self->complete_stop(); });
}

void Actors::State::complete_stop() {
  stop_over.store(true);
  Function<void()> done = stopped.with([](auto& waiting) { return std::move(waiting); });
  if (done) done();
}

void Actors::State::schedule_scan() {
  dependencies.timers.post_at(dependencies.clock.now() + options.scan_interval,
                              [back = weak_from_this()] {
                                const std::shared_ptr<State> self = back.lock();
                                if (self == nullptr || self->stop_over.load()) return;
                                self->scan();
                                self->schedule_scan();
                              });
}

void Actors::State::scan() {
  const Time now = dependencies.clock.now();
  std::vector<Live> stuck;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < kStripes && looked_at < kScanMax; ++i) {
    stripes[scan_from_++ % kStripes].with([&](Stripe& here) {
      here.each([&](const Live& live) {
        ++looked_at;
        if (live->look(now)) stuck.push_back(live);
      });
    });
  }
  for (const Live& each : stuck) give_up(each);
}

// Activations and this keep one another: who never ends, since the process was stopped around it,
// goes with the last that runs it or would wake it.
void Actors::State::let_go() {
  stopping.store(true);
  stop_over.store(true);
  for (Guarded<Stripe>& each : stripes) {
    // Not under the stripe: the user's objects are destroyed.
    const Stripe left = each.with([](Stripe& here) { return std::exchange(here, {}); });
  }
}

// Its thread is in the user's code and may never come back: what it had taken from the mailbox is
// answered if it does.
void Actors::State::give_up(const Live& activation) {
  metrics.turns_stuck.add();
  dependencies.log.error("a turn holds its thread: a new activation may start",
                         {{"actor", to_string(activation->key())}});
  if (options.on_overrun) {
    options.on_overrun({.key = activation->key(),
                        .method = {},
                        .running = activation->type().options.turn_timeout + options.stuck_grace,
                        .waiting_for = {},
                        .given_up = true});
  }
  ended(*activation, {});
}

Actors::Actors(ActorsDependencies dependencies, std::vector<std::shared_ptr<const ActorType>> types,
               ActorsOptions options)
    : state_(std::make_shared<State>(dependencies, std::move(options))) {
  set_types(std::move(types));
}

Actors::~Actors() { state_->let_go(); }

void Actors::start() { state_->schedule_scan(); }

void Actors::deliver(Call call) { state_->deliver(std::move(call)); }

bool Actors::deliver_live(Call& call) { return state_->deliver_live(call); }

bool Actors::deliver_here(Call& call) { return state_->deliver_here(call); }

void Actors::set_types(std::vector<std::shared_ptr<const ActorType>> types) {
  auto named = std::make_shared<Types>();
  for (std::shared_ptr<const ActorType>& each : types) {
    std::string name = each->name;
    (*named)[std::move(name)] = std::move(each);
  }
  state_->types.with([&](auto& now) { now = named; });
  for (Guarded<Stripe>& stripe : state_->stripes) {
    stripe.with([&](Stripe& here) {
      here.each([&](const Live& live) {
        if (!named->contains(live->key().type)) live->request_drain();
      });
    });
  }
}

void Actors::drain(const std::shared_ptr<Right>& right, Function<void()> done) {
  state_->drain(right, std::move(done));
}

void Actors::stop(Time deadline, Function<void()> done) { state_->stop(deadline, std::move(done)); }

std::map<std::string, std::size_t> Actors::counts() const {
  std::map<std::string, std::size_t> counts;
  for (const Guarded<Stripe>& stripe : state_->stripes) {
    stripe.with([&](const Stripe& here) {
      here.each([&](const Live& live) { ++counts[live->key().type]; });
    });
  }
  return counts;
}

std::vector<ActivationFacts> Actors::activations(std::size_t most) const {
  const Time now = state_->dependencies.clock.now();
  std::vector<ActivationFacts> facts;
  for (const Guarded<Stripe>& stripe : state_->stripes) {
    stripe.with([&](const Stripe& here) {
      here.each([&](const Live& live) {
        if (facts.size() < most) facts.push_back(live->facts(now));
      });
    });
  }
  return facts;
}

const Metrics& Actors::metrics() const { return state_->metrics; }

}  // namespace troupe::actors

#include "sdk/src/test_host.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

constexpr WallTime kStart{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
constexpr int kEventsMax = 1'000'000;  // of one call or advance: beyond, it would never settle

std::string path(const std::vector<ActorKey>& chain, const ActorKey& last) {
  std::string text;
  for (const ActorKey& key : chain) text += to_string(key) + " -> ";
  return text + to_string(last);
}

bool contains(const std::vector<ActorKey>& chain, const ActorKey& key) {
  return std::ranges::find(chain, key) != chain.end();
}

}  // namespace

/// What a turn may ask of the host.
class TestHost::Impl::Context final : public TurnContext {
 public:
  Context(Impl& host, ActorKey self, std::vector<ActorKey> callers, WallTime deadline)
      : chain(std::move(callers)),
        end(deadline),
        host_(host),
        self_(std::move(self)),
        began_(host.now_) {
    chain.push_back(self_);
  }

  const ActorKey& self() const override { return self_; }
  WallTime now() const override { return began_; }
  Time deadline() const override { return Time(end - kStart); }
  Duration time_left() const override { return std::max(end - host_.now_, Duration(0)); }
  std::uint64_t fencing_token() const override { return host_.starts_; }
  std::string_view traceparent() const override { return {}; }
  void call(NestedCall call, Done<Payload> done) override {
    host_.nested_call(*this, std::move(call), std::move(done));
  }
  void sleep(Duration duration, Done<void> done) override {
    host_.post(host_.now_ + std::max(duration, Duration(0)),
               [done = std::move(done)]() mutable { done({}); });
  }

  std::vector<ActorKey> chain;  // this actor included
  WallTime end;

 private:
  Impl& host_;
  ActorKey self_;
  WallTime began_;
};

TestHost::Impl::Impl(std::vector<ActorType> types) : now_(kStart) {
  for (ActorType& type : types) {
    std::string name = type.name;
    types_.emplace(std::move(name), std::move(type));
  }
}

TestHost::Impl::~Impl() { crash(); }

void TestHost::Impl::post(WallTime at, Function<void()> event) {
  events_.emplace(std::pair(at, ++numbers_), std::move(event));
}

bool TestHost::Impl::step(WallTime limit) {
  if (events_.empty() || events_.begin()->first.first > limit) return false;
  auto event = events_.extract(events_.begin());
  now_ = std::max(now_, event.key().first);
  event.mapped()();
  return true;
}

void TestHost::Impl::advance(Duration duration) {
  const WallTime limit = now_ + duration;
  int events = 0;
  while (step(limit)) {
    if (++events > kEventsMax) throw std::logic_error("the actors never come to rest");
  }
  now_ = limit;
}

WallTime TestHost::Impl::deadline_after(Duration timeout) const {
  return timeout < WallTime::max() - now_ ? now_ + timeout : WallTime::max();
}

Result<Payload> TestHost::Impl::call(const ClientCall& call) {
  const auto reply = std::make_shared<std::optional<Result<Payload>>>();
  const WallTime deadline = deadline_after(call.timeout);
  Work work{call.target,
            {call.method, call.message, call.content_type},
            {},
            deadline,
            [reply](Result<Payload> outcome) { *reply = std::move(outcome); },
            {}};
  deliver(std::move(work));
  for (int events = 0; !*reply && events < kEventsMax && step(deadline);) ++events;
  if (*reply) return std::move(**reply);
  now_ = std::max(now_, deadline);
  return fail(Code::kTimeout, to_string(call.target) + " did not answer '" + call.method + "'");
}

void TestHost::Impl::nested_call(const Context& caller, NestedCall call, Done<Payload> done) {
  const auto waiting = std::make_shared<Done<Payload>>(std::move(done));
  const auto once = [waiting](Result<Payload> reply) {
    Done<Payload> found = std::exchange(*waiting, nullptr);
    if (found) found(std::move(reply));
  };
  WallTime deadline = caller.end;
  if (call.timeout) deadline = std::min(deadline, deadline_after(*call.timeout));
  post(deadline, [once, what = to_string(call.target) + " did not answer '" + call.method + "'"] {
    once(fail(Code::kTimeout, what));
  });
  deliver({std::move(call.target),
           {std::move(call.method), std::move(call.message), std::move(call.content_type)},
           caller.chain,
           deadline,
           once,
           {}});
}

void TestHost::Impl::deliver(Work work) {
  const ActorKey key = work.target;
  const auto type = types_.find(key.type);
  const auto failing = failing_.find(key);
  if (failing != failing_.end()) return answer(work, fail(failing->second));
  if (type == types_.end()) {
    return answer(work, fail(Code::kNotFound, "no actor type named '" + key.type + "'"));
  }
  Activation& activation = activations_[key];
  activation.type = &type->second;
  if (activation.mailbox.size() >= type->second.options.mailbox_length_max) {
    return answer(work, fail(Code::kExhausted, "the mailbox of " + to_string(key) + " is full"));
  }
  activation.mailbox.push_back(std::move(work));
  post(now_, [this, key] { pump(key); });
}

// `done` never at once, lest it come inside the call that began it.
void TestHost::Impl::answer(Work& work, Result<Payload> reply) {
  Done<Payload> consume = std::exchange(work.consume, nullptr);
  if (consume) consume(reply);
  Done<Payload> done = std::exchange(work.done, nullptr);
  if (!done) return;
  post(now_,
       [done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

bool TestHost::Impl::admissible(const Activation& activation, const Work& work) const {
  if (activation.running.empty()) return true;
  if (!activation.activated) return false;
  if (activation.type->options.reentrant && contains(work.chain, work.target)) return true;
  const MethodInfo* method = activation.type->method(work.message.method);
  if (!method || method->access == Access::kWrite) return false;
  if (method->access == Access::kInterleave) return true;
  return std::ranges::none_of(activation.running,
                              [](const Running& each) { return each.access == Access::kWrite; });
}

// The first may start when it can; behind it, only what may run beside a turn that waits.
void TestHost::Impl::pump(const ActorKey& key) {
  Activation& activation = activations_[key];
  for (std::size_t i = 0; i < activation.mailbox.size();) {
    Work& work = activation.mailbox[i];
    const MethodInfo* method = activation.type->method(work.message.method);
    const bool passes =
        contains(work.chain, key) || (method && method->access == Access::kInterleave);
    const bool starts = (i == 0 || passes) && admissible(activation, work);
    const bool deadlock = !starts && contains(work.chain, key);
    if (!starts && !deadlock) {
      ++i;
      continue;
    }
    Work taken = std::move(work);
    activation.mailbox.erase(activation.mailbox.begin() + static_cast<std::ptrdiff_t>(i));
    if (deadlock) {
      answer(taken, fail(Code::kPrecondition, "deadlock: " + path(taken.chain, key)));
    } else {
      start(key, std::move(taken));
    }
  }
  if (activation.leaving && activation.running.empty() && activation.mailbox.empty()) {
    deactivate(key);
  }
}

Result<void> TestHost::Impl::ready(const ActorKey& key, Activation& activation) {
  if (activation.instance) return {};
  activation.instance = activation.type->make();
  activation.activated = false;
  const auto stored = stored_state(key);
  Result<void> loaded =
      activation.instance->load(stored ? std::optional<std::string_view>(*stored) : std::nullopt);
  if (!loaded) activation.instance.reset();
  return loaded;
}

void TestHost::Impl::start(const ActorKey& key, Work work) {
  if (now_ > work.deadline) {
    return answer(work, fail(Code::kTimeout, "waited too long for " + to_string(key)));
  }
  Activation& activation = activations_[key];
  const Result<void> loaded = ready(key, activation);
  if (!loaded) return answer(work, fail(loaded.error()));
  TurnMessage message = work.message;
  message.activates = !activation.activated;
  const MethodInfo* method = activation.type->method(message.method);
  const Access access = message.activates || !method ? Access::kWrite : method->access;
  const std::uint64_t number = ++numbers_;
  auto context = std::make_unique<Context>(*this, key, work.chain, work.deadline);
  Context& turn = *context;
  activation.running.push_back({number, std::move(work), access, std::move(context)});
  activation.instance->run_turn(
      std::move(message), turn, [this, key, number](Result<TurnResult> result) {
        // Not at once: the instance may go with it.
        auto kept = std::make_shared<Result<TurnResult>>(std::move(result));
        post(now_, [this, key, number, kept] { ended(key, number, std::move(*kept)); });
      });
}

void TestHost::Impl::ended(const ActorKey& key, std::uint64_t number, Result<TurnResult> result) {
  Activation& activation = activations_[key];
  const auto found = std::ranges::find_if(
      activation.running, [&](const Running& each) { return each.number == number; });
  if (found == activation.running.end()) return;
  Running turn = std::move(*found);
  activation.running.erase(found);
  if (result && now_ > turn.work.deadline) {
    result = fail(Code::kTimeout, "the turn '" + turn.work.message.method + "' of " +
                                      to_string(key) + " took too long");
    discard(key, result.error());
  } else if (!result && activation.instance->spoiled()) {
    discard(key, result.error());
  }
  if (result) {
    const Payload reply = result->reply;
    const bool leaves = result->deactivate_when_idle;
    const bool inner = activation.type->options.reentrant && !activation.running.empty() &&
                       contains(turn.work.chain, key);
    activation.inner.push_back(std::move(*result));
    Result<void> committed;
    if (!inner) committed = commit(key, std::exchange(activation.inner, {}));
    if (!committed) discard(key, committed.error());
    activation.activated = activation.instance != nullptr;
    activation.leaving = activation.leaving || leaves;
    answer(turn.work, committed ? Result<Payload>(reply) : fail(committed.error()));
  } else {
    answer(turn.work, fail(result.error()));
  }
  post(now_, [this, key] { pump(key); });
}

// The memory of the activation is no longer what was committed: whoever still runs there fails too.
void TestHost::Impl::discard(const ActorKey& key, const Error& why) {
  Activation& activation = activations_[key];
  activation.instance.reset();
  activation.inner.clear();
  for (Running& turn : std::exchange(activation.running, {})) answer(turn.work, fail(why));
}

void TestHost::Impl::deactivate(const ActorKey& key) {
  const auto found = activations_.find(key);
  if (found == activations_.end() || !found->second.instance) return;
  Activation& activation = found->second;
  activation.leaving = !activation.running.empty() || !activation.mailbox.empty();
  if (activation.leaving) return;
  activation.running.push_back({});  // keeps others out
  Context context(*this, key, {}, deadline_after(activation.type->options.drain_timeout));
  const auto result = std::make_shared<std::optional<Result<TurnResult>>>();
  activation.instance->deactivate(
      context, [result](Result<TurnResult> outcome) { *result = std::move(outcome); });
  while (!*result && step(context.end)) {
  }
  Result<void> committed = fail(Code::kTimeout, "on_deactivate of " + to_string(key) + " is slow");
  if (*result && **result) committed = commit(key, {std::move(***result)});
  if (*result && !**result) committed = fail((*result)->error());
  if (!committed) failures_.push_back(committed.error());
  std::deque<Work> late = std::move(activation.mailbox);
  activations_.erase(key);
  for (Work& work : late) deliver(std::move(work));
}

void TestHost::Impl::crash() {
  ++starts_;
  const auto lost = std::exchange(activations_, {});
  events_.clear();
  for (const auto& [key, of_actor] : reminders_) {
    for (const auto& [name, each] : of_actor) arm_reminder(key, name, each, each.schedule.next);
  }
  for (const auto& [number, message] : outbox_) deliver_message(number);
}

void TestHost::Impl::fail_calls(const ActorKey& key, std::optional<Error> error) {
  failing_.erase(key);
  if (error) failing_.emplace(key, std::move(*error));
}

bool TestHost::Impl::active(const ActorKey& key) const {
  const auto found = activations_.find(key);
  return found != activations_.end() && found->second.instance;
}

std::optional<std::string> TestHost::Impl::stored_state(const ActorKey& key) const {
  const auto found = states_.find(key);
  if (found == states_.end()) return std::nullopt;
  return found->second;
}

}  // namespace troupe

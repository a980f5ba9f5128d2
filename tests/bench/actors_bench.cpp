// What a call and reply between two native actors of one node costs, beside the same on bare CAF
// and on a hand-written pool of threads; and what an idle activation weighs. 256 pairs, each of
// which calls on and on. Figures are ratios of one run: build/tests/bench/actors_bench
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "actors/activation/caf_scheduler.h"
#include "actors/directory/actors.h"
#include "tests/bench/raw/caf.h"
#include "tests/bench/raw/pool.h"
#include "tests/support/fake_shards.h"

namespace troupe {
namespace {

using namespace bench;  // NOLINT(google-build-using-namespace)

// Ours.

class PingPong final : public ActorInstance {
 public:
  Result<void> load(std::optional<std::string_view>) override { return {}; }
  void run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) override {
    if (message.method != "go") return done(TurnResult{});
    left_ = kRounds;
    done_ = std::move(done);
    next(context);
  }
  void deactivate(TurnContext&, Done<TurnResult> done) override { done(TurnResult{}); }

 private:
  void next(TurnContext& context) {
    if (left_-- == 0) return done_(TurnResult{});
    NestedCall call;
    call.target = {.type = "Echo", .id = context.self().id};
    call.method = "ping";
    context.call(std::move(call), [this, &context](const Result<Payload>&) { next(context); });
  }
  int left_ = 0;
  Done<TurnResult> done_;
};

class LocalRouter final : public actors::Router {
 public:
  void route(actors::Call call) override { host->deliver(std::move(call)); }
  void returned(actors::Call call) override { call.done(fail(Code::kPrecondition, "")); }
  actors::Actors* host = nullptr;
};

struct Node {
  Node() {
    for (const char* name : {"Caller", "Echo"}) {
      auto type = std::make_shared<ActorType>();
      type->name = name;
      type->options.turn_timeout = std::chrono::minutes(10);
      type->methods = {{.name = "go"}, {.name = "ping"}};
      type->make = [] { return std::make_unique<PingPong>(); };
      types.push_back(type);
      shards.own(name, Time::max());
    }
    host = std::make_unique<actors::Actors>(
        actors::ActorsDependencies{.clock = clock,
                                   .shards = shards,
                                   .router = router,
                                   .scheduler = scheduler,
                                   .blocking = scheduler,
                                   .timers = loop,
                                   .ids = ids,
                                   .log = Log(silent_log(), "bench")},
        types);
    router.host = host.get();
  }
  ~Node() {
    std::atomic<bool> stopped{false};
    host->stop(clock.now() + std::chrono::minutes(1), [&] {
      stopped.store(true);
      stopped.notify_all();
    });
    stopped.wait(false);
    scheduler.stop();
    loop.stop();
  }
  void call(const char* type, int id, Countdown& ended) {
    actors::Call call;
    call.key = {.type = type, .id = std::to_string(id)};
    call.method = "go";
    call.done = [&ended](const Result<actors::Reply>&) { ended.one(); };
    host->deliver(std::move(call));
  }

  SystemClock clock;
  Loop loop{clock, "bench"};
  testing::FakeShards shards{loop};
  LocalRouter router;
  actors::CafScheduler scheduler;
  actors::CallIds ids{NodeId{1, 1}, Generation{1}};
  std::vector<std::shared_ptr<const ActorType>> types;
  std::unique_ptr<actors::Actors> host;
};

double troupe_actors() {
  Node node;
  Countdown ended;
  return measure([&] {
    for (int i = 0; i < kPairs; ++i) node.call("Caller", i, ended);
    ended.wait();
  });
}

double resident_bytes() {
  std::ifstream status("/proc/self/statm");
  double size = 0;
  double resident = 0;
  status >> size >> resident;
  return resident * 4096;
}

void idle_memory() {
  constexpr int kCount = 200'000;
  Node node;
  const double before = resident_bytes();
  for (int from = 0; from < kCount; from += 1'000) {
    Countdown ended{1'000};
    for (int i = from; i < from + 1'000; ++i) {
      actors::Call call;
      call.key = {.type = "Echo", .id = std::to_string(i)};
      call.method = "ping";
      call.done = [&ended](const Result<actors::Reply>&) { ended.one(); };
      node.host->deliver(std::move(call));
    }
    ended.wait();
  }
  std::printf("idle activation              %6.0f bytes, of %d\n",
              (resident_bytes() - before) / kCount, kCount);
}

void run() {
  std::vector<double> caf;
  std::vector<double> hand;
  std::vector<double> ours;
  for (int batch = 0; batch < 3; ++batch) {
    caf.push_back(bare_caf());
    hand.push_back(hand_written_pool());
    ours.push_back(troupe_actors());
  }
  const auto median = [](std::vector<double>& of) {
    std::ranges::sort(of);
    return of[of.size() / 2];
  };
  const double bare = median(caf);
  const double pool = median(hand);
  const double own = median(ours);
  std::printf("CPU a call and reply, %d pairs, median of 3\n", kPairs);
  std::printf("bare CAF request/then        %6.0f ns\n", bare);
  std::printf("hand-written mailbox pool    %6.0f ns\n", pool);
  std::printf("troupe                       %6.0f ns   %.2f of CAF (reach 0.7), %.2f of the pool\n",
              own, own / bare, own / pool);
  idle_memory();
}

}  // namespace
}  // namespace troupe

int main() { troupe::run(); }

#include "tests/bench/node/load.h"

#include <cstdlib>
#include <string>
#include <utility>

namespace troupe::bench {
namespace {

class Driver final : public ActorInstance {
 public:
  explicit Driver(std::shared_ptr<LoadSlot> slot) : slot_(std::move(slot)) {}

  Result<void> load(std::optional<std::string_view>) override { return {}; }
  void run_turn(TurnMessage, TurnContext& context, Done<TurnResult> done) override {
    load_ = slot_->load;
    driver_ = std::strtoull(context.self().id.c_str(), nullptr, 10);
    done_ = std::move(done);
    number_ = 0;
    ++load_->running;
    next(context);
  }
  void deactivate(TurnContext&, Done<TurnResult> done) override { done(TurnResult{}); }

 private:
  void next(TurnContext& context) {
    NestedCall call;
    if (load_->stop.load(std::memory_order_relaxed)) return end();
    if (number_ % Load::kBlock == 0) number_ = load_->numbered.fetch_add(Load::kBlock);
    if (!load_->next(driver_, number_++, call)) return end();
    if (load_->with_latencies) sent_ = load_->clock.now();
    context.call(std::move(call), [this, &context](const Result<Payload>& reply) {
      reply ? load_->answered.add(driver_) : void(++load_->failed);
      if (load_->with_latencies) {
        const std::chrono::duration<double, std::milli> took = load_->clock.now() - sent_;
        latencies_.push_back(took.count());
      }
      next(context);
    });
  }
  void end() {
    load_->keep(std::exchange(latencies_, {}));
    const std::shared_ptr<Load> load = std::move(load_);
    done_(TurnResult{});
    --load->running;
  }

  const std::shared_ptr<LoadSlot> slot_;
  std::shared_ptr<Load> load_;
  std::uint64_t driver_ = 0;
  std::uint64_t number_ = 0;
  Time sent_;
  std::vector<double> latencies_;
  Done<TurnResult> done_;
};

class Target final : public ActorInstance {
 public:
  Result<void> load(std::optional<std::string_view>) override { return {}; }
  void run_turn(TurnMessage message, TurnContext&, Done<TurnResult> done) override {
    TurnResult result;
    if (message.method == "save") {
      std::string state = std::to_string(++saves_);
      state.resize(200, 'v');
      result.state = std::move(state);
    } else {
      result.content_type = std::move(message.content_type);
      result.reply = std::move(message.body);
    }
    done(std::move(result));
  }
  void deactivate(TurnContext&, Done<TurnResult> done) override { done(TurnResult{}); }

 private:
  std::uint64_t saves_ = 0;
};

}  // namespace

void Load::keep(std::vector<double> of_one_driver) {
  latencies.with([&](std::vector<double>& all) {
    all.insert(all.end(), of_one_driver.begin(), of_one_driver.end());
  });
}

ActorType driver_type(std::shared_ptr<LoadSlot> slot) {
  ActorType type;
  type.name = "Driver";
  type.options.turn_timeout = std::chrono::minutes(10);
  type.methods = {{.name = "go"}};
  type.make = [slot] { return std::make_unique<Driver>(slot); };
  return type;
}

ActorType echo_type() {
  ActorType type;
  type.name = "Echo";
  type.methods = {{.name = "ping"}};
  type.make = [] { return std::make_unique<Target>(); };
  return type;
}

ActorType saver_type() {
  ActorType type;
  type.name = "Saver";
  type.methods = {{.name = "save"}};
  type.make = [] { return std::make_unique<Target>(); };
  return type;
}

}  // namespace troupe::bench

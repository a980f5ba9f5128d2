#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "actors/schedule/calendar.h"
#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/cpu.h"

namespace troupe::bench {
namespace {

constexpr std::uint64_t kActors = 2'000;
constexpr std::uint64_t kRegistrations = 20'000;
constexpr std::uint64_t kUnsaturated = 5'000;  // due within one second
constexpr auto kPatience = std::chrono::seconds(60);

// What rang so far, of a batch of reminders.
struct Rung {
  std::atomic<std::uint64_t> count{0};
  Guarded<std::vector<double>> lateness;  // milliseconds
};

std::string number(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

WallTime time_of(std::string_view number) {
  return WallTime(Duration(std::strtoll(std::string(number).c_str(), nullptr, 10)));
}

// `set` makes a reminder due at the microsecond of its message; `ring` is what it calls.
class Alarm final : public ActorInstance {
 public:
  explicit Alarm(Rung& rung) : rung_(rung) {}

  Result<void> load(std::optional<std::string_view>) override { return {}; }
  void run_turn(TurnMessage message, TurnContext&, Done<TurnResult> done) override {
    TurnResult result;
    if (message.method == "set") {
      ReminderChange change;
      change.name = std::string(message.body.view());
      change.method = "ring";
      change.message = message.body;
      change.due = format_rfc3339(time_of(message.body.view()));
      result.reminders.push_back(std::move(change));
    } else {
      const std::chrono::duration<double, std::milli> late =
          SystemClock().wall() - time_of(message.body.view());
      rung_.lateness.with([&](std::vector<double>& all) { all.push_back(late.count()); });
      ++rung_.count;
    }
    done(std::move(result));
  }
  void deactivate(TurnContext&, Done<TurnResult> done) override { done(TurnResult{}); }

 private:
  Rung& rung_;
};

ActorType alarm_type(Rung& rung) {
  ActorType type;
  type.name = "Alarm";
  type.methods = {{.name = "ring"}, {.name = "set"}};
  type.make = [&rung] { return std::make_unique<Alarm>(rung); };
  return type;
}

// Reminders `i` of `count`, due at `first + i * apart`. Each is of another actor than its
// neighbours, so that 256 registrations are under way at a time.
Outcome register_all(LocalNodes& nodes, LoadSlot& slot, std::uint64_t count, WallTime first,
                     Duration apart) {
  const auto set = [=](std::uint64_t, std::uint64_t i, NestedCall& call) {
    call.target = {.type = "Alarm", .id = std::to_string(i % kActors)};
    call.method = "set";
    call.message = Payload(number(first + static_cast<std::int64_t>(i) * apart));
    return i < count;
  };
  Drive drive(nodes, slot, std::make_shared<Load>(set));
  drive.start(0, 0, 256);
  return drive.run_out();
}

// Until all rang, or patience is over; then the lateness of each that did.
std::vector<double> wait_for(Rung& rung, std::uint64_t count, WallTime last) {
  const SystemClock clock;
  while (rung.count < count && clock.wall() < last + kPatience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (rung.count != count) {
    std::fprintf(stderr, "%llu reminders rang, of %llu\n",
                 static_cast<unsigned long long>(rung.count.load()),
                 static_cast<unsigned long long>(count));
  }
  rung.count = 0;
  return rung.lateness.with([](std::vector<double>& all) { return std::exchange(all, {}); });
}

}  // namespace

std::vector<Row> reminders() {
  using std::chrono::microseconds;
  using std::chrono::seconds;
  const SystemClock clock;
  Rung rung;
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = 1, .on_disk = true}, [&](std::uint32_t /*node*/) {
    return std::vector<ActorType>{driver_type(slot), alarm_type(rung)};
  });
  // Wakes every actor, so that registrations are measured and not activations.
  const WallTime never = clock.wall() + std::chrono::hours(24);
  register_all(nodes, *slot, kActors, never, microseconds(1));

  // All due at one moment: as fast as they can.
  const WallTime moment = clock.wall() + seconds(15);
  const Outcome registered = register_all(nodes, *slot, kRegistrations, moment, microseconds(1));
  if (registered.failed > 0) std::fprintf(stderr, "%.0f registrations failed\n", registered.failed);
  std::this_thread::sleep_for(moment - clock.wall());
  const double cpu = cpu_seconds();
  std::vector<double> lateness = wait_for(rung, kRegistrations, moment);
  const double fired_cpu = (cpu_seconds() - cpu) * 1e6 / static_cast<double>(kRegistrations);
  if (lateness.empty()) return {{.name = "reminders", .failure = "none rang"}};
  const double fired = static_cast<double>(lateness.size()) / (std::ranges::max(lateness) / 1e3);

  // Evenly over a second.
  const WallTime second = clock.wall() + seconds(10);
  register_all(nodes, *slot, kUnsaturated, second, Duration(seconds(1)) / kUnsaturated);
  std::vector<double> unsaturated = wait_for(rung, kUnsaturated, second);
  if (unsaturated.empty()) return {{.name = "reminders", .failure = "none rang"}};

  return {
      {.name = "reminders registered, durable, 256 in flight",
       .unit = "1/s",
       .ours = registered.rate(),
       .target = 20'000,
       .at_most = false,
       .p50 = registered.p50,
       .p99 = registered.p99},
      {.name = "  CPU of one registration",
       .unit = "us CPU",
       .ours = registered.cpu_us(),
       .target = 2e6 / 20'000},  // two cores at the rate above
      {.name = "reminders fired, 20,000 due at once",
       .unit = "1/s",
       .ours = fired,
       .target = 50'000,
       .at_most = false},
      {.name = "  CPU of one fired", .unit = "us CPU", .ours = fired_cpu, .target = 2e6 / 50'000},
      {.name = "reminders late, 5,000 due in one second",
       .unit = "ms at p99",
       .ours = quantile(unsaturated, 0.99),
       .target = 50,
       .p50 = quantile(unsaturated, 0.5),
       .p99 = quantile(unsaturated, 0.99)}};
}

}  // namespace troupe::bench

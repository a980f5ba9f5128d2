#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/schedule/calendar.h"
#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/cpu.h"

namespace troupe::bench {
namespace {

constexpr std::uint64_t kActors = 2'000;
constexpr std::uint64_t kRegistrations = 20'000;
constexpr std::uint64_t kUnsaturated = 5'000;  // due within one second
constexpr std::uint64_t kPending = 1'000'000;
constexpr std::uint64_t kPendingPerTurn = 20;
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

ReminderChange change_of(std::string name, Payload message, WallTime due) {
  ReminderChange change;
  change.name = std::move(name);
  change.method = "ring";
  change.message = std::move(message);
  change.due = format_rfc3339(due);
  return change;
}

// `set` makes a reminder due at the microsecond of its message, `set-many` some from then on;
// `ring` is what they call.
class Alarm final : public ActorInstance {
 public:
  explicit Alarm(Rung& rung) : rung_(rung) {}

  Result<void> load(std::optional<std::string_view>) override { return {}; }
  void run_turn(TurnMessage message, TurnContext&, Done<TurnResult> done) override {
    TurnResult result;
    if (message.method == "set") {
      result.reminders.push_back(
          change_of(std::string(message.body.view()), message.body, time_of(message.body.view())));
    } else if (message.method == "set-many") {
      const WallTime first = time_of(message.body.view());
      for (std::uint64_t i = 0; i < kPendingPerTurn; ++i) {
        const WallTime due = first + std::chrono::milliseconds(i);
        result.reminders.push_back(change_of(number(due), message.body, due));
      }
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
  type.methods = {{.name = "ring"}, {.name = "set"}, {.name = "set-many"}};
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

double resident_bytes() {
  malloc_trim(0);
  std::ifstream status("/proc/self/statm");
  double size = 0;
  double resident = 0;
  status >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// As the disk counts: some files are allocated ahead.
double disk_bytes(const std::string& directory) {
  double bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat found{};
    if (stat(file.path().c_str(), &found) == 0) bytes += static_cast<double>(found.st_blocks) * 512;
  }
  return bytes;
}

}  // namespace

std::vector<Row> pending_reminders() {
  const SystemClock clock;
  Rung rung;
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = 1, .on_disk = true}, [&](std::uint32_t /*node*/) {
    return std::vector<ActorType>{driver_type(slot), alarm_type(rung)};
  });
  const WallTime tomorrow = clock.wall() + std::chrono::hours(24);
  register_all(nodes, *slot, kActors, tomorrow - std::chrono::hours(1),
               std::chrono::microseconds(1));
  const double before = resident_bytes();
  const auto set = [=](std::uint64_t, std::uint64_t i, NestedCall& call) {
    call.target = {.type = "Alarm", .id = std::to_string(i % kActors)};
    call.method = "set-many";
    call.message =
        Payload(number(tomorrow + static_cast<std::int64_t>(i) * std::chrono::seconds(1)));
    return i < kPending / kPendingPerTurn;
  };
  Drive drive(nodes, *slot, std::make_shared<Load>(set));
  drive.start(0, 0, 64);
  const Outcome outcome = drive.run_out();
  if (outcome.failed > 0) return {{.name = "reminders", .failure = "some were not registered"}};
  std::this_thread::sleep_for(std::chrono::seconds(5));  // what was gathered is written
  const double memory = (resident_bytes() - before) / 1e6;
  const double disk = disk_bytes(nodes.directory()) / 1e6;
  return {
      {.name = "a million pending reminders, memory and disk",
       .unit = "MB",
       .ours = memory + disk,
       .target = 250},
      {.name = "  memory, beside the node's own", .unit = "MB", .ours = memory, .at_most = false},
      {.name = "  disk", .unit = "MB", .ours = disk, .at_most = false}};
}

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

#include "sdk/examples/packages/demonstration.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include "sdk/examples/packages/crew.h"
#include "sdk/examples/packages/local_cluster.h"
#include "sdk/examples/packages/package_index.h"
#include "sdk/examples/packages/packages.h"
#include "sdk/examples/packages/report.h"

using namespace std::chrono_literals;
using troupe::Client;
using troupe::Code;
using troupe::Duration;
using troupe::fail;
using troupe::Result;

namespace {

constexpr std::size_t kFounders = 3;
constexpr std::size_t kNodes = 4;
constexpr std::size_t kRestarted = 1;  // index of the node
constexpr std::size_t kShelfSize = 250;
constexpr std::size_t kCountedAtOnce = 50;
constexpr std::size_t kTop = 20;
constexpr int kBells = 10;  // of each of the top
constexpr auto kStep = 1s;  // between lines of progress
constexpr auto kStartPatience = 60s;
constexpr auto kBellPatience = 60s;

using Names = std::vector<std::string>;

class Demonstration {
 public:
  explicit Demonstration(const DemonstrationOptions& options)
      : options_(options),
        cluster_({.program = options.program,
                  .directory = options.directory,
                  .founders = kFounders,
                  .nodes_max = kNodes}) {}

  Result<void> run();
  bool holds() const { return report_.holds(); }

 private:
  using Step = Result<void> (Demonstration::*)();

  Result<void> read_index();
  Result<void> start_cluster();
  Result<void> load();
  Result<void> plan_bells();
  Result<void> place();
  Result<void> count();
  Result<void> gather();
  Result<void> check_bells();
  Result<void> check_loaded();
  Result<void> stop_cluster();

  Result<void> disturb(double fraction);
  Result<void> wait_ready(std::size_t node);
  Result<void> follow(const std::function<void(double seconds)>& tell);
  Result<bool> all_have_rung();
  double seconds_since(troupe::Time begin) const;

  DemonstrationOptions options_;
  troupe::SystemClock clock_;
  Report report_;
  LocalCluster cluster_;
  std::optional<Crew> crew_;

  PackageIndex index_;
  Names names_;  // of the index
  Counts expected_;
  Names top_;
  std::vector<Names> shelves_;

  troupe::Time bells_set_;
  Duration last_bell_{};
  std::atomic<std::size_t> calls_ = 0;    // between packages
  std::atomic<std::size_t> counted_ = 0;  // packages
  std::size_t rung_ = 0;                  // reminders
  std::size_t events_ = 0;                // of disturb()
  Counts found_;
};

Result<void> Demonstration::run() {
  for (const Step step :
       {&Demonstration::read_index, &Demonstration::start_cluster, &Demonstration::load,
        &Demonstration::place, &Demonstration::plan_bells, &Demonstration::count,
        &Demonstration::gather, &Demonstration::check_bells, &Demonstration::check_loaded,
        &Demonstration::stop_cluster}) {
    Result<void> done = (this->*step)();
    if (!done) return done;
  }
  report_.table(top_, found_, expected_);
  report_.conclude();
  return {};
}

double Demonstration::seconds_since(troupe::Time begin) const {
  return std::chrono::duration<double>(clock_.now() - begin).count();
}

Result<void> Demonstration::read_index() {
  std::ifstream file(options_.index_file);
  if (!file) return fail(Code::kNotFound, "cannot read " + options_.index_file);
  index_ = read_package_index(file);
  if (options_.packages_max != 0) index_ = most_needed(index_, options_.packages_max);
  if (index_.empty()) return fail(Code::kInvalid, options_.index_file + " has no packages");
  const troupe::Time begin = clock_.now();
  expected_ = counts_of(index_);
  std::size_t edges = 0;
  std::size_t pairs = 0;
  for (const auto& [name, needs] : index_) {
    names_.push_back(name);
    edges += needs.size();
    if (shelves_.empty() || shelves_.back().size() == kShelfSize) shelves_.emplace_back();
    shelves_.back().push_back(name);
  }
  for (const auto& [name, count] : expected_) pairs += count.in_all;
  top_ = ranking(expected_);
  if (top_.size() > kTop) top_.resize(kTop);
  report_.line(number(names_.size()) + " packages, " + number(edges) + " dependencies, " +
               number(pairs) + " in all through others; without actors counted in " +
               decimals(seconds_since(begin)) + " s");
  return {};
}

Result<void> Demonstration::start_cluster() {
  std::filesystem::create_directories(options_.directory);
  const troupe::Time begin = clock_.now();
  Result<void> started = cluster_.start();
  if (!started) return started;
  for (std::size_t i = 0; i < kFounders; ++i) {
    Result<void> ready = wait_ready(i);
    if (!ready) return ready;
  }
  report_.line("three nodes are up after " + decimals(seconds_since(begin)) + " s");
  std::vector<Client> clients;
  clients.reserve(kFounders);
  for (std::size_t i = 0; i < kFounders; ++i) clients.push_back(cluster_.client(i));
  crew_.emplace(std::move(clients), options_.threads);
  return {};
}

// Until the node itself answers for an actor, wherever that is.
Result<void> Demonstration::wait_ready(std::size_t node) {
  const Client client = cluster_.client_of(node);
  const troupe::Time end = clock_.now() + kStartPatience;
  const std::size_t up = cluster_.up();
  for (;;) {
    const auto loaded =
        client.actor<Package>(names_.front()).call<&Package::loaded>().with_timeout(5s).result();
    if (loaded) return {};
    if (clock_.now() >= end || cluster_.up() < up) {
      return fail(loaded.error().code,
                  "node" + std::to_string(node + 1) + " is not ready: " + loaded.error().message);
    }
    std::promise<void>().get_future().wait_for(50ms);
  }
}

// Tells how the crew gets on until it has ended.
Result<void> Demonstration::follow(const std::function<void(double seconds)>& tell) {
  troupe::Time before = clock_.now();
  std::size_t repeats = crew_->repeats();
  while (!crew_->wait(kStep)) {
    tell(seconds_since(before));
    const std::size_t repeated = crew_->repeats() - repeats;
    if (repeated > 0) {
      report_.line("  " + number(repeated) +
                   " calls are made again, the last because: " + crew_->reason());
    }
    repeats += repeated;
    before = clock_.now();
  }
  return crew_->end();
}

Result<void> Demonstration::load() {
  const troupe::Time begin = clock_.now();
  crew_->begin(names_.size(), [this](const Client& client, std::size_t i) {
    const std::string& name = names_[i];
    return client.actor<Package>(name).call<&Package::load>(index_.at(name)).result();
  });
  std::size_t before = 0;
  const Result<void> done = follow([&](double seconds) {
    const std::size_t now = crew_->done();
    report_.line("loaded " + number(now) + " of " + number(names_.size()) + " packages, " +
                 rate(now - before, seconds) + "; nodes up: " + number(cluster_.up()));
    before = now;
  });
  report_.rate("packages loaded, durable", names_.size(), seconds_since(begin));
  return done;
}

Result<void> Demonstration::place() {
  crew_->begin(shelves_.size(), [this](const Client& client, std::size_t i) -> Result<void> {
    const auto shelf = client.actor<Shelf>(std::to_string(i));
    const Result<Progress> placed = shelf.call<&Shelf::place>(shelves_[i]).result();
    return placed ? Result<void>() : fail(placed.error());
  });
  return follow([](double) {});
}

Result<void> Demonstration::plan_bells() {
  // Spread over what the count is likely to take, and the end of a node in it.
  const bool is_small = names_.size() < 10'000;
  const BellPlan plan{.bells = kBells, .first_ms = 3000, .every_ms = is_small ? 1000 : 5000};
  last_bell_ = std::chrono::milliseconds(plan.first_ms + kBells * plan.every_ms);
  crew_->begin(top_.size(), [this, plan](const Client& client, std::size_t i) {
    return client.actor<Package>(top_[i]).call<&Package::plan>(plan).result();
  });
  const Result<void> done = follow([](double) {});
  bells_set_ = clock_.now();
  report_.line(number(top_.size() * kBells) + " reminders set, over the next " +
               decimals(std::chrono::duration<double>(last_bell_).count()) + " s");
  return done;
}

Result<void> Demonstration::count() {
  const troupe::Time begin = clock_.now();
  crew_->begin(shelves_.size(), [this](const Client& client, std::size_t i) -> Result<void> {
    const auto shelf = client.actor<Shelf>(std::to_string(i));
    Result<Progress> progress = shelf.call<&Shelf::progress>().result();
    while (progress && progress->counted < progress->of) {
      const Progress before = *progress;
      progress = shelf.call<&Shelf::count>(kCountedAtOnce).result();
      if (!progress) break;
      calls_ += progress->calls - before.calls;
      counted_ += progress->counted - before.counted;
    }
    return progress ? Result<void>() : fail(progress.error());
  });
  std::size_t before = 0;
  Result<void> disturbed;
  const auto tell = [&](double seconds) {
    const std::size_t calls = calls_;
    report_.line("counted for " + number(counted_) + " of " + number(names_.size()) +
                 " packages, " + rate(calls - before, seconds) +
                 " calls between actors; nodes up: " + number(cluster_.up()));
    before = calls;
    const double fraction = static_cast<double>(counted_) / static_cast<double>(names_.size());
    if (disturbed && !options_.calm) disturbed = disturb(fraction);
  };
  Result<void> done = follow(tell);
  if (!done) return done;
  report_.rate("calls between actors", calls_, seconds_since(begin));
  report_.line("counted in " + decimals(seconds_since(begin)) + " s; " + number(crew_->repeats()) +
               " calls were repeated");
  // A small index is counted before all has happened that is to happen.
  while (disturbed && events_ < 3 && !options_.calm) disturbed = disturb(1);
  return disturbed;
}

// One thing at a time.
Result<void> Demonstration::disturb(double fraction) {
  const troupe::Time begin = clock_.now();
  if (events_ == 0 && fraction >= 0.1) {
    ++events_;
    Result<void> added = cluster_.add();
    if (!added) return added;
    report_.line("* node4 is added");
    return {};
  }
  if (events_ == 1 && fraction >= 0.3) {
    ++events_;
    Result<void> stopped = cluster_.stop(kRestarted);
    if (!stopped) return stopped;
    report_.line("* node2 has handed over and stopped, in " + decimals(seconds_since(begin)) +
                 " s");
    return {};
  }
  if (events_ == 2 && fraction >= 0.5) {
    ++events_;
    Result<void> restarted = cluster_.restart(kRestarted);
    if (!restarted) return restarted;
    report_.line("* node2 is started again");
    Result<void> ready = wait_ready(kRestarted);
    if (!ready) return ready;
    return wait_ready(kNodes - 1);
  }
  return {};
}

Result<void> Demonstration::gather() {
  troupe::Guarded<Counts> sum;
  crew_->begin(shelves_.size(), [&](const Client& client, std::size_t i) -> Result<void> {
    const auto shelf = client.actor<Shelf>(std::to_string(i));
    const Result<Counts> counts = shelf.call<&Shelf::counts>().result();
    if (!counts) return fail(counts.error());
    sum.with([&](Counts& all) {
      for (const auto& [name, count] : *counts) {
        all[name].directly += count.directly;
        all[name].in_all += count.in_all;
      }
    });
    return {};
  });
  const Result<void> done = follow([](double) {});
  found_ = sum.with([](Counts& all) { return std::move(all); });
  std::size_t equal = 0;
  for (const auto& [name, count] : expected_) equal += found_[name] == count ? 1 : 0;
  report_.check("both counts of each package equal the computation without actors",
                equal == expected_.size() && found_.size() == expected_.size(),
                number(equal) + " of " + number(expected_.size()) + " equal");
  return done;
}

Result<bool> Demonstration::all_have_rung() {
  std::atomic<std::size_t> rung = 0;
  crew_->begin(top_.size(), [&](const Client& client, std::size_t i) -> Result<void> {
    const auto heard = client.actor<BellTower>(top_[i]).call<&BellTower::rung>().result();
    if (!heard) return fail(heard.error());
    rung += heard->size();
    return {};
  });
  const Result<void> done = follow([](double) {});
  if (!done) return fail(done.error());
  if (rung != rung_) {
    report_.line(number(rung) + " of " + number(top_.size() * kBells) + " reminders have fired");
  }
  rung_ = rung;
  return rung == top_.size() * kBells;
}

Result<void> Demonstration::check_bells() {
  const troupe::Time last = bells_set_ + last_bell_;
  for (;;) {
    const Result<bool> all = all_have_rung();
    if (!all) return fail(all.error());
    // A little longer, for what should not come.
    if (clock_.now() > last + 2s && (*all || clock_.now() > last + kBellPatience)) break;
    std::promise<void>().get_future().wait_for(kStep);
  }
  std::atomic<std::size_t> once = 0;
  std::atomic<std::size_t> ticks = 0;
  crew_->begin(top_.size(), [&](const Client& client, std::size_t i) -> Result<void> {
    const auto package = client.actor<Package>(top_[i]);
    const auto rung = package.call<&Package::rung>().result();
    if (!rung) return fail(rung.error());
    const auto heard = client.actor<BellTower>(top_[i]).call<&BellTower::rung>().result();
    if (!heard) return fail(heard.error());
    for (const auto& [bell, times] : *rung) {
      const auto echo = heard->find(bell);
      once += times == 1 && echo != heard->end() && echo->second == 1 ? 1 : 0;
    }
    const auto ticked = package.call<&Package::ticks>().result();
    ticks += ticked ? *ticked : 0;
    return {};
  });
  const Result<void> done = follow([](double) {});
  report_.check("each reminder fired, and told another actor, exactly once in effect",
                once == top_.size() * kBells, number(once) + " of " + number(top_.size() * kBells));
  report_.line("timers in memory have ticked " + number(ticks) + " times");
  return done;
}

Result<void> Demonstration::check_loaded() {
  std::atomic<std::size_t> equal = 0;
  const troupe::Time begin = clock_.now();
  crew_->begin(names_.size(), [&](const Client& client, std::size_t i) -> Result<void> {
    const auto loaded = client.actor<Package>(names_[i]).call<&Package::loaded>().result();
    if (!loaded) return fail(loaded.error());
    equal += *loaded == index_.at(names_[i]) ? 1 : 0;
    return {};
  });
  const Result<void> done = follow([](double) {});
  report_.rate("calls of the client that read", names_.size(), seconds_since(begin));
  report_.check("each package still knows what was loaded", equal == names_.size(),
                number(equal) + " of " + number(names_.size()));
  return done;
}

Result<void> Demonstration::stop_cluster() {
  crew_.reset();
  const Result<void> stopped = cluster_.stop_all();
  report_.check("all nodes stopped in order", stopped.has_value(),
                stopped ? "exit code 0" : stopped.error().message);
  return {};
}

}  // namespace

int demonstrate(const DemonstrationOptions& options) {
  bool fine = false;
  {
    Demonstration demonstration(options);
    const Result<void> done = demonstration.run();
    if (!done) say("failed: " + done.error().message);
    fine = done && demonstration.holds();
  }
  if (!fine) {
    say("the nodes' logs are in " + options.directory);
    return 1;
  }
  std::error_code ignored;
  std::filesystem::remove_all(options.directory, ignored);
  return 0;
}

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <troupe/troupe.h>

/// What a package knows when asked what it needs.
struct Known {
  std::vector<std::string> names;
  bool all = false;  // through others, too; else only directly
};

/// All that a package needs.
struct Needs {
  std::vector<std::string> names;  // directly first, then through others; without itself
  std::size_t direct = 0;          // how many of them directly
  std::size_t calls = 0;           // made to find out
};

/// Bells that a package sets itself.
struct BellPlan {
  int bells = 0;
  int first_ms = 0;  // until the first
  int every_ms = 0;  // between them
};

struct PackageState {
  std::vector<std::string> needs;   // directly
  bool planned = false;             // its bells have been set
  std::map<std::string, int> rung;  // bells, by name
};

/// Counts each bell that rang, whoever's it was. One for each package with bells.
struct BellTowerState {
  std::map<std::string, int> rung;
};
class BellTower : public troupe::Actor<BellTowerState> {
 public:
  void hear(const std::string& bell) { ++state.rung[bell]; }
  std::map<std::string, int> rung() const { return state.rung; }

  using Methods = troupe::Methods<troupe::one_way<&BellTower::hear>, &BellTower::rung>;
};

/// The names that were met on the way along the edges of a graph, each once.
class Visit {
 public:
  explicit Visit(const std::string& start) { seen_.insert(start); }

  void meet(const std::vector<std::string>& names, bool to_be_asked) {
    for (const std::string& name : names) {
      const bool is_new = seen_.insert(name).second;
      if (is_new) met_.push_back(name);
      if (is_new && to_be_asked) to_ask_.push_back(name);
      if (!to_be_asked) settled_.insert(name);
    }
  }
  /// Whom to ask now; nothing when all are known.
  std::optional<std::string> next() {
    while (asked_ < to_ask_.size()) {
      const std::string& name = to_ask_[asked_++];
      if (!settled_.contains(name)) return name;
    }
    return std::nullopt;
  }
  /// In the order met.
  std::vector<std::string> take() { return std::move(met_); }

 private:
  std::unordered_set<std::string> seen_;
  std::unordered_set<std::string> settled_;  // all that they need has been met
  std::vector<std::string> met_;
  std::vector<std::string> to_ask_;
  std::size_t asked_ = 0;
};

/// A package of a distribution: knows what it needs directly, and finds out from those what it
/// needs through others.
///
/// Packages may need each other in circles. So nobody waits for another's whole answer: each asks
/// its way along the edges itself, and known() answers at once from what is there.
class Package : public troupe::Actor<PackageState> {
 public:
  /// Durable when the call returns. Before anybody is asked about needs.
  void load(std::vector<std::string> needs) {
    state.needs = std::move(needs);
    all_.reset();
  }

  std::vector<std::string> loaded() const { return state.needs; }

  Known known() const { return all_ ? Known{*all_, true} : Known{state.needs, false}; }

  troupe::Task<Needs> needs() const {
    std::size_t calls = 0;
    if (!all_) {
      Visit visit(id());
      visit.meet(state.needs, true);
      while (const std::optional<std::string> next = visit.next()) {
        const auto other = actor<Package>(*next);
        const Known known = co_await other.call<&Package::known>();
        ++calls;
        visit.meet(known.names, !known.all);
      }
      all_ = visit.take();
    }
    Needs found{*all_, state.needs.size(), calls};
    co_return found;
  }

  /// Sets durable reminders, each of which is to ring once, and a timer. The first time: who does
  /// not know whether it worked may ask again.
  void plan(const BellPlan& plan) {
    set_timer<&Package::tick>({.every = std::chrono::seconds(1)});
    if (std::exchange(state.planned, true)) return;
    for (int i = 0; i < plan.bells; ++i) {
      const std::string bell = "bell " + std::to_string(i);
      const auto after = std::chrono::milliseconds(plan.first_ms + i * plan.every_ms);
      set_reminder<&Package::ring>({.after = after, .name = bell}, bell);
    }
  }
  /// The count here and the message to the tower take effect together, once a bell.
  void ring(const std::string& bell) {
    ++state.rung[bell];
    actor<BellTower>(id()).send<&BellTower::hear>(bell);
  }
  void tick() { ++ticks_; }

  std::map<std::string, int> rung() const { return state.rung; }
  /// Of the timer, since this package came into memory last.
  std::size_t ticks() const { return ticks_; }

  using Methods = troupe::Methods<&Package::load, &Package::loaded, &Package::known,
                                  &Package::needs, &Package::plan, &Package::ring, &Package::tick,
                                  &Package::rung, &Package::ticks>;

 private:
  // What it needs in all, once found out. Lost with the activation, and found out again.
  mutable std::optional<std::vector<std::string>> all_;
  std::size_t ticks_ = 0;
};

/// How many packages need one.
struct Count {
  std::uint32_t directly = 0;
  std::uint32_t in_all = 0;

  friend bool operator==(const Count&, const Count&) = default;
};
using Counts = std::map<std::string, Count>;

/// How far a shelf is.
struct Progress {
  std::size_t counted = 0;  // packages of this shelf
  std::size_t of = 0;
  std::size_t calls = 0;  // between packages
};

struct ShelfState {
  std::vector<std::string> packages;
  std::size_t counted = 0;  // of `packages`, the first so many
  std::size_t calls = 0;
  Counts counts;
};

/// Some of the packages, and how often packages anywhere are needed by them. The sum over all
/// shelves is how many packages need each one.
class Shelf : public troupe::Actor<ShelfState> {
 public:
  /// Begins anew with these.
  Progress place(std::vector<std::string> packages) {
    state = {};
    state.packages = std::move(packages);
    return progress();
  }

  /// Asks the next few packages what they need, as many as half of the caller's time allows. How
  /// far it is and what it counted are saved together: whoever does not know whether a turn took
  /// effect just asks for the next.
  troupe::Task<Progress> count(std::size_t packages_max) {
    const std::size_t end = std::min(state.counted + packages_max, state.packages.size());
    const troupe::Duration reserve = time_left() / 2;
    for (; state.counted < end && time_left() > reserve; ++state.counted) {
      const auto package = actor<Package>(state.packages[state.counted]);
      const Needs needs = co_await package.call<&Package::needs>();
      for (std::size_t i = 0; i < needs.names.size(); ++i) {
        Count& count = state.counts[needs.names[i]];
        ++count.in_all;
        if (i < needs.direct) ++count.directly;
      }
      state.calls += needs.calls + 1;
    }
    co_return progress();
  }

  Progress progress() const { return {state.counted, state.packages.size(), state.calls}; }
  Counts counts() const { return state.counts; }

  using Methods = troupe::Methods<&Shelf::place, &Shelf::count, &Shelf::progress, &Shelf::counts>;
};

#include "tests/faults/cluster/errand_load.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "runtime/base/clock.h"
#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr int kClerks = 48;
constexpr std::uint64_t kWishLongestMs = 5'000;
// Between calls of one caller: states grow with each, and the callers are not what is tested.
constexpr Duration kPause = 10ms;
// Callers whose node stands still go on with another's after it.
constexpr Duration kCallPatience = 3s;

std::string id_of(int clerk) { return "errands" + std::to_string(clerk); }

// How what arrived differs from what was sent; nothing if it does not.
std::string difference(const std::vector<int>& sent, const std::vector<int>& received) {
  if (sent == received) return {};
  std::string all;
  for (const int number : std::set<int>(sent.begin(), sent.end())) {
    const auto times = std::ranges::count(received, number);
    if (times == 1) continue;
    all += " " + std::to_string(number) + (times == 0 ? " did not arrive" : " came again") + ",";
  }
  return all.empty() ? " came in another order" : all;
}

}  // namespace

ErrandLoad::ErrandLoad(const NodeCluster& cluster, std::size_t callers, std::uint64_t seed)
    : errands_(callers) {
  for (std::size_t caller = 0; caller < callers; ++caller) {
    threads_.emplace_back(
        [this, caller, seed, client = cluster.client(caller % cluster.size(), kCallPatience)] {
          run(caller, seed, client);
        });
  }
}

void ErrandLoad::run(std::size_t caller, std::uint64_t seed, const Client& client) {
  Random random(seed * errands_.size() + caller);
  while (!over_) {
    Errand errand{.number = next_++,
                  .clerk = static_cast<int>(random.below(kClerks)),
                  .is_wish = random.chance(0.3)};
    errand.heard = ask(client, errand, static_cast<std::int64_t>(random.below(kWishLongestMs)));
    if (errand.heard == Heard::kDone) ++acknowledged_;
    errands_[caller].push_back(errand);
    pause(kPause);
  }
}

ErrandLoad::Heard ErrandLoad::ask(const Client& client, const Errand& errand,
                                  std::int64_t after_ms) {
  const auto clerk = client.actor<Clerk>(id_of(errand.clerk));
  std::optional<Error> error;
  if (errand.is_wish) {
    const auto heard =
        clerk.call<&Clerk::wish>({.number = errand.number, .after_ms = after_ms}).result();
    if (!heard) error = heard.error();
  } else {
    const auto heard = clerk.call<&Clerk::order>(errand.number).result();
    if (!heard) error = heard.error();
  }
  if (!error) return Heard::kDone;
  const bool unknown = error->code == Code::kUnknownOutcome || error->code == Code::kTimeout;
  return unknown ? Heard::kNothing : Heard::kRefused;
}

void ErrandLoad::stop() {
  over_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool ErrandLoad::goes_on(int calls) {
  return eventually([this, until = acknowledged_ + calls] { return acknowledged_ >= until; });
}

bool ErrandLoad::read(const Client& client, int clerk, Books& books) {
  auto ledger = client.actor<Clerk>(id_of(clerk)).call<&Clerk::ledger>().result();
  if (!ledger) return false;
  auto received = client.actor<Addressee>(id_of(clerk)).call<&Addressee::received>().result();
  if (!received) return false;
  books = {.clerk = *std::move(ledger), .received = *std::move(received)};
  return true;
}

bool ErrandLoad::settled(const Books& books) {
  const std::vector<int>& sent = books.clerk.sent;
  return books.received.size() >= sent.size() &&
         std::ranges::all_of(books.clerk.wishes,
                             [&](int wish) { return std::ranges::find(sent, wish) != sent.end(); });
}

std::string ErrandLoad::wrong(const Client& client) const {
  std::map<int, Books> books;
  std::set<int> open;
  for (int clerk = 0; clerk < kClerks; ++clerk) open.insert(clerk);
  eventually([&] {
    std::erase_if(open, [&](int clerk) {
      return read(client, clerk, books[clerk]) && settled(books[clerk]);
    });
    return open.empty();
  });
  std::string all;
  for (const auto& [clerk, last] : books) all += wrong_with(clerk, last);
  for (const int clerk : open) all += id_of(clerk) + " never settled, or did not answer\n";
  return all;
}

std::string ErrandLoad::wrong_with(int clerk, const Books& books) const {
  std::string all;
  const auto complain = [&](const std::string& what) { all += id_of(clerk) + ": " + what + "\n"; };
  // Each once, and in the order in which they were sent.
  const std::string differs = difference(books.clerk.sent, books.received);
  if (!differs.empty()) {
    complain("of " + std::to_string(books.clerk.sent.size()) + " messages" + differs);
  }
  const std::vector<int>& wishes = books.clerk.wishes;
  for (const auto& errands : errands_) {
    for (const Errand& errand : errands) {
      if (errand.clerk != clerk) continue;
      const std::string name =
          (errand.is_wish ? "wish " : "order ") + std::to_string(errand.number);
      const auto sent = std::ranges::count(books.clerk.sent, errand.number);
      const auto kept = errand.is_wish ? std::ranges::count(wishes, errand.number) : sent;
      if (kept > 1) complain(name + " was counted " + std::to_string(kept) + " times");
      if (errand.heard == Heard::kDone && kept == 0) complain(name + " is lost");
      if (errand.heard == Heard::kRefused && kept > 0) complain(name + " was refused, and counted");
      if (errand.is_wish && sent != kept) {
        complain(name + " rang " + std::to_string(sent) + " times");
      }
    }
  }
  return all;
}

}  // namespace troupe

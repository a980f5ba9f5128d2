#include "tests/support/load.h"

#include <algorithm>

#include "sdk/examples/counter/counter.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kErrorsKept = 2'000;  // bytes

}  // namespace

Load::Load(NodeCluster& cluster, std::size_t callers, std::vector<std::size_t> through,
           Duration timeout) {
  for (std::size_t i = 0; i < callers; ++i) {
    auto& caller = *callers_.emplace_back(std::make_unique<Caller>());
    caller.counter = "load" + std::to_string(i);
    const Client client = cluster.client(through[i % through.size()], timeout);
    const Client reader = cluster.client(through[(i + 1) % through.size()], timeout);
    caller.thread = std::thread([this, &caller, client, reader] { run(caller, client, reader); });
  }
}

void Load::run(Caller& caller, const Client& client, const Client& reader) const {
  const SystemClock clock;
  while (!over_) {
    const Time began = clock.now();
    const Result<int> added = client.actor<Counter>(caller.counter).call<&Counter::add>(1).result();
    caller.longest = std::max(caller.longest, clock.now() - began);
    if (!added) {
      const Code code = added.error().code;
      const bool unknown = code == Code::kUnknownOutcome || code == Code::kTimeout;
      ++(unknown ? caller.unknown : caller.failed);
      if (caller.errors.size() < kErrorsKept) caller.errors += added.error().message + "\n";
      continue;
    }
    ++caller.acknowledged;
    const Result<int> read = reader.actor<Counter>(caller.counter).call<&Counter::value>().result();
    if (read && *read < *added && caller.stale.empty()) {
      caller.stale = caller.counter + " was " + std::to_string(*added) + " and then read as " +
                     std::to_string(*read) + "\n";
    }
  }
}

void Load::stop() {
  over_ = true;
  for (const auto& caller : callers_) {
    if (caller->thread.joinable()) caller->thread.join();
  }
}

bool Load::goes_on(int calls) {
  std::vector<int> wanted;
  for (const auto& caller : callers_) wanted.push_back(caller->acknowledged + calls);
  return eventually([&] {
    return std::ranges::equal(callers_, wanted, std::ranges::greater_equal(),
                              [](const auto& caller) { return caller->acknowledged.load(); });
  });
}

Duration Load::longest() const {
  Duration longest{0};
  for (const auto& caller : callers_) longest = std::max(longest, caller->longest);
  return longest;
}

int Load::unknown() const {
  int sum = 0;
  for (const auto& caller : callers_) sum += caller->unknown;
  return sum;
}

int Load::failed() const {
  int sum = 0;
  for (const auto& caller : callers_) sum += caller->failed;
  return sum;
}

int Load::acknowledged() const {
  int sum = 0;
  for (const auto& caller : callers_) sum += caller->acknowledged;
  return sum;
}

std::string Load::wrong(const Client& client) const {
  std::string all;
  for (const auto& caller : callers_) {
    all += caller->stale;
    const Result<int> value =
        client.actor<Counter>(caller->counter).call<&Counter::value>().result();
    if (!value) {
      all += caller->counter + ": " + value.error().message + "\n";
    } else if (*value < caller->acknowledged || *value > caller->acknowledged + caller->unknown) {
      all += caller->counter + " is " + std::to_string(*value) + " after " +
             std::to_string(caller->acknowledged) + " acknowledged calls and " +
             std::to_string(caller->unknown) + " of unknown outcome\n";
    }
  }
  return all;
}

std::string Load::errors() const {
  std::string all;
  for (const auto& caller : callers_) all += caller->errors;
  return all;
}

}  // namespace troupe

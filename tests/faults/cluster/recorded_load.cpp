#include "tests/faults/cluster/recorded_load.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "runtime/base/random.h"
#include "sdk/examples/counter/counter.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr int kCounters = 8;

std::string name_of(int counter) { return "shared" + std::to_string(counter); }

}  // namespace

RecordedLoad::RecordedLoad(const NodeCluster& cluster, std::size_t callers,
                           const std::vector<std::size_t>& through)
    : operations_(callers) {
  for (std::size_t caller = 0; caller < callers; ++caller) {
    threads_.emplace_back(
        [this, caller, client = cluster.client(through[caller % through.size()], 10s)] {
          run(caller, client);
        });
  }
}

void RecordedLoad::run(std::size_t caller, const Client& client) {
  Random random(caller);
  while (!over_) {
    Operation done{.counter = static_cast<int>(random.below(kCounters)),
                   .adds = random.chance(0.5)};
    const auto counter = client.actor<Counter>(name_of(done.counter));
    done.asked = clock_.now();
    const Result<int> heard = done.adds ? counter.call<&Counter::add>(1).result()
                                        : counter.call<&Counter::value>().result();
    done.answered = clock_.now();
    done.known = bool{heard};
    if (heard) {
      done.value = *heard;
      ++acknowledged_;
    } else if (!done.adds || (heard.error().code != Code::kUnknownOutcome &&
                              heard.error().code != Code::kTimeout)) {
      pause(5ms);
      continue;  // what certainly had no effect says nothing
    }
    operations_[caller].push_back(done);
  }
}

void RecordedLoad::stop() {
  over_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool RecordedLoad::goes_on(int calls) {
  return eventually([this, until = acknowledged_ + calls] { return acknowledged_ >= until; });
}

Duration RecordedLoad::longest_silence() const {
  std::vector<Time> answers;
  for (const auto& operations : operations_) {
    for (const Operation& operation : operations) {
      if (operation.known) answers.push_back(operation.answered);
    }
  }
  std::ranges::sort(answers);
  Duration longest{};
  for (std::size_t i = 1; i < answers.size(); ++i)
    longest = std::max(longest, answers[i] - answers[i - 1]);
  return longest;
}

std::string RecordedLoad::wrong(const std::string& directory) const {
  const char* checker = std::getenv("TROUPE_LINEARIZABILITY");
  if (checker == nullptr)
    return "TROUPE_LINEARIZABILITY names no checker; see tests/faults/linearizability";
  const std::string file = directory + "/history.jsonl";
  std::ofstream out(file);
  out << std::boolalpha;
  for (std::size_t caller = 0; caller < operations_.size(); ++caller) {
    for (const Operation& operation : operations_[caller]) {
      out << R"({"client":)" << caller << R"(,"counter":")" << name_of(operation.counter)
          << R"(","adds":)" << operation.adds << R"(,"asked":)"
          << operation.asked.time_since_epoch().count() << R"(,"answered":)"
          << operation.answered.time_since_epoch().count() << R"(,"known":)" << operation.known
          << R"(,"value":)" << operation.value << "}\n";
    }
  }
  out.close();
  Process process;
  process.start({checker, file}, file + ".verdict");
  if (process.wait(120s) == 0) return {};
  return process.output();
}

}  // namespace troupe

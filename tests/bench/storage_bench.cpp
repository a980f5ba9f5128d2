#include <cstdint>
#include <cstdio>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "storage/replica_log.h"
#include "storage/shard/machine.h"
#include "storage/writer.h"
#include "tests/bench/raw/rocksdb.h"
#include "tests/support/temporary_directory.h"

// Durable turns of one replica against the same number of small rows in synced batches of 256, in
// turn and in one run, since the speed of a disk changes by the minute.
namespace troupe::storage {
namespace {

constexpr std::uint64_t kInFlight = 256;

using bench::kRound;
using bench::kValue;
using bench::open;
using bench::raw;

/// A shard whose log is only its own: an entry is applied once it is durable.
class Shard {
 public:
  Shard(Engine& engine, Executor& loop, Clock& clock, int number)
      : clock_(clock),
        disk_(engine, loop, clock),
        writer_(disk_, {},
                {.progress = [this](auto at) { progressed(at); },
                 .failed = [](const Error& error) { check(false, error.message); }}),
        machine_({{1}, {static_cast<std::uint64_t>(number)}}, 256, writer_) {
    check(machine_.load().has_value(), "an empty shard loads");
    const AssignCommand assign{.type = "Cart", .node = {1, 1}, .generation = {1}, .replaces = {}};
    check(apply({.now = clock_.wall(), .command = assign}).kind == Outcome::Kind::kApplied,
          "the shard has an owner");
  }

  void start() {
    end_ = clock_.now() + kRound;
    for (std::uint64_t i = 0; i < kInFlight; ++i) propose();
    writer_.flush();
  }
  std::uint64_t turns() { return finished_.get_future().get(); }

 private:
  struct Proposed {
    Ticket ticket;
    Entry entry;
  };

  void propose() {
    TurnCommand turn;
    turn.type = "Cart";
    turn.id = "actor" + std::to_string(proposed_ % 10'000);
    turn.epoch = {1};
    turn.sequence = ++proposed_;
    StateWrite write;
    write.value = kValue;
    turn.state = {write};
    Entry entry{.now = clock_.wall(), .command = std::move(turn)};
    put_log_entry(writer_.pending(), machine_.keys(),
                  {.index = ++logged_, .term = 1, .kind = 0, .data = encode(entry)});
    writer_.must_sync();
    waiting_.push_back({.ticket = writer_.current(), .entry = std::move(entry)});
  }

  Outcome apply(const Entry& entry) {
    return machine_.apply(++index_, 1, entry, writer_.pending()).value();
  }

  void progressed(GroupWriter::Progress at) {
    std::uint64_t applied = 0;
    while (!waiting_.empty() && waiting_.front().ticket <= at.durable) {
      check(apply(waiting_.front().entry).kind == Outcome::Kind::kApplied, "a turn is accepted");
      waiting_.pop_front();
      ++applied;
    }
    if (applied > 0) put_applied(writer_.pending(), machine_.keys(), index_);
    turns_ += applied;
    if (clock_.now() < end_) {
      for (std::uint64_t i = 0; i < applied; ++i) propose();
    } else if (waiting_.empty() && !ended_) {
      ended_ = true;
      finished_.set_value(turns_);
    }
    writer_.flush();
  }

  Clock& clock_;
  ThreadDisk disk_;
  GroupWriter writer_;
  ShardMachine machine_;
  std::deque<Proposed> waiting_;
  std::uint64_t proposed_ = 0;
  std::uint64_t logged_ = 0;
  std::uint64_t index_ = 0;
  std::uint64_t turns_ = 0;
  bool ended_ = false;
  Time end_;
  std::promise<std::uint64_t> finished_;
};

double turns(Engine& engine, Clock& clock, int number) {
  Loop loop(clock, "node");
  std::optional<Shard> shard;
  std::promise<void> made;
  loop.post([&] {
    shard.emplace(engine, loop, clock, number);
    shard->start();
    made.set_value();
  });
  made.get_future().get();
  const std::uint64_t done = shard->turns();
  std::promise<void> gone;
  loop.post([&] {
    shard.reset();
    gone.set_value();
  });
  gone.get_future().get();
  return static_cast<double>(done) / std::chrono::duration<double>(kRound).count();
}

int run() {
  const TemporaryDirectory root;
  SystemClock clock;
  const auto raw_engine = open(root.path() + "/raw");
  const auto engine = open(root.path() + "/turns");
  for (int round = 1; round <= 5; ++round) {
    const double rows = raw(*raw_engine, kInFlight);
    const double durable = turns(*engine, clock, round);
    std::printf("raw %8.0f rows/s   durable turns %8.0f /s   ratio %.2f\n", rows, durable,
                durable / rows);
  }
  return 0;
}

}  // namespace
}  // namespace troupe::storage

int main() { return troupe::storage::run(); }

// Founding alone, under every trick a network and a disk can play: introductions and answers in any
// order, lost or repeated, processes that die with or without what they were just writing. Many
// short walks, each checked at every step, and then left in peace until all are members.
#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/cluster/founding.h"
#include "tests/support/sim_timeline.h"

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

class Silence final : public LogSink {
 public:
  bool wants(LogLevel /*level*/, std::string_view /*component*/) const override { return false; }
  void write(LogLevel /*level*/, std::string_view /*component*/, std::string_view /*message*/,
             std::initializer_list<LogField> /*fields*/) override {}
};

class Model {
 public:
  Model(std::uint64_t seed, std::size_t count, std::uint32_t expect) : random_(seed) {
    for (std::size_t i = 0; i < count; ++i) {
      hosts_.push_back(std::make_unique<Host>(*this, i));
      hosts_.back()->options = {.self = NodeId{.high = 1, .low = random_.next() >> 1U},
                                .address = "10.0.0." + std::to_string(i + 1) + ":7400",
                                .seeds = {},
                                .expect = expect,
                                .shard_count = 8};
    }
    for (const auto& host : hosts_) {
      for (const auto& other : hosts_) host->options.seeds.push_back(other->options.address);
      host->boot();
    }
  }

  // Anything may happen.
  void disturb() {
    Host& host = *hosts_[random_.below(hosts_.size())];
    const std::uint64_t dice = random_.below(100);
    if (dice < 25) {
      host.tick();
    } else if (dice < 35) {
      host.finish_write();
    } else if (dice < 38) {
      host.crash(random_.chance(0.5));
    } else if (!flying_.empty()) {
      const std::size_t at = random_.below(flying_.size());
      if (dice >= 42) happen(at, dice < 50);
      if (dice < 42) flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    check();
  }
  // Everything arrives.
  bool settles() {
    for (int round = 0; round < 300; ++round) {
      for (const auto& host : hosts_) {
        host->finish_write();
        host->tick();
      }
      while (!flying_.empty()) {
        happen(0, false);
        for (const auto& host : hosts_) host->finish_write();
      }
      check();
      if (std::ranges::all_of(hosts_, [](const auto& host) { return host->joined(); })) return true;
    }
    return false;
  }
  std::string problem() const { return problem_; }
  std::size_t clusters() const { return founded_.size(); }

 private:
  struct Flight {
    std::size_t to;
    std::string question;  // empty: an answer
    std::string answer;
    std::shared_ptr<Done<std::string>> done;
  };

  struct Host final : Network, Executor {
    Host(Model& its_model, std::size_t its_number) : model(its_model), number(its_number) {}

    void know(NodeId /*node*/, std::string /*address*/) override {}
    void forget(NodeId /*node*/) override {}
    bool send(NodeId /*to*/, Lane /*lane*/, std::string /*frame*/) override { return false; }
    void send_datagram(const std::string& /*address*/, std::string /*bytes*/) override {}
    void introduce(const std::string& address, std::string question,
                   Done<std::string> done) override {
      const auto to = std::ranges::find_if(
          model.hosts_, [&](const auto& each) { return each->options.address == address; });
      model.flying_.push_back({.to = static_cast<std::size_t>(to - model.hosts_.begin()),
                               .question = question.substr(1),
                               .answer = {},
                               .done = std::make_shared<Done<std::string>>(std::move(done))});
    }
    void post(Work work) override { posted.push_back(std::move(work)); }
    void post_at(Time /*when*/, Work work) override { timer = std::move(work); }

    void boot() {
      if (!durable_cluster.cluster.empty()) {
        cluster = durable_cluster;
        return;
      }
      founding = std::make_unique<Founding>(
          options, promised,
          Founding::Dependencies{
              .clock = model.clock_,
              .loop = *this,
              .network = *this,
              .random = model.random_,
              .save =
                  [this](const Proposal& proposal, Done<void> done) {
                    writing = proposal;
                    written = std::move(done);
                  },
              .finished = [this](const Founding::Outcome& outcome) { joins(outcome); },
              .log = Log(model.silence_, "founding")});
      founding->start();
      run();
    }
    void joins(const Founding::Outcome& outcome) {
      cluster = outcome.cluster;
      if (outcome.founder) model.founded(cluster);
    }
    void run() {
      while (!posted.empty()) {
        Work work = std::move(posted.front());
        posted.pop_front();
        work();
      }
    }
    void tick() {
      model.clock_.set(model.clock_.now() + 100ms);
      if (timer) std::exchange(timer, nullptr)();
      run();
    }
    void finish_write() {
      if (joined() && durable_cluster.cluster.empty()) durable_cluster = cluster;
      if (!written) return;
      promised = writing;
      std::exchange(written, nullptr)({});
      run();
    }
    void crash(bool kept) {
      if (written && kept) promised = writing;
      written = nullptr;
      founding.reset();
      posted.clear();
      timer = nullptr;
      cluster = {};
      boot();
    }
    bool joined() const { return !cluster.cluster.empty(); }
    void asked(const std::string& question, Done<std::string> respond) {
      if (!joined()) {
        founding->answer(question, std::move(respond));
      } else {
        Proposal told = cluster;
        told.founders.clear();
        respond(
            Founding::member_answer({.node = options.self, .address = options.address}, told, {}));
      }
      run();
    }

    Model& model;
    std::size_t number;
    FoundingOptions options;
    std::unique_ptr<Founding> founding;
    Proposal promised;  // on its disk
    Proposal writing;
    Done<void> written;
    Proposal cluster;
    Proposal durable_cluster;
    std::deque<Work> posted;
    Work timer;
  };

  void happen(std::size_t at, bool again) {
    Flight flight = flying_[at];
    if (!again) flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(at));
    Host& host = *hosts_[flight.to];
    if (flight.question.empty()) {
      // Only processes that live hear their answers: the others' closures know that they are gone.
      (*flight.done)(flight.answer);
      for (const auto& each : hosts_) each->run();
      return;
    }
    host.asked(flight.question,
               [this, to = flight.to, done = flight.done](const Result<std::string>& answer) {
                 if (!answer) return;
                 flying_.push_back({.to = to, .question = {}, .answer = *answer, .done = done});
               });
  }

  void founded(const Proposal& proposal) {
    founded_.insert(proposal.cluster);
    for (const auto& host : hosts_) {
      const bool wanted = std::ranges::any_of(proposal.founders, [&](const Founder& founder) {
        return founder.node == host->options.self;
      });
      if (wanted && host->promised.cluster != proposal.cluster &&
          host->cluster.cluster != proposal.cluster) {
        problem_ = "founded with somebody who has not promised";
      }
    }
  }
  void check() {
    if (founded_.size() > 1) problem_ = "two clusters with a founder in common";
  }

  Silence silence_;
  sim::SimClock clock_;
  Random random_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<Flight> flying_;
  std::set<std::string> founded_;
  std::string problem_;
};

void play(std::uint64_t seed, std::size_t count, std::uint32_t expect) {
  Model model(seed, count, expect);
  Random length(seed);
  for (std::uint64_t step = length.below(250); step > 0 && model.problem().empty(); --step) {
    model.disturb();
  }
  ASSERT_EQ(model.problem(), "") << "seed " << seed;
  ASSERT_TRUE(model.settles()) << "seed " << seed;
  ASSERT_EQ(model.problem(), "") << "seed " << seed;
  ASSERT_EQ(model.clusters(), 1U) << "seed " << seed;
}

// Any two sets of two among three, and of three among four, have a founder in common: there may be
// one cluster.
TEST(FoundingModel, TwoOfThreeFoundOneClusterInEverySchedule) {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    ASSERT_NO_FATAL_FAILURE(play(seed, 3, 2));
  }
}

TEST(FoundingModel, ThreeOfFourFoundOneClusterInEverySchedule) {
  for (std::uint64_t seed = 1; seed <= 1'500; ++seed) {
    ASSERT_NO_FATAL_FAILURE(play(seed, 4, 3));
  }
}

TEST(FoundingModel, AllThreeFoundOneClusterInEverySchedule) {
  for (std::uint64_t seed = 1; seed <= 1'500; ++seed) {
    ASSERT_NO_FATAL_FAILURE(play(seed, 3, 3));
  }
}

}  // namespace
}  // namespace troupe::cluster

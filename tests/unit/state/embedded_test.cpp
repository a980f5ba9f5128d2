#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/blocks/state/embedded_keys.h"
#include "runtime/blocks/state/fan_out.h"
#include "tests/support/manual_time.h"
#include "tests/unit/state/fake_state_calls.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
using namespace blocks::state;

class EmbeddedStoreTest : public ::testing::Test {
 protected:
  // As another node would see it.
  std::string text(const std::string& key) {
    std::string text = "no answer";
    EmbeddedStore store({.clock = clock, .timers = timers, .calls = calls}, "orders");
    store.read({{.key = key}}, clock.now() + 60s, [&](Result<std::vector<Found>> found) {
      const Found& each = found->front();
      text = !each ? each.error().message : *each ? std::string((*each)->data.view()) : "-";
    });
    return text;
  }
  std::optional<Result<void>> transact(std::vector<std::pair<std::string, std::string>> values) {
    std::vector<Change> changes;
    for (auto& [key, value] : values) {
      changes.emplace_back(Set{.key = key, .value = Payload(std::move(value))});
    }
    std::optional<Result<void>> outcome;
    EmbeddedStore store({.clock = clock, .timers = timers, .calls = calls}, "orders");
    store.transact(std::move(changes), clock.now() + 10s,
                   [&](Result<void> done) { outcome = std::move(done); });
    return outcome;
  }
  Result<void> write(const std::string& key, const std::string& value) {
    Result<void> outcome = fail(Code::kInternal, "no answer");
    std::vector<Change> changes;
    changes.emplace_back(Set{.key = key, .value = Payload(value)});
    EmbeddedStore store({.clock = clock, .timers = timers, .calls = calls}, "orders");
    store.write(std::move(changes), clock.now() + 60s,
                [&](Result<std::vector<Result<void>>> done) { outcome = done->front(); });
    while (timers.next() != Time::max()) {
      clock.advance(timers.next() - clock.now());
      while (timers.step()) {
      }
    }
    return outcome;
  }

  ManualClock clock;
  ManualExecutor timers{clock};
  FakeStateCalls calls{clock};
};

using EmbeddedStore = EmbeddedStoreTest;

TEST_F(EmbeddedStore, ATransactionCutOffAnywhereHappensAsAWholeOrNotAtAll) {
  std::size_t committed = 0;
  std::size_t not_at_all = 0;
  for (std::size_t cut = 0; cut < 16; ++cut) {
    const std::string a = "a" + std::to_string(cut);
    const std::string b = "b" + std::to_string(cut);
    ASSERT_TRUE(write(a, "old"));
    calls.sent = 0;
    calls.cut_off_after = cut;
    const std::optional<Result<void>> outcome = transact({{a, "new"}, {b, "new"}});
    calls.cut_off_after = ~std::size_t{0};
    ASSERT_TRUE(outcome) << cut;
    const std::string at_once = text(a) + " " + text(b);
    if (*outcome) EXPECT_EQ(at_once, "new new") << "acknowledged at " << cut;
    EXPECT_TRUE(at_once == "new new" || at_once == "old -") << cut << ": " << at_once;
    clock.advance(20s);
    const std::string later = text(a) + " " + text(b);
    EXPECT_EQ(later, at_once) << cut;
    (later == "new new" ? committed : not_at_all) += 1;
    ASSERT_TRUE(write(b, "next")) << "whatever was left behind, others go on";
    EXPECT_EQ(text(b), "next");
  }
  EXPECT_GT(committed, 0U);
  EXPECT_GT(not_at_all, 3U);
}

TEST_F(EmbeddedStore, AWriterWaitsForAnUndecidedTransactionUntilItHasHadItsTime) {
  ASSERT_TRUE(write("a", "old"));
  calls.sent = 0;
  calls.cut_off_after = 4;  // both keys are held, nothing is decided
  ASSERT_TRUE(transact({{"a", "new"}, {"b", "new"}}));
  calls.cut_off_after = ~std::size_t{0};
  EXPECT_EQ(text("a"), "old");
  const Time before = clock.now();
  ASSERT_TRUE(write("a", "mine"));
  EXPECT_GE(clock.now() - before, 9s);
  EXPECT_EQ(text("a") + text("b"), "mine-");
}

TEST_F(EmbeddedStore, DamagedIntentsAreRefused) {
  const std::string bytes =
      encode(Intent{.transaction = "t", .until = {}, .value = "v", .expires = {}});
  ASSERT_TRUE(decode_intent(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_intent(bytes.substr(0, size))) << size;
  }
}

TEST(FanOut, GathersWhatEndsInAnyOrderInTheOrderOfTheBeginnings) {
  std::vector<std::pair<std::size_t, Function<void(int)>>> begun;
  std::optional<std::vector<int>> all;
  FanOut<int>::run(
      10, 4,
      [&](std::size_t i, Function<void(int)> done) {
        if (i % 3 == 0) return done(static_cast<int>(i));  // at once
        begun.emplace_back(i, std::move(done));
      },
      [&](std::vector<int> results) {
        EXPECT_FALSE(all);
        all = std::move(results);
      });
  while (!begun.empty()) {
    EXPECT_LE(begun.size(), 4U);
    EXPECT_FALSE(all);
    auto [i, done] = std::move(begun.back());
    begun.pop_back();
    done(static_cast<int>(i));
  }
  ASSERT_TRUE(all);
  EXPECT_EQ(*all, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

}  // namespace
}  // namespace troupe::testing

#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/clock.h"
#include "runtime/blocks/state/component.h"

namespace troupe::testing {

namespace state = blocks::state;

/// A store with whatever it runs on.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual state::Component& store() = 0;
};

/// Why there is none: the test is skipped, saying so.
struct MissingServer {
  std::string why;
};

struct StoreMaker {
  std::string name;
  std::unique_ptr<StoreUnderTest> (*make)(MissingServer& missing);
  bool binary = true;  // values need not be JSON
};

/// What every store does, whatever it keeps values in.
class StoreKit : public ::testing::TestWithParam<StoreMaker> {
 protected:
  void SetUp() override {
    MissingServer missing;
    under_test = GetParam().make(missing);
    if (under_test == nullptr) GTEST_SKIP() << missing.why;
  }

  state::Component& store() { return under_test->store(); }
  Time deadline() const { return clock.now() + std::chrono::seconds(30); }

  std::vector<state::Found> read_all(const std::vector<std::string>& keys) {
    std::vector<state::Read> reads;
    for (const std::string& each : keys) reads.push_back({.key = each});
    auto answer = std::make_shared<std::promise<Result<std::vector<state::Found>>>>();
    store().read(std::move(reads), deadline(), [answer](Result<std::vector<state::Found>> found) {
      answer->set_value(std::move(found));
    });
    Result<std::vector<state::Found>> found = answer->get_future().get();
    EXPECT_TRUE(found) << found.error().message;
    return found ? *std::move(found) : std::vector<state::Found>();
  }
  std::optional<state::Value> read(const std::string& key) {
    std::vector<state::Found> found = read_all({key});
    if (found.size() != 1) return std::nullopt;
    EXPECT_TRUE(found.front()) << found.front().error().message;
    return found.front() ? *found.front() : std::nullopt;
  }
  /// The value as text; `-`: none.
  std::string text(const std::string& key) {
    const std::optional<state::Value> value = read(key);
    return value ? std::string(value->data.view()) : "-";
  }
  std::string etag(const std::string& key) {
    const std::optional<state::Value> value = read(key);
    return value ? value->etag : "-";
  }

  std::vector<Result<void>> write_all(std::vector<state::Change> changes) {
    auto answer = std::make_shared<std::promise<Result<std::vector<Result<void>>>>>();
    store().write(std::move(changes), deadline(),
                  [answer](Result<std::vector<Result<void>>> outcomes) {
                    answer->set_value(std::move(outcomes));
                  });
    Result<std::vector<Result<void>>> outcomes = answer->get_future().get();
    EXPECT_TRUE(outcomes) << outcomes.error().message;
    return outcomes ? *std::move(outcomes) : std::vector<Result<void>>();
  }
  Result<void> write(state::Change change) {
    std::vector<state::Change> changes;
    changes.push_back(std::move(change));
    const std::vector<Result<void>> outcomes = write_all(std::move(changes));
    if (outcomes.size() == 1) return outcomes.front();
    return fail(Code::kInternal, "no outcome");
  }
  Result<void> transact(std::vector<state::Change> changes) {
    auto answer = std::make_shared<std::promise<Result<void>>>();
    store().transact(std::move(changes), deadline(),
                     [answer](Result<void> outcome) { answer->set_value(std::move(outcome)); });
    return answer->get_future().get();
  }

  static state::Set json(const std::string& key, const std::string& value) {
    return {.key = key, .value = Payload(value), .json = true};
  }
  static state::Set json_if(const std::string& key, const std::string& value,
                            const std::string& etag) {
    state::Set set = json(key, value);
    set.etag = etag;
    return set;
  }
  static state::Set first(const std::string& key, const std::string& value) {
    state::Set set = json(key, value);
    set.concurrency = state::Concurrency::kFirstWrite;
    return set;
  }
  static state::Delete erase(const std::string& key) { return {.key = key}; }
  static state::Delete erase_if(const std::string& key, const std::string& etag) {
    return {.key = key, .etag = etag};
  }
  /// kConflict with Dapr's text.
  static bool mismatched(const Result<void>& outcome) {
    return !outcome && outcome.error().code == Code::kConflict &&
           outcome.error().message.starts_with(state::kMismatch);
  }
  /// Asks until the key is gone: a server's own clock says when.
  bool goes(const std::string& key) {
    for (int i = 0; i < 400; ++i) {
      if (text(key) == "-") return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  SystemClock clock;
  std::unique_ptr<StoreUnderTest> under_test;
};

}  // namespace troupe::testing

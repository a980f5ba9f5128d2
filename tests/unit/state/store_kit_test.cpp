// What every store has to do; see the end for which.
#include "tests/unit/state/store_kit.h"

#include "tests/unit/state/store_makers.h"

namespace troupe::testing {
namespace {

TEST_P(StoreKit, WhatIsSavedIsFoundAndWhatIsNotIsNot) {
  ASSERT_TRUE(write(json("app||a", R"(["one"])")));
  EXPECT_EQ(text("app||a"), R"(["one"])");
  EXPECT_EQ(text("app||b"), "-");
  ASSERT_TRUE(write(json("app||a", "2")));
  EXPECT_EQ(text("app||a"), "2");
  ASSERT_TRUE(write(erase("app||a")));
  EXPECT_EQ(text("app||a"), "-");
  EXPECT_TRUE(write(erase("app||a"))) << "what is gone may be erased again";
}

TEST_P(StoreKit, AnyBytesAreKeptAsTheyAre) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  ASSERT_TRUE(write(state::Set{.key = "app||bytes \" ' \\ %_ ü", .value = Payload(bytes)}));
  EXPECT_EQ(text("app||bytes \" ' \\ %_ ü"), bytes);
}

TEST_P(StoreKit, EveryWriteChangesTheEtag) {
  ASSERT_TRUE(write(json("app||a", "1")));
  const std::string before = etag("app||a");
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(etag("app||a"), before) << "a read does not";
  ASSERT_TRUE(write(json("app||a", "1")));
  EXPECT_NE(etag("app||a"), before);
}

TEST_P(StoreKit, AWriteWithAnEtagNeedsThatVersion) {
  ASSERT_TRUE(write(json("app||a", "1")));
  const std::string old = etag("app||a");
  ASSERT_TRUE(write(json_if("app||a", "2", old)));
  EXPECT_TRUE(mismatched(write(json_if("app||a", "3", old))));
  EXPECT_EQ(text("app||a"), "2");
  EXPECT_TRUE(mismatched(write(json_if("app||absent", "1", old)))) << "of nothing there is none";
  EXPECT_TRUE(mismatched(write(erase_if("app||a", old))));
  EXPECT_EQ(text("app||a"), "2");
  EXPECT_TRUE(write(erase_if("app||a", etag("app||a"))));
  EXPECT_EQ(text("app||a"), "-");
}

TEST_P(StoreKit, AnEtagThatCannotBeOneIsRefused) {
  ASSERT_TRUE(write(json("app||a", "1")));
  for (const Result<void>& outcome :
       {write(json_if("app||a", "2", "not an etag")), write(erase_if("app||a", "not an etag"))}) {
    ASSERT_FALSE(outcome);
    const Code code = outcome.error().code;
    EXPECT_TRUE(code == Code::kInvalid || code == Code::kConflict) << outcome.error().message;
  }
  EXPECT_EQ(text("app||a"), "1");
}

TEST_P(StoreKit, AFirstWriteNeedsThatThereIsNothing) {
  ASSERT_TRUE(write(first("app||a", "1")));
  EXPECT_FALSE(write(first("app||a", "2")));
  EXPECT_EQ(text("app||a"), "1");
}

TEST_P(StoreKit, ABulkIsWrittenAndReadInItsOrderEachOnItsOwn) {
  ASSERT_TRUE(write(json("app||k1", "0")));
  std::vector<state::Change> changes;
  changes.emplace_back(json("app||k0", "0"));
  changes.emplace_back(json_if("app||k1", "1", "123456"));
  changes.emplace_back(json("app||k2", "2"));
  const std::vector<Result<void>> outcomes = write_all(std::move(changes));
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_TRUE(outcomes[0]);
  EXPECT_FALSE(outcomes[1]);
  EXPECT_TRUE(outcomes[2]);
  const std::vector<state::Found> found = read_all({"app||k2", "app||none", "app||k0"});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ((*found[0])->data.view(), "2");
  EXPECT_FALSE(*found[1]);
  EXPECT_EQ((*found[2])->data.view(), "0");
}

TEST_P(StoreKit, TenThousandKeysGoInOneBulk) {
  constexpr int kKeys = 10'000;
  std::vector<state::Change> changes;
  std::vector<std::string> keys;
  for (int i = 0; i < kKeys; ++i) {
    keys.push_back("app||many" + std::to_string(i));
    changes.emplace_back(json(keys.back(), std::to_string(i)));
  }
  for (const Result<void>& each : write_all(std::move(changes))) {
    ASSERT_TRUE(each) << each.error().message;
  }
  const std::vector<state::Found> found = read_all(keys);
  ASSERT_EQ(found.size(), keys.size());
  for (int i = 0; i < kKeys; i += 501) {
    const state::Found& each = found[static_cast<std::size_t>(i)];
    ASSERT_TRUE(each && *each) << i;
    EXPECT_EQ((*each)->data.view(), std::to_string(i));
  }
}

TEST_P(StoreKit, LargeValuesAreKept) {
  std::string large(3U << 20U, 'x');
  for (std::size_t i = 0; i < large.size(); i += 97) large[i] = static_cast<char>(i);
  ASSERT_TRUE(write(state::Set{.key = "app||large", .value = Payload(large)}));
  EXPECT_EQ(text("app||large"), large);
}

TEST_P(StoreKit, ATransactionChangesAllOrNothing) {
  ASSERT_TRUE(write(json("app||a", "1")));
  ASSERT_TRUE(write(json("app||gone", "1")));
  std::vector<state::Change> good;
  good.emplace_back(json_if("app||a", "2", etag("app||a")));
  good.emplace_back(json("app||b", "2"));
  good.emplace_back(erase("app||gone"));
  const Result<void> done = transact(std::move(good));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(text("app||a") + text("app||b") + text("app||gone"), "22-");
}

TEST_P(StoreKit, TheLastChangeOfAKeyInATransactionCounts) {
  std::vector<state::Change> changes;
  changes.emplace_back(json("app||a", "1"));
  changes.emplace_back(json("app||a", "2"));
  changes.emplace_back(json("app||b", "1"));
  changes.emplace_back(erase("app||b"));
  ASSERT_TRUE(transact(std::move(changes)));
  EXPECT_EQ(text("app||a") + text("app||b"), "2-");
}

TEST_P(StoreKit, AValueWithATimeToLiveGoesAndComesBack) {
  state::Set set = json("app||a", "1");
  set.ttl_seconds = 1;
  ASSERT_TRUE(write(set));
  ASSERT_TRUE(goes("app||a"));
  EXPECT_TRUE(write(first("app||a", "2"))) << "what has expired is not there";
  EXPECT_EQ(text("app||a"), "2");
}

TEST_P(StoreKit, WritingAnewWithoutExpiryClearsIt) {
  state::Set set = json("app||a", "1");
  set.ttl_seconds = 1;
  ASSERT_TRUE(write(set));
  state::Set forever = json("app||a", "2");
  forever.ttl_seconds = -1;
  ASSERT_TRUE(write(forever));
  state::Set witness = json("app||witness", "1");
  witness.ttl_seconds = 1;
  ASSERT_TRUE(write(witness));
  ASSERT_TRUE(goes("app||witness"));
  EXPECT_EQ(text("app||a"), "2");
}

INSTANTIATE_TEST_SUITE_P(All, StoreKit, ::testing::ValuesIn(store_makers()),
                         [](const auto& info) { return info.param.name; });

/// Of stores whose transactions are undone as a whole: redis has no such thing.
class StoreKitAtomic : public StoreKit {};

TEST_P(StoreKitAtomic, ATransactionThatCannotBeIsNotAtAll) {
  ASSERT_TRUE(write(json("app||a", "1")));
  std::vector<state::Change> bad;
  bad.emplace_back(json("app||b", "3"));
  bad.emplace_back(json_if("app||a", "3", "1234567"));
  EXPECT_FALSE(transact(std::move(bad)));
  EXPECT_EQ(text("app||a") + text("app||b"), "1-");
}

INSTANTIATE_TEST_SUITE_P(All, StoreKitAtomic, ::testing::ValuesIn(atomic_store_makers()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace troupe::testing

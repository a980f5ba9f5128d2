#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sdk/examples/packages/package_index.h"
#include "sdk/examples/packages/packages.h"
#include <troupe/testing.h>

namespace {

using namespace std::chrono_literals;
using troupe::TestHost;
using Names = std::vector<std::string>;

PackageIndex read(const std::string& text) {
  std::istringstream stream(text);
  return read_package_index(stream);
}

TEST(PackageIndexTest, DropsVersionsAndArchitectures) {
  const PackageIndex index = read(
      "Package: a\nVersion: 1\nDepends: b (>= 1), c:any [amd64],\n d\nPre-Depends: e\n\n"
      "Package: b\n\nPackage: c\n\nPackage: d\n\nPackage: e\n");
  EXPECT_EQ(index.at("a"), (Names{"b", "c", "d", "e"}));
  EXPECT_EQ(index.size(), 5U);
}

TEST(PackageIndexTest, TakesTheFirstAlternativeThatExists) {
  const PackageIndex index = read("Package: a\nDepends: x | c | b\n\nPackage: b\n\nPackage: c\n");
  EXPECT_EQ(index.at("a"), (Names{"c"}));
}

TEST(PackageIndexTest, TakesTheFirstProviderOfAVirtualPackage) {
  const PackageIndex index = read(
      "Package: a\nDepends: mail\n\n"
      "Package: n\nProvides: news, mail (= 1)\n\nPackage: b\nProvides: mail\n");
  EXPECT_EQ(index.at("a"), (Names{"n"}));
}

TEST(PackageIndexTest, LeavesOutItselfRepetitionsAndWhatNobodyHas) {
  const PackageIndex index = read(
      "Package: a\nDepends: a, b, b (>= 1), x\n\nPackage: b\nDepends: c\n\n"
      "Package: a\nDepends: c\n\nPackage: c\n");
  EXPECT_EQ(index.at("a"), (Names{"b"}));
}

TEST(PackageIndexTest, KeepsTheMostNeededAndWhatTheyNeedAmongThemselves) {
  const PackageIndex index{{"a", {"b", "c"}}, {"b", {"c", "d"}}, {"c", {}}, {"d", {}}};
  EXPECT_EQ(most_needed(index, 2), (PackageIndex{{"b", {"c"}}, {"c", {}}}));
}

// A circle a-b-c that needs d, which needs e; f needs a.
const PackageIndex kCircle{{"a", {"b"}}, {"b", {"c"}}, {"c", {"a", "d"}},
                           {"d", {"e"}}, {"e", {}},    {"f", {"a"}}};

TEST(PackageIndexTest, CountsThroughOthersAndAroundCircles) {
  EXPECT_EQ(counts_of(kCircle),
            (Counts{{"a", {2, 3}}, {"b", {1, 3}}, {"c", {1, 3}}, {"d", {1, 4}}, {"e", {1, 5}}}));
  EXPECT_EQ(ranking(counts_of(kCircle)), (Names{"a", "b", "c", "d", "e"}));
}

class PackagesExample : public testing::Test {
 protected:
  void load(const PackageIndex& index) {
    for (const auto& [name, needs] : index) {
      host.actor<Package>(name).call<&Package::load>(needs).get();
    }
  }
  // By one shelf for every `shelf_size` packages.
  Counts counted(const PackageIndex& index, std::size_t shelf_size) {
    std::vector<Names> shelves(1);
    for (const auto& [name, needs] : index) {
      if (shelves.back().size() == shelf_size) shelves.emplace_back();
      shelves.back().push_back(name);
    }
    Counts sum;
    for (std::size_t i = 0; i < shelves.size(); ++i) {
      const auto shelf = host.actor<Shelf>(std::to_string(i));
      Progress progress = shelf.call<&Shelf::place>(shelves[i]).get();
      while (progress.counted < progress.of) {
        progress = shelf.call<&Shelf::count>(std::size_t{2}).get();
      }
      for (const auto& [name, count] : shelf.call<&Shelf::counts>().get()) {
        sum[name].directly += count.directly;
        sum[name].in_all += count.in_all;
      }
    }
    return sum;
  }

  TestHost host = TestHost::with<Package, Shelf, BellTower>();
};

TEST_F(PackagesExample, CountAsTheIndexSays) {
  load(kCircle);
  EXPECT_EQ(counted(kCircle, 100), counts_of(kCircle));
}

TEST_F(PackagesExample, CountAsTheIndexSaysWhateverTheGraphAndTheOrder) {
  std::uint32_t random = 1;
  for (int graph = 0; graph < 20; ++graph) {
    PackageIndex index;
    for (int i = 0; i < 40; ++i) {
      std::set<std::string> needs;
      for (int k = 0; k < 2; ++k) {
        random = random * 1664525 + 1013904223;
        const int other = static_cast<int>(random >> 16U) % 40;
        if (other != i) needs.insert("p" + std::to_string(other));
      }
      index["p" + std::to_string(i)] = {needs.begin(), needs.end()};
    }
    load(index);
    EXPECT_EQ(counted(index, 7), counts_of(index)) << "graph " << graph;
  }
}

TEST_F(PackagesExample, CountTheSameAfterACrashAmidst) {
  load(kCircle);
  const auto shelf = host.actor<Shelf>("0");
  shelf.call<&Shelf::place>({"a", "b", "c", "d", "e", "f"}).get();
  shelf.call<&Shelf::count>(std::size_t{3}).get();
  host.crash();
  EXPECT_EQ(shelf.call<&Shelf::count>(std::size_t{3}).get().counted, 6U);
  EXPECT_EQ(shelf.call<&Shelf::counts>().get(), counts_of(kCircle));
}

TEST_F(PackagesExample, CountNothingOfATurnThatFails) {
  load(kCircle);
  const auto shelf = host.actor<Shelf>("0");
  shelf.call<&Shelf::place>({"a", "f"}).get();
  host.fail_calls({"Package", "d"}, troupe::Error{troupe::Code::kUnavailable, "moving"});
  EXPECT_EQ(shelf.call<&Shelf::count>(std::size_t{2}).result().error().code,
            troupe::Code::kUnavailable);
  host.fail_calls({"Package", "d"}, std::nullopt);
  EXPECT_EQ(shelf.call<&Shelf::progress>().get().counted, 0U);
  shelf.call<&Shelf::count>(std::size_t{2}).get();
  EXPECT_EQ(shelf.call<&Shelf::counts>().get().at("e"), (Count{0, 2}));
}

TEST_F(PackagesExample, AskNobodyAgainWhatIsKnown) {
  load(kCircle);
  EXPECT_EQ(host.actor<Package>("a").call<&Package::needs>().get().calls, 4U);
  EXPECT_EQ(host.actor<Package>("a").call<&Package::needs>().get().calls, 0U);
  EXPECT_EQ(host.actor<Package>("f").call<&Package::needs>().get().calls, 1U);
}

TEST_F(PackagesExample, RingEachBellOnceAndTellTheTowerOnceAcrossACrash) {
  host.actor<Package>("a").call<&Package::plan>({3, 1000, 1000}).get();
  host.advance(1500ms);
  host.crash();
  host.advance(10s);
  const std::map<std::string, int> once{{"bell 0", 1}, {"bell 1", 1}, {"bell 2", 1}};
  EXPECT_EQ(host.actor<Package>("a").call<&Package::rung>().get(), once);
  EXPECT_EQ(host.actor<BellTower>("a").call<&BellTower::rung>().get(), once);
}

TEST_F(PackagesExample, TickWhileInMemory) {
  host.actor<Package>("a").call<&Package::plan>({0, 0, 0}).get();
  host.advance(3500ms);
  EXPECT_EQ(host.actor<Package>("a").call<&Package::ticks>().get(), 3U);
}

}  // namespace

#include "tests/faults/cluster/faulty_network.h"

#include <chrono>
#include <string>

#include "sdk/examples/counter/counter.h"

namespace troupe {

void FaultyNetwork::SetUp() {
  if (const std::string why = VirtualNetwork::impossible(); !why.empty()) GTEST_SKIP() << why;
  network_ = std::make_unique<VirtualNetwork>(nodes_, 1);
  cluster_ = std::make_unique<NodeCluster>(TROUPE_COUNTER, nodes_, network_.get());
  cluster_->start_all();
  ASSERT_TRUE(cluster_->all_ready()) << cluster_->log(0);
  load_ = std::make_unique<RecordedLoad>(*cluster_, 6, through_);
  ASSERT_TRUE(load_->goes_on());
}

void FaultyNetwork::TearDown() {
  if (load_ == nullptr) return;
  load_->stop();
  RecordProperty("acknowledged", load_->acknowledged());
  RecordProperty("silence_ms",
                 static_cast<int>(load_->longest_silence() / std::chrono::milliseconds(1)));
  EXPECT_EQ(load_->wrong(cluster_->directory()), "");
}

void FaultyNetwork::expect_recovery() {
  network_->heal();
  for (std::size_t node = 0; node < cluster_->size(); ++node) {
    EXPECT_TRUE(eventually([&] { return answers(node) || !cluster_->process(node).runs(); }))
        << node;
    ASSERT_TRUE(cluster_->process(node).runs()) << "somebody else ended node " << node;
  }
  EXPECT_TRUE(load_->goes_on());
}

bool FaultyNetwork::answers(std::size_t node) const {
  return bool{cluster_->client_of(node, std::chrono::seconds(1))
                  .actor<Counter>("shared0")
                  .call<&Counter::value>()
                  .result()};
}

}  // namespace troupe

#include "tests/unit/state/store_makers.h"

#include "runtime/base/executor.h"
#include "runtime/blocks/state/in_memory.h"
#include "tests/unit/state/fake_state_calls.h"

namespace troupe::testing {
namespace {

class InMemory final : public StoreUnderTest {
 public:
  state::Component& store() override { return store_; }

 private:
  SystemClock clock_;
  state::InMemoryStore store_{clock_};
};

class Embedded final : public StoreUnderTest {
 public:
  state::Component& store() override { return store_; }

 private:
  SystemClock clock_;
  Loop timers_{clock_, "timers"};
  FakeStateCalls calls_{clock_};
  state::EmbeddedStore store_{{.clock = clock_, .timers = timers_, .calls = calls_}, "store"};
};

template <class T>
std::unique_ptr<StoreUnderTest> make(MissingServer& /*missing*/) {
  return std::make_unique<T>();
}

}  // namespace

std::vector<StoreMaker> store_makers() { return atomic_store_makers(); }

std::vector<StoreMaker> atomic_store_makers() {
  return {{.name = "InMemory", .make = make<InMemory>},
          {.name = "Embedded", .make = make<Embedded>}};
}

}  // namespace troupe::testing

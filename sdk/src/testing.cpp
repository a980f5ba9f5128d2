#include <utility>

#include "sdk/src/test_host.h"
#include <troupe/testing.h>

namespace troupe {

TestHost::TestHost(std::vector<ActorType> types)
    : impl_(std::make_shared<Impl>(std::move(types))) {}
TestHost::TestHost(TestHost&&) noexcept = default;
TestHost& TestHost::operator=(TestHost&&) noexcept = default;
TestHost::~TestHost() = default;

Client TestHost::client() const { return Client(impl_); }
WallTime TestHost::now() const { return impl_->now(); }
void TestHost::advance(Duration duration) { impl_->advance(duration); }
void TestHost::deactivate(const ActorKey& key) { impl_->deactivate(key); }
void TestHost::crash() { impl_->crash(); }
void TestHost::fail_calls(const ActorKey& key, std::optional<Error> error) {
  impl_->fail_calls(key, std::move(error));
}
std::vector<Error> TestHost::take_failures() { return impl_->take_failures(); }
bool TestHost::active(const ActorKey& key) const { return impl_->active(key); }
std::vector<std::string> TestHost::timers(const ActorKey& key) const { return impl_->timers(key); }
std::vector<std::string> TestHost::reminders(const ActorKey& key) const {
  return impl_->reminders(key);
}
std::optional<std::string> TestHost::stored_state(const ActorKey& key) const {
  return impl_->stored_state(key);
}

}  // namespace troupe

#include "placement/membership/membership.h"

#include <utility>

#include "placement/membership/membership_core.h"

namespace troupe::placement {

Membership::Membership(Member self, MembershipConfig config, Random& random)
    : core_(std::make_unique<Core>(std::move(self), config, random)) {}
Membership::~Membership() = default;
Membership::Membership(Membership&&) noexcept = default;

void Membership::join(Time now, std::span<const Address> seeds) { core_->join(now, seeds); }
void Membership::tick(Time now) { core_->tick(now); }
Time Membership::next_tick() const { return core_->next_tick(); }
Result<void> Membership::receive(Time now, const Address& from, std::string_view message) {
  return core_->receive(now, from, message);
}
std::vector<Outgoing> Membership::take_outgoing() { return core_->take_outgoing(); }
std::vector<MemberEvent> Membership::take_events() { return core_->take_events(); }
std::shared_ptr<const View> Membership::view() const { return core_->view(); }
const Member& Membership::self() const { return core_->self(); }
void Membership::update_self(Time now, Member changed) {
  changed.generation = core_->self().generation;
  core_->update_self(now, std::move(changed));
}
void Membership::set_generation(Time now, Generation generation) {
  Member changed = core_->self();
  changed.generation = generation;
  core_->update_self(now, std::move(changed));
}
void Membership::leave(Time now) { core_->leave(now); }
std::size_t Membership::reachable_count() const { return core_->reachable_count(); }
std::vector<Address> Membership::random_peers(std::size_t count) {
  return core_->random_peers(count);
}
unsigned Membership::health_score() const { return core_->health_score(); }
bool Membership::superseded() const { return core_->superseded(); }

}  // namespace troupe::placement

#include "runtime/blocks/state/merged.h"

#include <map>
#include <string>
#include <utility>

namespace troupe::blocks::state {

std::vector<Change> merged(std::vector<Change> changes) {
  std::vector<Change> all;
  std::map<std::string, std::size_t> places;
  for (Change& each : changes) {
    const auto [place, fresh] = places.try_emplace(key_of(each), all.size());
    if (fresh) {
      all.push_back(std::move(each));
      continue;
    }
    Change& before = all[place->second];
    std::optional<std::string> etag = etag_of(before);
    const Set* set = std::get_if<Set>(&before);
    const bool creates = set != nullptr && set->creates();
    before = std::move(each);
    std::visit(
        [&](auto& now) {
          now.etag = std::move(etag);
          now.concurrency = creates ? Concurrency::kFirstWrite : Concurrency::kUnsaid;
        },
        before);
  }
  return all;
}

}  // namespace troupe::blocks::state

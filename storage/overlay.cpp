#include "storage/overlay.h"

#include <utility>

namespace troupe::storage {

std::optional<Overlay::Found> Overlay::find(std::string_view key) {
  const Layer<std::string_view>& layer = follow(key);
  if (const auto found = layer.keys.find(key); found != layer.keys.end()) return found->second;
  if (layer.erased.contains(key)) return Found{.erased = true, .value = {}};
  return std::nullopt;
}

std::unique_ptr<Cursor> Overlay::scan(std::unique_ptr<Cursor> below, std::string_view from,
                                      std::string_view to) {
  return scan_layer(follow(from), std::move(below), from, to);
}

Layer<std::string_view>& Overlay::follow(std::string_view key) {
  const char first = key.empty() ? '\0' : key.front();
  Space& space = spaces_[first];
  const auto& operations = batch_.operations();
  for (; space.followed < operations.size(); ++space.followed) {
    const Batch::Operation& operation = operations[space.followed];
    if (operation.key.empty() || operation.key.front() != first) continue;
    switch (operation.kind) {
      case Batch::Kind::kPut:
        // The key too is taken from the latest operation: the same text either way.
        space.layer.keys.insert_or_assign(operation.key,
                                          Found{.erased = false, .value = operation.value});
        break;
      case Batch::Kind::kErase:
        space.layer.keys.insert_or_assign(operation.key, Found{.erased = true, .value = {}});
        break;
      case Batch::Kind::kEraseRange:
        space.layer.erase_range(operation.key, operation.value);
        break;
    }
  }
  return space.layer;
}

}  // namespace troupe::storage

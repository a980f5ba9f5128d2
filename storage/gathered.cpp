#include "storage/gathered.h"

#include <utility>

namespace troupe::storage {

void Gathered::add(Batch& changes) {
  changes.drain([this](Batch::Operation&& operation) {
    switch (operation.kind) {
      case Batch::Kind::kPut:
        set(std::move(operation.key), false, std::move(operation.value));
        break;
      case Batch::Kind::kErase:
        set(std::move(operation.key), true, {});
        break;
      case Batch::Kind::kEraseRange:
        for (auto key = layer_.keys.lower_bound(operation.key);
             key != layer_.keys.end() && key->first < operation.value; ++key) {
          size_bytes_ -= key->first.size() + key->second.value.size();
        }
        layer_.erase_range(operation.key, operation.value);
        break;
    }
  });
}

void Gathered::set(std::string&& key, bool erased, std::string&& value) {
  const auto [slot, is_new] = layer_.keys.try_emplace(std::move(key));
  if (is_new) size_bytes_ += slot->first.size();
  size_bytes_ += value.size();
  size_bytes_ -= slot->second.value.size();
  slot->second.erased = erased;
  slot->second.value = std::move(value);
}

void Gathered::move_to(Batch& out) {
  for (const auto& [from, to] : layer_.erased.ranges()) out.erase_range(from, to);
  for (auto key = layer_.keys.begin(); key != layer_.keys.end();) {
    auto node = layer_.keys.extract(key++);
    if (node.mapped().erased) {
      out.erase(std::move(node.key()));
    } else {
      out.put(std::move(node.key()), std::move(node.mapped().value));
    }
  }
  layer_ = {};
  size_bytes_ = 0;
}

void Gathered::move_to(Batch& out, std::string_view from, std::string_view to) {
  for (const auto& [start, end] : layer_.erased.take(from, to)) out.erase_range(start, end);
  auto key = layer_.keys.lower_bound(from);
  while (key != layer_.keys.end() && key->first < to) {
    auto node = layer_.keys.extract(key++);
    size_bytes_ -= node.key().size() + node.mapped().value.size();
    if (node.mapped().erased) {
      out.erase(std::move(node.key()));
    } else {
      out.put(std::move(node.key()), std::move(node.mapped().value));
    }
  }
}

const Gathered::Found* Gathered::find(std::string_view key) const {
  if (const auto found = layer_.keys.find(key); found != layer_.keys.end()) return &found->second;
  return layer_.erased.contains(key) ? &erased_ : nullptr;
}

}  // namespace troupe::storage

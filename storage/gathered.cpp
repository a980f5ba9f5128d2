#include "storage/gathered.h"

namespace troupe::storage {
namespace {

void move(std::string_view key, const Gathered::Found& said, Batch& out) {
  if (said.erased) {
    out.erase(key);
  } else {
    out.put(key, said.value);
  }
}

}  // namespace

void Gathered::add(const Batch& changes) {
  for (const Batch::Operation& operation : changes.operations()) {
    switch (operation.kind) {
      case Batch::Kind::kPut:
        set(operation.key, false, operation.value);
        break;
      case Batch::Kind::kErase:
        set(operation.key, true, {});
        break;
      case Batch::Kind::kEraseRange:
        for (auto key = layer_.keys.lower_bound(operation.key);
             key != layer_.keys.end() && key->first < operation.value; ++key) {
          size_bytes_ -= key->first.size() + key->second.value.size();
        }
        layer_.erase_range(operation.key, operation.value);
        break;
    }
  }
}

void Gathered::set(std::string_view key, bool erased, std::string_view value) {
  auto slot = layer_.keys.lower_bound(key);
  if (slot == layer_.keys.end() || slot->first != key) {
    slot = layer_.keys.emplace_hint(slot, key, Found{});
    size_bytes_ += key.size();
  }
  size_bytes_ += value.size();
  size_bytes_ -= slot->second.value.size();
  slot->second.erased = erased;
  slot->second.value = value;
}

void Gathered::move_to(Batch& out) {
  for (const auto& [from, to] : layer_.erased.ranges()) out.erase_range(from, to);
  for (const auto& [key, said] : layer_.keys) move(key, said, out);
  layer_ = {};
  size_bytes_ = 0;
}

void Gathered::move_to(Batch& out, std::string_view from, std::string_view to) {
  for (const auto& [start, end] : layer_.erased.take(from, to)) out.erase_range(start, end);
  auto key = layer_.keys.lower_bound(from);
  while (key != layer_.keys.end() && key->first < to) {
    size_bytes_ -= key->first.size() + key->second.value.size();
    move(key->first, key->second, out);
    key = layer_.keys.erase(key);
  }
}

const Gathered::Found* Gathered::find(std::string_view key) const {
  if (const auto found = layer_.keys.find(key); found != layer_.keys.end()) return &found->second;
  return layer_.erased.contains(key) ? &erased_ : nullptr;
}

}  // namespace troupe::storage

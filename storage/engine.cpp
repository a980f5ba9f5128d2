#include "storage/engine.h"

#include <utility>

#include "runtime/base/check.h"

namespace troupe::storage {
Batch::Batch(const Batch& other) { append(other); }

Batch& Batch::operator=(const Batch& other) {
  if (this != &other) {
    clear();
    append(other);
  }
  return *this;
}

void Batch::swap(Batch& other) noexcept {
  std::swap(operations_, other.operations_);
  std::swap(size_bytes_, other.size_bytes_);
  pieces_.swap(other.pieces_);
}

void Batch::put(std::string_view key, std::string_view head, std::string_view tail) {
  add(Kind::kPut, key, head, tail);
}

void Batch::erase_range(std::string_view from, std::string_view to) {
  check(!from.empty() && to <= std::string(1, static_cast<char>(from.front() + 1)),
        "a range stays within one first byte");
  if (from < to) add(Kind::kEraseRange, from, {}, to);
}

void Batch::append(const Batch& other) {
  operations_.reserve(operations_.size() + other.operations_.size());
  for (const Operation& each : other.operations_) add(each.kind, each.key, {}, each.value);
}

void Batch::clear() {
  operations_.clear();
  size_bytes_ = 0;
  pieces_.clear();
}

void Batch::add(Kind kind, std::string_view key, std::string_view head, std::string_view tail) {
  const std::size_t value = head.size() + tail.size();
  char* const at = pieces_.room(key.size() + value);
  copy_bytes(copy_bytes(copy_bytes(at, key), head), tail);
  size_bytes_ += key.size() + value;
  operations_.push_back({.kind = kind, .key = {at, key.size()}, .value = {at + key.size(), value}});
}

}  // namespace troupe::storage

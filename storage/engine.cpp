#include "storage/engine.h"

#include <iterator>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::storage {

void Batch::put(std::string key, std::string value) {
  size_bytes_ += key.size() + value.size();
  operations_.push_back({.kind = Kind::kPut, .key = std::move(key), .value = std::move(value)});
}

void Batch::erase(std::string key) {
  size_bytes_ += key.size();
  operations_.push_back({.kind = Kind::kErase, .key = std::move(key), .value = {}});
}

void Batch::erase_range(std::string from, std::string to) {
  check(!from.empty() && to <= std::string(1, static_cast<char>(from.front() + 1)),
        "a range stays within one first byte");
  if (from >= to) return;
  size_bytes_ += from.size() + to.size();
  operations_.push_back(
      {.kind = Kind::kEraseRange, .key = std::move(from), .value = std::move(to)});
}

void Batch::append(Batch&& other) {
  size_bytes_ += std::exchange(other.size_bytes_, 0);
  operations_.insert(operations_.end(), std::move_iterator(other.operations_.begin()),
                     std::move_iterator(other.operations_.end()));
  other.operations_.clear();
}

}  // namespace troupe::storage

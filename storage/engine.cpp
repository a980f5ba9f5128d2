#include "storage/engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::storage {
namespace {

constexpr std::size_t kFirstPieceBytes = 2U << 10U;
constexpr std::size_t kPieceBytes = 64U << 10U;
// Kept for the next rows of a batch that is cleared.
constexpr std::size_t kKeptBytesMax = 1U << 20U;

char* copy(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

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
  std::swap(pieces_, other.pieces_);
  std::swap(piece_, other.piece_);
  std::swap(used_, other.used_);
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
  piece_ = 0;
  used_ = 0;
  std::size_t kept = 0;
  std::erase_if(pieces_, [&kept](const Piece& piece) {
    kept += piece.size;
    return kept > kKeptBytesMax;
  });
}

void Batch::add(Kind kind, std::string_view key, std::string_view head, std::string_view tail) {
  const std::size_t value = head.size() + tail.size();
  char* const at = room(key.size() + value);
  copy(copy(copy(at, key), head), tail);
  size_bytes_ += key.size() + value;
  operations_.push_back({.kind = kind, .key = {at, key.size()}, .value = {at + key.size(), value}});
}

char* Batch::room(std::size_t bytes) {
  while (piece_ < pieces_.size() && pieces_[piece_].size - used_ < bytes) {
    ++piece_;
    used_ = 0;
  }
  if (piece_ == pieces_.size()) {
    const std::size_t size = std::max(bytes, pieces_.empty() ? kFirstPieceBytes : kPieceBytes);
    pieces_.push_back({.bytes = std::make_unique_for_overwrite<char[]>(size), .size = size});
  }
  return pieces_[piece_].bytes.get() + std::exchange(used_, used_ + bytes);
}

}  // namespace troupe::storage

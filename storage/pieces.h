#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::storage {

/// A few large pieces of memory, handed out in small parts that all go at once.
class Pieces {
 public:
  /// Stays where it is until clear(), also when this is moved.
  char* room(std::size_t bytes) {
    while (piece_ < pieces_.size() && pieces_[piece_].size - used_ < bytes) {
      ++piece_;
      used_ = 0;
    }
    if (piece_ == pieces_.size()) {
      const std::size_t size = std::max(bytes, pieces_.empty() ? kFirstBytes : kBytes);
      pieces_.push_back({.bytes = std::make_unique_for_overwrite<char[]>(size), .size = size});
    }
    return pieces_[piece_].bytes.get() + std::exchange(used_, used_ + bytes);
  }

  /// All that was handed out goes; some of the memory is kept for what comes next.
  void clear() {
    piece_ = 0;
    used_ = 0;
    std::size_t kept = 0;
    std::erase_if(pieces_, [&kept](const Piece& piece) {
      kept += piece.size;
      return kept > kKeptBytesMax;
    });
  }

  void swap(Pieces& other) noexcept {
    std::swap(pieces_, other.pieces_);
    std::swap(piece_, other.piece_);
    std::swap(used_, other.used_);
  }

 private:
  struct Piece {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  static constexpr std::size_t kFirstBytes = 2U << 10U;
  static constexpr std::size_t kBytes = 64U << 10U;
  static constexpr std::size_t kKeptBytesMax = 1U << 20U;

  std::vector<Piece> pieces_;
  std::size_t piece_ = 0;  // the one being filled
  std::size_t used_ = 0;   // bytes of it
};

/// Copies `bytes` to `to`, and returns where they end.
inline char* copy_bytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace troupe::storage

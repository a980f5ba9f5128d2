#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/base/check.h"

namespace troupe {

/// Names an entry of a wheel from its insertion until it is taken or cancelled; then it may name
/// another.
using WheelHandle = std::uint32_t;

/// A moment counted in ticks (for us, milliseconds) from an origin that the user of a wheel
/// chooses.
using WheelTick = std::uint64_t;

/// Holds values until their time comes: insert, cancel and take in constant time, whatever their
/// number, in 16 bytes an entry beside the value.
///
/// A hierarchical timing wheel. Level 0 has a slot for each of the next 64 ticks, level 1 for each
/// 64 of them, and so on; an entry stands at the level of the highest 6 bits in which its time
/// differs from `position_`, so it moves down, level by level, as its time comes nearer, at most
/// seven times. Bitmaps find the next slot that is not empty, so empty time costs nothing.
///
///     position 1000, due 1003: level 0, slot 1003 & 63     due 9000: level 2, slot (9000 >> 12) &
///     63
///
/// Entries are taken in the order of their times; those of one tick mostly in the order of
/// insertion. Memory is kept for later entries until the wheel is empty. Not thread-safe.
template <class Value>
class TimerWheel {
 public:
  /// Later times are held to this: 8,900 years of milliseconds.
  static constexpr WheelTick kLast = (WheelTick{1} << 48) - 1;
  /// When time goes back by this or less, the wheel waits for it to catch up instead of sorting
  /// all entries anew.
  static constexpr WheelTick kPatience = 1000;

  struct Taken {
    WheelHandle handle;
    WheelTick due;
    Value value;
  };

  WheelHandle insert(WheelTick due, Value value);

  /// Requires an entry of that name.
  void cancel(WheelHandle handle);
  const Value& value(WheelHandle handle) const { return node(handle).value; }
  WheelTick due(WheelHandle handle) const { return node(handle).due; }

  /// The earliest entry that is due at `now`, if there is one; it stays in the wheel.
  std::optional<WheelHandle> first(WheelTick now);

  /// And removes it.
  std::optional<Taken> take(WheelTick now);

  /// The earliest time at which take() may have something; not later than the first entry's time,
  /// and equal to it once that is less than 64 ticks ahead. (Unless time has just gone back.)
  std::optional<WheelTick> next_wake() const;

  std::size_t size() const { return size_; }
  /// Memory held.
  std::size_t bytes() const { return sizeof(*this) + chunks_.size() * sizeof(Chunk); }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::uint32_t kBits = 6;
  static constexpr std::uint32_t kSlots = 1 << kBits;
  static constexpr std::uint32_t kLevels = 8;
  static constexpr std::uint32_t kReady = kLevels * kSlots;  // the list of what is due

  struct Node {
    std::uint64_t due : 48;
    std::uint64_t list : 16;
    std::uint32_t previous;
    std::uint32_t next;
    Value value;
  };
  struct List {
    std::uint32_t head = kNone;
    std::uint32_t tail = kNone;
  };
  static constexpr std::size_t kChunk = 256;
  using Chunk = std::array<Node, kChunk>;

  Node& node(WheelHandle handle) { return (*chunks_[handle / kChunk])[handle % kChunk]; }
  const Node& node(WheelHandle handle) const {
    return (*chunks_[handle / kChunk])[handle % kChunk];
  }
  WheelHandle allocate();
  void release(WheelHandle handle);
  void link(WheelHandle handle);
  void unlink(WheelHandle handle);
  std::uint32_t list_for(WheelTick due) const;
  bool step(WheelTick now);
  void spread(std::uint32_t list);
  void rewind(WheelTick now);

  WheelTick position_ = 0;  // no entry outside kReady is due before it
  std::size_t size_ = 0;
  std::uint32_t free_ = kNone;
  std::uint32_t used_ = 0;  // nodes ever handed out
  std::array<List, kReady + 1> lists_{};
  std::array<std::uint64_t, kLevels> occupied_{};  // bit n: slot n is not empty
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

template <class Value>
WheelHandle TimerWheel<Value>::insert(WheelTick due, Value value) {
  const WheelHandle handle = allocate();
  Node& added = node(handle);
  added.due = std::min(due, kLast) & kLast;
  added.value = std::move(value);
  link(handle);
  ++size_;
  return handle;
}

template <class Value>
void TimerWheel<Value>::cancel(WheelHandle handle) {
  check(handle < used_ && node(handle).list <= kReady, "cancelled entries are in the wheel");
  unlink(handle);
  release(handle);
}

template <class Value>
std::optional<WheelHandle> TimerWheel<Value>::first(WheelTick now) {
  if (now + kPatience < position_) rewind(now);
  if (now < position_) return std::nullopt;
  while (lists_[kReady].head == kNone) {
    if (!step(now)) return std::nullopt;
  }
  return lists_[kReady].head;
}

template <class Value>
std::optional<typename TimerWheel<Value>::Taken> TimerWheel<Value>::take(WheelTick now) {
  const auto handle = first(now);
  if (!handle) return std::nullopt;
  Taken taken{.handle = *handle, .due = node(*handle).due, .value = std::move(node(*handle).value)};
  unlink(*handle);
  release(*handle);
  return taken;
}

template <class Value>
std::optional<WheelTick> TimerWheel<Value>::next_wake() const {
  if (size_ == 0) return std::nullopt;
  if (lists_[kReady].head != kNone) return position_;
  for (std::uint32_t level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto slot = static_cast<WheelTick>(std::countr_zero(occupied_[level]));
    const std::uint32_t shift = level * kBits;
    return (((position_ >> shift >> kBits) << kBits) | slot) << shift;
  }
  check(false, "a wheel with entries has a slot with entries");
  return std::nullopt;
}

// Moves to the next slot with entries, if it begins by `now`. The lowest level that has any holds
// the earliest, and all its slots lie ahead of the position.
template <class Value>
bool TimerWheel<Value>::step(WheelTick now) {
  const std::optional<WheelTick> start = next_wake();
  if (!start || *start > now) return false;
  std::uint32_t level = 0;
  while (occupied_[level] == 0) ++level;
  const auto slot = static_cast<std::uint32_t>(std::countr_zero(occupied_[level]));
  position_ = *start;
  spread(level * kSlots + slot);
  return true;
}

template <class Value>
void TimerWheel<Value>::spread(std::uint32_t list) {
  WheelHandle next = lists_[list].head;
  lists_[list] = {};
  occupied_[list / kSlots] &= ~(std::uint64_t{1} << (list % kSlots));
  while (next != kNone) {
    const WheelHandle moved = next;
    next = node(moved).next;
    link(moved);
  }
}

// Time went back: entries between then and now wait again.
template <class Value>
void TimerWheel<Value>::rewind(WheelTick now) {
  position_ = now;
  lists_.fill({});
  occupied_.fill(0);
  for (WheelHandle handle = 0; handle < used_; ++handle) {
    if (node(handle).list <= kReady) link(handle);
  }
}

template <class Value>
std::uint32_t TimerWheel<Value>::list_for(WheelTick due) const {
  if (due <= position_) return kReady;
  const auto level = static_cast<std::uint32_t>(std::bit_width(due ^ position_) - 1) / kBits;
  return level * kSlots + static_cast<std::uint32_t>((due >> (level * kBits)) % kSlots);
}

template <class Value>
void TimerWheel<Value>::link(WheelHandle handle) {
  Node& added = node(handle);
  const std::uint32_t number = list_for(added.due);
  List& list = lists_[number];
  added.list = static_cast<std::uint16_t>(number);
  added.previous = list.tail;
  added.next = kNone;
  (list.tail == kNone ? list.head : node(list.tail).next) = handle;
  list.tail = handle;
  if (number < kReady) occupied_[number / kSlots] |= std::uint64_t{1} << (number % kSlots);
}

template <class Value>
void TimerWheel<Value>::unlink(WheelHandle handle) {
  const Node& gone = node(handle);
  List& list = lists_[gone.list];
  (gone.previous == kNone ? list.head : node(gone.previous).next) = gone.next;
  (gone.next == kNone ? list.tail : node(gone.next).previous) = gone.previous;
  if (list.head == kNone && gone.list < kReady) {
    occupied_[gone.list / kSlots] &= ~(std::uint64_t{1} << (gone.list % kSlots));
  }
}

template <class Value>
WheelHandle TimerWheel<Value>::allocate() {
  if (free_ != kNone) {
    const WheelHandle handle = free_;
    free_ = node(handle).next;
    return handle;
  }
  check(used_ < kNone, "a wheel holds less than 2^32 entries");
  if (used_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Chunk>());
  return used_++;
}

template <class Value>
void TimerWheel<Value>::release(WheelHandle handle) {
  Node& gone = node(handle);
  gone.list = kReady + 1;  // in no list
  gone.value = Value{};
  gone.next = free_;
  free_ = handle;
  if (--size_ > 0) return;
  chunks_.clear();
  free_ = kNone;
  used_ = 0;
}

}  // namespace troupe

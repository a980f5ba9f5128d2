#include "storage/gathered.h"

#include <functional>
#include <utility>

namespace troupe::storage {
namespace {

constexpr std::size_t kTableMin = 64;        // a power of two, as all its sizes
constexpr std::size_t kTableKept = 1 << 16;  // a larger one goes when it is empty
constexpr std::size_t kBeginning = 14;       // space, shard, replica, kind

void move(std::string_view key, bool erased, std::string_view value, Batch& out) {
  if (erased) {
    out.erase(key);
  } else {
    out.put(key, value);
  }
}

}  // namespace

std::string_view Gathered::beginning(std::string_view key) { return key.substr(0, kBeginning); }

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
        take(operation.key, operation.value, [](const Row&) {});
        erased_.erase_range(operation.key, operation.value);
        break;
    }
  }
}

// Where the table has the key, or has room for it. Requires a table that is not full.
std::size_t Gathered::slot_of(std::string_view key) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = std::hash<std::string_view>()(key) & mask;
  while (table_[slot] != 0 && rows_[table_[slot] - 1].key != key) slot = (slot + 1) & mask;
  return slot;
}

Gathered::Row* Gathered::known(std::string_view key) {
  if (table_.empty()) return nullptr;
  const std::uint32_t place = table_[slot_of(key)];
  return place == 0 || rows_[place - 1].gone ? nullptr : &rows_[place - 1];
}

void Gathered::set(std::string_view key, bool erased, std::string_view value) {
  if (2 * (rows_.size() + 1) > table_.size()) grow_table();
  const std::size_t slot = slot_of(key);
  if (table_[slot] != 0 && !rows_[table_[slot] - 1].gone) {
    return replace(rows_[table_[slot] - 1], erased, value);
  }
  char* const at = pieces_.room(key.size() + value.size());
  copy_bytes(copy_bytes(at, key), value);
  size_bytes_ += key.size() + value.size();
  rows_.push_back({.key = {at, key.size()},
                   .value = {at + key.size(), value.size()},
                   .room = value.size(),
                   .erased = erased});
  table_[slot] = static_cast<std::uint32_t>(rows_.size());
}

void Gathered::replace(Row& row, bool erased, std::string_view value) {
  // The row's own memory, handed out by pieces_.
  char* at = const_cast<char*>(row.value.data());
  if (value.size() > row.room) {
    // More than it takes: a value that grows again and again is not moved each time.
    row.room = value.size() + value.size() / 2;
    at = pieces_.room(row.room);
    size_bytes_ += row.room;
  }
  copy_bytes(at, value);
  row.value = {at, value.size()};
  row.erased = erased;
  if (row.ordered) parts_.find(beginning(row.key))->second.layer.keys[row.key] = said(row);
}

void Gathered::grow_table() {
  table_.assign(std::max(kTableMin, 2 * table_.size()), 0);
  for (std::size_t place = 0; place < rows_.size(); ++place) {
    // Of one key's rows, the last.
    table_[slot_of(rows_[place].key)] = static_cast<std::uint32_t>(place + 1);
  }
}

void Gathered::move_to(Batch& out) {
  for (const auto& [from, to] : erased_.erased.ranges()) out.erase_range(from, to);
  for (const Row& row : rows_) {
    if (!row.gone) move(row.key, row.erased, row.value, out);
  }
  rows_.clear();
  table_.assign(std::min(table_.size(), kTableKept), 0);
  pieces_.clear();
  size_bytes_ = 0;
  erased_ = {};
  parts_.clear();
  shared_out_ = 0;
}

void Gathered::move_to(Batch& out, std::string_view from, std::string_view to) {
  for (const auto& [start, end] : erased_.erased.take(from, to)) out.erase_range(start, end);
  take(from, to, [&out](const Row& row) { move(row.key, row.erased, row.value, out); });
}

// Uses each row of the range, which then is gone.
template <class Use>
void Gathered::take(std::string_view from, std::string_view to, Use use) {
  share_out();
  for (auto part = first_part(from); part != parts_.end() && part->first < to; ++part) {
    std::erase_if(part->second.unordered, [&](std::size_t place) {
      Row& row = rows_[place];
      if (row.key < from || row.key >= to) return false;
      use(row);
      row.gone = true;
      return true;
    });
    auto& keys = part->second.layer.keys;
    for (auto key = keys.lower_bound(from); key != keys.end() && key->first < to;) {
      Row& row = *known(key->first);
      use(row);
      row.gone = true;
      key = keys.erase(key);
    }
  }
}

std::optional<Gathered::Found> Gathered::find(std::string_view key) const {
  if (!table_.empty()) {
    const std::uint32_t place = table_[slot_of(key)];
    if (place != 0 && !rows_[place - 1].gone) return said(rows_[place - 1]);
  }
  if (erased_.erased.contains(key)) return Found{.erased = true, .value = {}};
  return std::nullopt;
}

std::unique_ptr<Cursor> Gathered::scan(std::unique_ptr<Cursor> below, std::string_view from,
                                       std::string_view to) const {
  std::unique_ptr<Cursor> cursor = scan_layer(erased_, std::move(below), from, to);
  share_out();
  for (auto part = first_part(from); part != parts_.end() && part->first < to; ++part) {
    order(part->second);
    cursor = scan_layer(part->second.layer, std::move(cursor), from, to);
  }
  return cursor;
}

void Gathered::share_out() const {
  for (; shared_out_ < rows_.size(); ++shared_out_) {
    const Row& row = rows_[shared_out_];
    if (row.gone) continue;
    const std::string_view of = beginning(row.key);
    auto part = parts_.lower_bound(of);
    if (part == parts_.end() || part->first != of) part = parts_.emplace_hint(part, of, Part{});
    part->second.unordered.push_back(shared_out_);
  }
}

void Gathered::order(Part& part) const {
  for (const std::size_t place : part.unordered) {
    Row& row = rows_[place];
    part.layer.keys.emplace(row.key, said(row));
    row.ordered = true;
  }
  part.unordered.clear();
}

// The first that may hold keys from `from` on.
Gathered::Parts::iterator Gathered::first_part(std::string_view from) const {
  return parts_.lower_bound(beginning(from));
}

}  // namespace troupe::storage

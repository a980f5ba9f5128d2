#include "storage/overlay.h"

#include <utility>

namespace troupe::storage {

std::optional<Overlay::Found> Overlay::find(std::string_view key) {
  follow();
  if (const auto found = keys_.find(key); found != keys_.end()) return found->second;
  if (in_erased_range(key)) return Found{.erased = true, .value = {}};
  return std::nullopt;
}

/// Steps through both in the order of keys; where both have a key, the batch wins.
class Overlay::Merged final : public Cursor {
 public:
  Merged(const Overlay& overlay, std::unique_ptr<Cursor> below, std::string_view from,
         std::string_view to)
      : overlay_(overlay),
        below_(std::move(below)),
        above_(overlay.keys_.lower_bound(from)),
        end_(overlay.keys_.lower_bound(to)) {
    settle();
  }

  bool valid() const override { return at_ != At::kEnd; }
  std::string_view key() const override {
    return at_ == At::kAbove ? above_->first : below_->key();
  }
  std::string_view value() const override {
    return at_ == At::kAbove ? above_->second.value : below_->value();
  }
  void next() override {
    if (at_ == At::kAbove) {
      ++above_;
    } else {
      below_->next();
    }
    settle();
  }
  Result<void> status() const override { return below_->status(); }

 private:
  enum class At : std::uint8_t { kAbove, kBelow, kEnd };

  void settle() {
    for (;;) {
      if (above_ != end_ && (!below_->valid() || above_->first <= below_->key())) {
        if (below_->valid() && above_->first == below_->key()) below_->next();
        at_ = At::kAbove;
        if (!above_->second.erased) return;
        ++above_;
      } else if (below_->valid()) {
        at_ = At::kBelow;
        if (!overlay_.in_erased_range(below_->key())) return;
        below_->next();
      } else {
        at_ = At::kEnd;
        return;
      }
    }
  }

  const Overlay& overlay_;
  std::unique_ptr<Cursor> below_;
  std::map<std::string_view, Found>::const_iterator above_;
  std::map<std::string_view, Found>::const_iterator end_;
  At at_ = At::kEnd;
};

std::unique_ptr<Cursor> Overlay::scan(std::unique_ptr<Cursor> below, std::string_view from,
                                      std::string_view to) {
  follow();
  if (from >= to || (keys_.empty() && erased_.empty())) return below;
  return std::make_unique<Merged>(*this, std::move(below), from, to);
}

void Overlay::follow() {
  const auto& operations = batch_.operations();
  for (; followed_ < operations.size(); ++followed_) {
    const Batch::Operation& operation = operations[followed_];
    switch (operation.kind) {
      case Batch::Kind::kPut:
        // The key too is taken from the latest operation: the same text either way.
        keys_.insert_or_assign(operation.key, Found{.erased = false, .value = operation.value});
        break;
      case Batch::Kind::kErase:
        keys_.insert_or_assign(operation.key, Found{.erased = true, .value = {}});
        break;
      case Batch::Kind::kEraseRange:
        erase_range(operation.key, operation.value);
        break;
    }
  }
}

void Overlay::erase_range(std::string_view from, std::string_view to) {
  keys_.erase(keys_.lower_bound(from), keys_.lower_bound(to));
  // Joins those it touches into one.
  std::string start(from);
  std::string end(to);
  auto range = erased_.upper_bound(start);
  if (range != erased_.begin() && std::prev(range)->second >= start) --range;
  while (range != erased_.end() && range->first <= end) {
    start = std::min(start, range->first);
    end = std::max(end, range->second);
    range = erased_.erase(range);
  }
  erased_.emplace(std::move(start), std::move(end));
}

bool Overlay::in_erased_range(std::string_view key) const {
  if (erased_.empty()) return false;
  const auto after = erased_.upper_bound(std::string(key));
  return after != erased_.begin() && key < std::prev(after)->second;
}

}  // namespace troupe::storage

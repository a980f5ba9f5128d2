#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/engine.h"

namespace troupe::storage {

/// Ranges of erased keys, apart from one another.
class ErasedRanges {
 public:
  bool empty() const { return ranges_.empty(); }
  void add(std::string_view from, std::string_view to);
  bool contains(std::string_view key) const;

  using Ranges = std::map<std::string, std::string, std::less<>>;  // from, to
  const Ranges& ranges() const { return ranges_; }
  /// Those that begin at `from` or after, and before `to`.
  Ranges take(std::string_view from, std::string_view to);

 private:
  Ranges ranges_;
};

/// What a layer says of a key.
template <class Text>
struct Layered {
  bool erased = false;
  Text value{};
};

/// Changes laid over what can be read below them, the last one of each key: ranges that are erased,
/// and over them keys that are put or erased.
template <class Text>
struct Layer {
  using Keys = std::map<Text, Layered<Text>, std::less<>>;
  Keys keys;
  ErasedRanges erased;

  bool empty() const { return keys.empty() && erased.empty(); }
  void erase_range(std::string_view from, std::string_view to) {
    keys.erase(keys.lower_bound(from), keys.lower_bound(to));
    erased.add(from, to);
  }
};

/// Steps through a layer and what is below it in the order of keys; where both have a key, the
/// layer wins.
template <class Text>
class LayerCursor final : public Cursor {
 public:
  LayerCursor(const Layer<Text>& layer, std::unique_ptr<Cursor> below, std::string_view from,
              std::string_view to)
      : layer_(layer),
        below_(std::move(below)),
        above_(layer.keys.lower_bound(from)),
        end_(layer.keys.lower_bound(to)) {
    settle();
  }

  bool valid() const override { return at_ != At::kEnd; }
  std::string_view key() const override {
    return at_ == At::kAbove ? std::string_view(above_->first) : below_->key();
  }
  std::string_view value() const override {
    return at_ == At::kAbove ? std::string_view(above_->second.value) : below_->value();
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
        if (!layer_.erased.contains(below_->key())) return;
        below_->next();
      } else {
        at_ = At::kEnd;
        return;
      }
    }
  }

  const Layer<Text>& layer_;
  std::unique_ptr<Cursor> below_;
  typename Layer<Text>::Keys::const_iterator above_;
  typename Layer<Text>::Keys::const_iterator end_;
  At at_ = At::kEnd;
};

/// What `below`, a cursor over the same range, becomes under the layer, which must not change while
/// the cursor lives.
template <class Text>
std::unique_ptr<Cursor> scan_layer(const Layer<Text>& layer, std::unique_ptr<Cursor> below,
                                   std::string_view from, std::string_view to) {
  if (from >= to || layer.empty()) return below;
  return std::make_unique<LayerCursor<Text>>(layer, std::move(below), from, to);
}

}  // namespace troupe::storage

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/engine.h"
#include "storage/layer.h"

namespace troupe::storage {

/// Changes that may be written later than the batches they came in, of each key only the last one:
/// what is changed ten times before it is written is written once.
///
/// For what can be worked out again from what is durable already: the rows of a state machine whose
/// log is. For one thread.
class Gathered {
 public:
  using Found = Layered<std::string>;

  void add(const Batch& changes);
  bool empty() const { return layer_.empty(); }
  /// Keys and values together.
  std::size_t size_bytes() const { return size_bytes_; }

  /// Moves everything to the end of `out`.
  void move_to(Batch& out);
  /// Only the keys from `from` up to, not including, `to`. Ranges erased by an added batch lie
  /// wholly within or without.
  void move_to(Batch& out, std::string_view from, std::string_view to);

  /// What is said of `key`; null if nothing. Lives until the next change.
  const Found* find(std::string_view key) const;
  /// As Overlay::scan.
  std::unique_ptr<Cursor> scan(std::unique_ptr<Cursor> below, std::string_view from,
                               std::string_view to) const {
    return scan_layer(layer_, std::move(below), from, to);
  }

 private:
  void set(std::string_view key, bool erased, std::string_view value);

  Layer<std::string> layer_;
  std::size_t size_bytes_ = 0;
  Found erased_{.erased = true, .value = {}};
};

}  // namespace troupe::storage

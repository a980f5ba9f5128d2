#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/engine.h"

namespace troupe::storage {

/// A batch that is not written yet, laid over what can be read below it.
///
/// Follows the batch as it grows. The batch outlives the overlay, and is only added to. For one
/// thread.
class Overlay final {
 public:
  explicit Overlay(const Batch& batch) : batch_(batch) {}

  /// What the batch says of `key`: nothing if it leaves the key alone; else whether it is put or
  /// erased. The view lives as long as the batch.
  struct Found {
    bool erased = false;
    std::string_view value;
  };
  std::optional<Found> find(std::string_view key);

  /// What `below`, a cursor over the same range, becomes under the batch. The cursor must be gone
  /// before the batch changes.
  std::unique_ptr<Cursor> scan(std::unique_ptr<Cursor> below, std::string_view from,
                               std::string_view to);

 private:
  class Merged;

  void follow();
  void erase_range(std::string_view from, std::string_view to);
  bool in_erased_range(std::string_view key) const;

  const Batch& batch_;
  std::size_t followed_ = 0;  // operations of the batch that are in the maps
  std::map<std::string_view, Found> keys_;
  // Erased ranges, apart from one another; keys put afterwards are in keys_.
  std::map<std::string, std::string> erased_;
};

}  // namespace troupe::storage

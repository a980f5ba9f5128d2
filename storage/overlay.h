#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/engine.h"
#include "storage/layer.h"

namespace troupe::storage {

/// A batch that is not written yet, laid over what can be read below it.
///
/// Follows the batch as it grows, each key space when it is first asked for: log entries, of which
/// most batches consist, are not read while they wait. The batch outlives the overlay, and is only
/// added to. For one thread.
class Overlay final {
 public:
  explicit Overlay(const Batch& batch) : batch_(batch) {}

  using Found = Layered<std::string_view>;

  /// What the batch says of `key`: nothing if it leaves the key alone; else whether it is put or
  /// erased. The view lives as long as the batch.
  std::optional<Found> find(std::string_view key);

  /// What `below`, a cursor over the same range, becomes under the batch. The cursor must be gone
  /// before the batch changes.
  std::unique_ptr<Cursor> scan(std::unique_ptr<Cursor> below, std::string_view from,
                               std::string_view to);

 private:
  // What the batch says of the keys with one first byte.
  struct Space {
    std::size_t followed = 0;  // operations of the batch that are in the layer
    Layer<std::string_view> layer;
  };

  Layer<std::string_view>& follow(std::string_view key);

  const Batch& batch_;
  std::map<char, Space> spaces_;
};

}  // namespace troupe::storage

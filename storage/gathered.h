#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine.h"
#include "storage/layer.h"
#include "storage/pieces.h"

namespace troupe::storage {

/// Changes that may be written later than the batches they came in, of each key only the last one:
/// what is changed ten times before it is written is written once.
///
/// For what can be worked out again from what is durable already: the rows of a state machine whose
/// log is. Rows are found by their hash; they are put in order only where somebody scans, since
/// most are written before anybody does. For one thread.
class Gathered {
 public:
  using Found = Layered<std::string_view>;

  void add(const Batch& changes);
  bool empty() const { return rows_.empty() && erased_.empty(); }
  /// What keys and values take, until everything is moved.
  std::size_t size_bytes() const { return size_bytes_; }

  /// Moves everything to the end of `out`.
  void move_to(Batch& out);
  /// Only the keys from `from` up to, not including, `to`. Ranges erased by an added batch lie
  /// wholly within or without.
  void move_to(Batch& out, std::string_view from, std::string_view to);

  /// What is said of `key`, if anything. Lives until the next change.
  std::optional<Found> find(std::string_view key) const;
  /// As Overlay::scan.
  std::unique_ptr<Cursor> scan(std::unique_ptr<Cursor> below, std::string_view from,
                               std::string_view to) const;

 private:
  struct Row {
    std::string_view key;
    std::string_view value;
    std::size_t room = 0;  // for a value, in place
    bool erased = false;
    bool gone = false;     // moved, or erased with its range: nothing is said of the key
    bool ordered = false;  // in its part's layer
  };
  // The rows whose keys begin alike: of one kind, of one replica.
  struct Part {
    std::vector<std::size_t> unordered;  // places in rows_
    Layer<std::string_view> layer;
  };
  using Parts = std::map<std::string, Part, std::less<>>;

  static std::string_view beginning(std::string_view key);
  static Found said(const Row& row) { return {.erased = row.erased, .value = row.value}; }

  std::size_t slot_of(std::string_view key) const;
  Row* known(std::string_view key);
  void set(std::string_view key, bool erased, std::string_view value);
  void replace(Row& row, bool erased, std::string_view value);
  void grow_table();
  void share_out() const;
  void order(Part& part) const;
  Parts::iterator first_part(std::string_view from) const;
  template <class Use>
  void take(std::string_view from, std::string_view to, Use use);

  mutable std::vector<Row> rows_;     // in the order in which keys came
  std::vector<std::uint32_t> table_;  // by hash: one more than the place in rows_, or 0
  Pieces pieces_;
  std::size_t size_bytes_ = 0;
  Layer<std::string_view> erased_;  // ranges, older than all rows
  mutable Parts parts_;
  mutable std::size_t shared_out_ = 0;  // so many of the rows are in the parts
};

}  // namespace troupe::storage

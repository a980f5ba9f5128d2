#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/result.h>

namespace troupe::storage {

/// Changes that take effect together, in the order given.
class Batch {
 public:
  enum class Kind : std::uint8_t { kPut, kErase, kEraseRange };
  struct Operation {
    Kind kind;
    std::string key;
    std::string value;  // of kEraseRange: the end, which stays
  };

  void put(std::string key, std::string value);
  void erase(std::string key);
  /// Everything from `from` up to, not including, `to`: keys of the same first byte.
  void erase_range(std::string from, std::string to);
  void append(Batch&& other);
  /// Gives each operation, in their order, to `take`, a callable of void(Operation&&); leaves an
  /// empty batch.
  template <class Take>
  void drain(Take&& take) {
    for (Operation& operation : operations_) take(std::move(operation));
    clear();
  }
  void clear() {
    operations_.clear();
    size_bytes_ = 0;
  }

  bool empty() const { return operations_.empty(); }
  /// Stay where they are in memory until the batch goes, also when more are added or it is moved.
  const std::deque<Operation>& operations() const { return operations_; }
  /// Keys and values together.
  std::size_t size_bytes() const { return size_bytes_; }

 private:
  std::deque<Operation> operations_;
  std::size_t size_bytes_ = 0;
};

/// Steps through keys in ascending order. Views live until the next step.
class Cursor {
 public:
  virtual ~Cursor() = default;

  virtual bool valid() const = 0;
  /// Require valid().
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual void next() = 0;
  /// Why the cursor ended early (kDataLoss), or success. Ask once it is no longer valid.
  virtual Result<void> status() const = 0;
};

/// Something that keys and values can be read from.
class Reads {
 public:
  virtual ~Reads() = default;

  /// Nothing if there is no such key.
  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  /// From `from` up to, not including, `to`: keys of the same first byte.
  virtual std::unique_ptr<Cursor> scan(std::string_view from, std::string_view to) const = 0;
};

/// The keys and values at one moment. Later writes are not seen. Outlived by its engine.
class View : public Reads {};

/// Ordered keys with values, in one place that survives the process if its files do.
///
/// One thread writes (storage/writer.h); any number read. Every error is final for the engine:
/// what a failed write left behind is unknown until the engine is opened again.
class Engine {
 public:
  virtual ~Engine() = default;

  /// All of `batch` or nothing. With `sync` it is on the disk when this returns. Blocks.
  virtual Result<void> write(const Batch& batch, bool sync) = 0;
  virtual std::unique_ptr<View> view() const = 0;
};

}  // namespace troupe::storage

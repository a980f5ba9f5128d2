#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/pieces.h"
#include <troupe/result.h>

namespace troupe::storage {

/// Changes that take effect together, in the order given.
///
/// Keys and values are copied into a few large pieces of memory, which clear() keeps: a batch that
/// is used again and again allocates nothing.
class Batch {
 public:
  enum class Kind : std::uint8_t { kPut, kErase, kEraseRange };
  /// The bytes stay where they are until the batch is cleared or goes, also when more are added or
  /// it is moved.
  struct Operation {
    Kind kind;
    std::string_view key;
    std::string_view value;  // of kEraseRange: the end, which stays
  };

  Batch() = default;
  Batch(const Batch& other);
  Batch& operator=(const Batch& other);
  Batch(Batch&& other) noexcept { swap(other); }
  Batch& operator=(Batch&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Batch() = default;

  void put(std::string_view key, std::string_view value) { put(key, {}, value); }
  /// A value in two parts, which need not be put together before.
  void put(std::string_view key, std::string_view head, std::string_view tail);
  void erase(std::string_view key) { add(Kind::kErase, key, {}, {}); }
  /// Everything from `from` up to, not including, `to`: keys of the same first byte.
  void erase_range(std::string_view from, std::string_view to);
  void append(const Batch& other);
  void clear();

  bool empty() const { return operations_.empty(); }
  const std::vector<Operation>& operations() const { return operations_; }
  /// Keys and values together.
  std::size_t size_bytes() const { return size_bytes_; }

 private:
  void swap(Batch& other) noexcept;
  void add(Kind kind, std::string_view key, std::string_view head, std::string_view tail);

  std::vector<Operation> operations_;
  std::size_t size_bytes_ = 0;
  Pieces pieces_;
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

  /// All of `batches`, one after another, or nothing. With `sync` they are on the disk when this
  /// returns. Blocks.
  virtual Result<void> write_all(std::span<const Batch* const> batches, bool sync) = 0;
  Result<void> write(const Batch& batch, bool sync) {
    const Batch* const one = &batch;
    return write_all({&one, 1}, sync);
  }
  virtual std::unique_ptr<View> view() const = 0;
};

}  // namespace troupe::storage

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/ids.h"

namespace troupe {

/// Appends values to a string of bytes, in the form that Reader reads: numbers as LEB128 varints,
/// bytes as their length and then themselves. Used for entries, frames and datagrams.
class Writer {
 public:
  void number(std::uint64_t value);
  void boolean(bool value) { number(value ? 1 : 0); }
  /// Negative numbers too (zigzag).
  void integer(std::int64_t value);
  void bytes(std::string_view value);

  template <class Tag, class Number>
  void id(Id<Tag, Number> value) {
    number(value.value);
  }
  void id(NodeId value);
  void id(RowVersion value);

  /// As they are, without a length.
  void append(std::string_view bytes) { out_.append(bytes); }
  /// Room for so many bytes in all.
  void reserve(std::size_t bytes) { out_.reserve(bytes); }

  std::size_t size() const { return out_.size(); }
  /// Until the next change.
  std::string_view view() const { return out_; }
  std::string take() { return std::move(out_); }
  /// Forgets everything but its memory.
  void clear() { out_.clear(); }

 private:
  std::string out_;
};

/// Reads what Writer wrote. Safe on any bytes: what is damaged or missing reads as zero or empty,
/// and ok() tells. Views live as long as the bytes given.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  std::uint64_t number();
  /// Fails above `most`, so that a length read from a stranger bounds what is built from it.
  std::uint64_t number_up_to(std::uint64_t most);
  bool boolean() { return number_up_to(1) == 1; }
  std::int64_t integer();
  std::string_view bytes();
  std::string string() { return std::string(bytes()); }

  template <class T>
  T id() {
    if constexpr (requires(T t) { t.value; }) {
      const std::uint64_t read = number_up_to(static_cast<decltype(T::value)>(-1));
      return T{static_cast<decltype(T::value)>(read)};
    } else {
      return compound<T>();
    }
  }

  /// Nothing was damaged or missing so far.
  bool ok() const { return ok_; }
  /// And nothing is left over.
  bool finished() const { return ok_ && in_.empty(); }
  std::size_t left() const { return in_.size(); }
  /// Marks the input as damaged: a value in it makes no sense.
  void damage() { ok_ = false; }

 private:
  template <class T>
  T compound();

  std::string_view in_;
  bool ok_ = true;
};

template <>
NodeId Reader::compound<NodeId>();
template <>
RowVersion Reader::compound<RowVersion>();

/// Big-endian, so that the order of keys is the order of numbers.
void append_big_endian(std::string& out, std::uint32_t value);
void append_big_endian(std::string& out, std::uint64_t value);
/// Require 4 and 8 bytes.
std::uint32_t big_endian_32(std::string_view bytes);
std::uint64_t big_endian_64(std::string_view bytes);

}  // namespace troupe

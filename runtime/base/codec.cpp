#include "runtime/base/codec.h"

#include <array>

#include "runtime/base/check.h"

namespace troupe {

void Writer::number(std::uint64_t value) {
  std::array<char, 10> digits;
  std::size_t count = 0;
  while (value >= 0x80) {
    digits[count++] = static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  digits[count++] = static_cast<char>(value);
  out_.append(digits.data(), count);
}

void Writer::integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  number((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void Writer::bytes(std::string_view value) {
  number(value.size());
  out_.append(value);
}

void Writer::id(NodeId value) {
  append_big_endian(out_, value.high);
  append_big_endian(out_, value.low);
}

void Writer::id(RowVersion value) {
  number(value.term);
  number(value.index);
}

std::uint64_t Reader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; ok_ && shift < 64; shift += 7) {
    if (in_.empty()) break;
    const auto byte = static_cast<unsigned char>(in_.front());
    in_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;  // more than 64 bits
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  ok_ = false;
  return 0;
}

std::uint64_t Reader::number_up_to(std::uint64_t most) {
  const std::uint64_t value = number();
  if (value <= most) return value;
  ok_ = false;
  return 0;
}

std::int64_t Reader::integer() {
  const std::uint64_t bits = number();
  return static_cast<std::int64_t>((bits >> 1) ^ (0 - (bits & 1)));
}

std::string_view Reader::bytes() {
  const std::uint64_t size = number();
  if (!ok_ || size > in_.size()) {
    ok_ = false;
    return {};
  }
  const std::string_view value = in_.substr(0, size);
  in_.remove_prefix(size);
  return value;
}

template <>
NodeId Reader::compound<NodeId>() {
  if (!ok_ || in_.size() < 16) {
    ok_ = false;
    return {};
  }
  const NodeId node{.high = big_endian_64(in_.substr(0, 8)),
                    .low = big_endian_64(in_.substr(8, 8))};
  in_.remove_prefix(16);
  return node;
}

template <>
RowVersion Reader::compound<RowVersion>() {
  RowVersion version;
  version.term = number();
  version.index = number();
  return version;
}

namespace {

template <class Number>
void append(std::string& out, Number value) {
  std::array<char, sizeof(Number)> bytes;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    bytes[i] = static_cast<char>((value >> (8 * (sizeof(Number) - 1 - i))) & 0xff);
  }
  out.append(bytes.data(), bytes.size());
}

template <class Number>
Number parse(std::string_view bytes) {
  check(bytes.size() == sizeof(Number), "a big-endian number has its own size");
  Number value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

void append_big_endian(std::string& out, std::uint32_t value) { append(out, value); }
void append_big_endian(std::string& out, std::uint64_t value) { append(out, value); }
std::uint32_t big_endian_32(std::string_view bytes) { return parse<std::uint32_t>(bytes); }
std::uint64_t big_endian_64(std::string_view bytes) { return parse<std::uint64_t>(bytes); }

}  // namespace troupe

#include "storage/rocksdb/log_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include <rocksdb/env.h>

// The format, unchanged since LevelDB: blocks of 32 KiB; in a block records of a header (checksum 4
// bytes and length 2 bytes, both little-endian, kind 1 byte) and their bytes; no record crosses
// blocks. The checksum is CRC-32C over kind and bytes, rotated and shifted.
namespace troupe::storage {
namespace {

constexpr std::size_t kBlock = 32'768;
constexpr std::size_t kHeader = 7;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

std::uint32_t extend(std::uint32_t crc, char byte) {
  return kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (crc >> 8U);
}

std::uint32_t masked(std::uint32_t crc) {
  crc = ~crc;
  return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

// Whether `record`, cut off as its length says, is complete for some shorter length.
bool complete(std::string_view record) {
  const std::uint32_t wanted = little_endian(record.substr(0, 4));
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char byte : record.substr(6)) {
    crc = extend(crc, byte);
    if (masked(crc) == wanted) return true;
  }
  return false;
}

Result<std::string> read_last_block(rocksdb::Env& env, const std::string& path) {
  std::unique_ptr<rocksdb::RandomAccessFile> file;
  std::uint64_t size = 0;
  rocksdb::Status status = env.GetFileSize(path, &size);
  if (status.ok()) status = env.NewRandomAccessFile(path, &file, rocksdb::EnvOptions());
  const std::uint64_t start = size - size % kBlock;
  if (status.ok() && start == size) return std::string();  // empty, or the last block is whole
  std::string bytes(size - start, '\0');
  rocksdb::Slice read;
  if (status.ok()) status = file->Read(start, bytes.size(), &read, bytes.data());
  if (!status.ok()) {
    return fail(Code::kUnavailable, "cannot read '" + path + "': " + status.ToString());
  }
  return read.ToString();
}

}  // namespace

Result<void> check_log_tail(rocksdb::Env& env, const std::string& path) {
  const Result<std::string> block = read_last_block(env, path);
  if (!block) return fail(block.error());
  std::string_view rest = *block;
  while (rest.size() >= kHeader) {
    const std::size_t size = kHeader + little_endian(rest.substr(4, 2));
    if (size > rest.size()) {
      if (!complete(rest)) return {};
      return fail(Code::kDataLoss,
                  "the length of a record at the end of '" + path + "' is damaged");
    }
    rest.remove_prefix(size);
  }
  return {};
}

}  // namespace troupe::storage

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <xxhash.h>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"
#include "storage/backup/backup_file.h"
#include "storage/backup/row.h"

namespace {

using namespace troupe::storage;

BackupReader::Source from(std::string_view bytes) {
  return [bytes](std::size_t size) mutable {
    const std::string_view next = bytes.substr(0, size);
    bytes.remove_prefix(next.size());
    return troupe::Result<std::string>(std::string(next));
  };
}

// What could be read of it; a whole backup is written again as it was.
void read(std::string_view bytes) {
  BackupReader reader(from(bytes));
  BackupWriter writer;
  std::string again;
  for (;;) {
    const auto part = reader.next();
    if (!part) return;
    again += writer.bytes_of(*part);
    if (const auto* rows = std::get_if<BackupRows>(&*part)) {
      (void)each_row(rows->chunk, [](std::string_view key, std::string_view value) {
        (void)decode_backup_row(key, value);
        return troupe::Result<void>();
      });
    }
    if (std::holds_alternative<BackupEnd>(*part)) break;
  }
  troupe::check(again == bytes, "a backup that was read whole is the same when it is written");
}

// Input as parts without their checksums, which are added here: `kind size(1) body`.
std::string with_checksums(std::string_view in) {
  std::string bytes = "troupe backup 1\n";
  std::uint64_t last = 0;
  while (in.size() >= 2) {
    const std::size_t size = std::min<std::size_t>(static_cast<std::uint8_t>(in[1]), in.size() - 2);
    std::string head(1, in[0]);
    troupe::append_big_endian(head, static_cast<std::uint32_t>(size));
    std::string body(in.substr(2, size));
    if (in[0] == 2) {  // rows bring one of their own
      std::string hashed;
      troupe::append_big_endian(hashed, std::uint64_t{XXH3_64bits(body.data(), body.size())});
      body.insert(0, hashed);
      head.resize(1);
      troupe::append_big_endian(head, static_cast<std::uint32_t>(body.size()));
    }
    const std::uint64_t of_head = XXH3_64bits_withSeed(head.data(), head.size(), last);
    last = XXH3_64bits_withSeed(body.data(), body.size(), of_head);
    bytes += head;
    troupe::append_big_endian(bytes, last);
    bytes += body;
    in.remove_prefix(2 + size);
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes);
  read(with_checksums(bytes));
  (void)decode_backup_part(std::string(bytes));
  if (!bytes.empty()) (void)decode_backup_row(bytes.substr(0, size / 2), bytes.substr(size / 2));
  const auto rows = decode_restored_rows(bytes);
  if (rows) {
    const auto again = decode_restored_rows(encode(*rows));
    troupe::check(again && *again == *rows, "rows survive the way");
  }
  const auto mark = decode_restore_mark(bytes);
  if (mark) troupe::check(decode_restore_mark(encode(*mark)) == mark, "a mark survives the disk");
  return 0;
}

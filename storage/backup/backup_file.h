#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/ids.h"
#include "storage/shard/snapshot.h"
#include <troupe/result.h>
#include <troupe/time.h>

/// The file of a backup: one file that describes itself, of any size, written and read from its
/// beginning to its end in bounded memory. No files in here: bytes come and go through functions.
///
///     "troupe backup 1\n"  header  ( shard  rows*  end of the shard )*  end
///
/// Each part is `kind | size | checksum | body`: kind 1 byte, size 4, big-endian, checksum 8:
/// xxh3_64 of kind, size and body, seeded with the checksum of the part before. So whatever is
/// changed, missing, or in another order shows, at the first part it concerns.
namespace troupe::storage {

struct BackupHeader {
  std::string backup;   // names it: 32 hexadecimal digits
  std::string cluster;  // whose it is
  std::uint32_t shard_count = 0;
  WallTime taken;
  std::vector<std::string> addresses;  // of its nodes' APIs, for who wonders whether it is alive

  friend bool operator==(const BackupHeader&, const BackupHeader&) = default;
};
/// The shards come in order, each once.
struct BackupShard {
  ShardId shard;
  std::uint64_t applied = 0;  // index of the last entry that is in it

  friend bool operator==(const BackupShard&, const BackupShard&) = default;
};
/// Rows of that shard: a chunk as SnapshotReader gives them.
struct BackupRows {
  std::string chunk;

  friend bool operator==(const BackupRows&, const BackupRows&) = default;
};
/// All rows of that shard were given; their hash as the shard's leader has it.
struct BackupShardEnd {
  ReplicaHash hash;

  friend bool operator==(const BackupShardEnd&, const BackupShardEnd&) = default;
};
struct BackupEnd {
  friend bool operator==(const BackupEnd&, const BackupEnd&) = default;
};
using BackupPart = std::variant<BackupHeader, BackupShard, BackupRows, BackupShardEnd, BackupEnd>;

/// One part by itself, as nodes give it: its kind (the place in BackupPart, from 0), and its body.
std::string encode(const BackupPart& part);
/// kDataLoss for bytes that make no sense. The rows of a chunk are not looked at.
Result<BackupPart> decode_backup_part(std::string bytes);

class BackupWriter {
 public:
  /// The bytes that stand for `part` after all that were asked for before. The first must be the
  /// header.
  std::string bytes_of(const BackupPart& part);

 private:
  bool begun_ = false;
  std::uint64_t last_ = 0;  // checksum
};

class BackupReader {
 public:
  /// Gives the next `size` bytes of the file; fewer at its end.
  using Source = std::function<Result<std::string>(std::size_t size)>;

  explicit BackupReader(Source source) : source_(std::move(source)) {}

  /// The next part; after BackupEnd nothing more may be asked. Checked: all the above. kDataLoss
  /// for a damaged or truncated file, kInvalid for one that is no backup, kUnimplemented for one of
  /// a newer format, each with a line for people; or what the source says.
  Result<BackupPart> next();

 private:
  Result<void> read_beginning();
  Result<BackupPart> read_part();
  Result<void> check_order(const BackupPart& part);

  Source source_;
  bool begun_ = false;
  std::uint64_t last_ = 0;
  std::uint64_t parts_ = 0;
  std::uint32_t shard_count_ = 0;
  std::uint32_t shards_ = 0;  // begun
  bool in_shard_ = false;
  RowsHash hash_;
};

}  // namespace troupe::storage

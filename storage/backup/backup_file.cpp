#include "storage/backup/backup_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <xxhash.h>

#include "runtime/base/codec.h"

namespace troupe::storage {
namespace {

constexpr std::string_view kMagic = "troupe backup ";
constexpr std::string_view kBeginning = "troupe backup 1\n";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kHeadBytes = 5;  // kind and size
constexpr std::size_t kChecksumBytes = 8;
// Of a body: the largest value, its chunk's other rows, and more than that.
constexpr std::size_t kBodyBytesMax = 64U << 20U;
constexpr std::size_t kAddressesMax = 10'000;
constexpr std::size_t kShardCountMax = 65'536;

Failure damaged_file(const std::string& what) {
  return fail(Code::kDataLoss, "the backup is damaged: " + what);
}

std::uint64_t checksum(std::string_view head, std::string_view body, std::uint64_t before) {
  const std::uint64_t of_head = XXH3_64bits_withSeed(head.data(), head.size(), before);
  return XXH3_64bits_withSeed(body.data(), body.size(), of_head);
}

void write(Writer& out, const BackupHeader& header) {
  out.bytes(header.backup);
  out.bytes(header.cluster);
  out.number(header.shard_count);
  out.integer(header.taken.time_since_epoch().count());
  out.number(header.addresses.size());
  for (const std::string& address : header.addresses) out.bytes(address);
}

void write(Writer& out, const BackupShard& shard) {
  out.id(shard.shard);
  out.number(shard.applied);
}

void write(Writer& out, const BackupRows& rows) { out.append(rows.chunk); }

void write(Writer& out, const BackupShardEnd& end) {
  std::string hash;
  append_big_endian(hash, end.hash.high);
  append_big_endian(hash, end.hash.low);
  out.append(hash);
}

void write(Writer& /*out*/, const BackupEnd& /*end*/) {}

BackupHeader read_header(Reader& in) {
  BackupHeader header;
  header.backup = in.string();
  header.cluster = in.string();
  header.shard_count = static_cast<std::uint32_t>(in.number_up_to(kShardCountMax));
  header.taken = WallTime(Duration(in.integer()));
  for (std::uint64_t left = in.number_up_to(kAddressesMax); left > 0 && in.ok(); --left) {
    header.addresses.push_back(in.string());
  }
  if (header.shard_count == 0) in.damage();
  return header;
}

std::optional<BackupPart> decode_part(std::uint8_t kind, std::string body) {
  Reader in(body);
  BackupPart part;
  switch (kind) {
    case 0:
      part = read_header(in);
      break;
    case 1: {
      BackupShard shard;
      shard.shard = in.id<ShardId>();
      shard.applied = in.number();
      part = shard;
      break;
    }
    case 2:
      return BackupRows{.chunk = std::move(body)};
    case 3:
      if (body.size() != 16) return std::nullopt;
      return BackupShardEnd{.hash = {.high = big_endian_64(std::string_view(body).substr(0, 8)),
                                     .low = big_endian_64(std::string_view(body).substr(8))}};
    case 4:
      part = BackupEnd();
      break;
    default:
      return std::nullopt;
  }
  if (!in.finished()) return std::nullopt;
  return part;
}

}  // namespace

std::string encode(const BackupPart& part) {
  Writer out;
  out.append(std::string(1, static_cast<char>(part.index())));
  std::visit([&](const auto& fields) { write(out, fields); }, part);
  return out.take();
}

Result<BackupPart> decode_backup_part(std::string bytes) {
  std::optional<BackupPart> part;
  if (!bytes.empty()) {
    const auto kind = static_cast<std::uint8_t>(bytes.front());
    part = decode_part(kind, std::move(bytes).substr(1));
  }
  if (!part) return fail(Code::kDataLoss, "a part of a backup makes no sense");
  return *std::move(part);
}

std::string BackupWriter::bytes_of(const BackupPart& part) {
  Writer body;
  std::visit([&](const auto& fields) { write(body, fields); }, part);
  std::string head(1, static_cast<char>(part.index()));
  append_big_endian(head, static_cast<std::uint32_t>(body.size()));
  last_ = checksum(head, body.view(), last_);
  std::string bytes;
  bytes.reserve(kBeginning.size() + kHeadBytes + kChecksumBytes + body.size());
  if (!std::exchange(begun_, true)) bytes.append(kBeginning);
  bytes.append(head);
  append_big_endian(bytes, last_);
  return bytes.append(body.view());
}

Result<void> BackupReader::read_beginning() {
  const Result<std::string> beginning = source_(kBeginning.size());
  if (!beginning) return fail(beginning.error());
  if (!beginning->starts_with(kMagic)) return fail(Code::kInvalid, "this is not a Troupe backup");
  const std::string_view rest = std::string_view(*beginning).substr(kMagic.size());
  std::uint32_t format = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), format);
  if (error == std::errc() && format > kFormat) {
    return fail(Code::kUnimplemented, "the backup's format is newer than " +
                                          std::to_string(kFormat) +
                                          ", which this program reads: use the version of troupe "
                                          "that made it, or a newer one");
  }
  if (*beginning != kBeginning) return damaged_file("its first line");
  begun_ = true;
  return {};
}

Result<BackupPart> BackupReader::next() {
  if (!begun_) {
    if (auto begun = read_beginning(); !begun) return fail(begun.error());
  }
  Result<BackupPart> part = read_part();
  if (!part) return part;
  if (auto in_order = check_order(*part); !in_order) return fail(in_order.error());
  ++parts_;
  return part;
}

Result<BackupPart> BackupReader::read_part() {
  const std::string truncated = "it ends in the middle; it was not copied whole, or never finished";
  const Result<std::string> head = source_(kHeadBytes + kChecksumBytes);
  if (!head) return fail(head.error());
  if (head->size() < kHeadBytes + kChecksumBytes) return damaged_file(truncated);
  const std::string_view bytes(*head);
  const std::size_t size = big_endian_32(bytes.substr(1, 4));
  const std::string number = "part " + std::to_string(parts_ + 1);
  if (size > kBodyBytesMax) return damaged_file(number + " has an impossible size");
  Result<std::string> body = source_(size);
  if (!body) return fail(body.error());
  if (body->size() < size) return damaged_file(truncated);
  last_ = checksum(bytes.substr(0, kHeadBytes), *body, last_);
  if (last_ != big_endian_64(bytes.substr(kHeadBytes))) {
    return damaged_file(number + " does not match its checksum");
  }
  std::optional<BackupPart> part =
      decode_part(static_cast<std::uint8_t>(bytes.front()), *std::move(body));
  if (!part) return damaged_file(number + " makes no sense");
  return *std::move(part);
}

Result<void> BackupReader::check_order(const BackupPart& part) {
  const auto wrong = [&] {
    return damaged_file("part " + std::to_string(parts_ + 1) + " is out of place");
  };
  if (const auto* header = std::get_if<BackupHeader>(&part)) {
    if (parts_ != 0) return wrong();
    shard_count_ = header->shard_count;
    return {};
  }
  if (parts_ == 0) return wrong();
  if (const auto* shard = std::get_if<BackupShard>(&part)) {
    if (in_shard_ || shards_ == shard_count_ || shard->shard.value != shards_) return wrong();
    ++shards_;
    in_shard_ = true;
    hash_ = RowsHash();
  } else if (const auto* rows = std::get_if<BackupRows>(&part)) {
    if (!in_shard_) return wrong();
    auto read = each_row(rows->chunk, [&](std::string_view key, std::string_view value) {
      hash_.add(key, value);
      return Result<void>();
    });
    if (!read) return damaged_file(read.error().message);
  } else if (const auto* end = std::get_if<BackupShardEnd>(&part)) {
    if (!std::exchange(in_shard_, false)) return wrong();
    if (hash_.value() != end->hash) {
      return damaged_file("rows of shard " + std::to_string(shards_ - 1) + " are missing");
    }
  } else {
    if (in_shard_ || shards_ != shard_count_) return wrong();
    const Result<std::string> more = source_(1);
    if (!more) return fail(more.error());
    if (!more->empty()) return damaged_file("something follows its end");
  }
  return {};
}

}  // namespace troupe::storage

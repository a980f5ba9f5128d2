#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <xxhash.h>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"
#include "storage/shard/entry.h"

// Input: an entry without its checksum, which is added here: what comes behind it is the subject.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  std::string bytes;
  troupe::append_big_endian(bytes, std::uint64_t{XXH3_64bits(body.data(), body.size())});
  bytes += body;
  (void)troupe::storage::decode_entry(body);
  const auto entry = troupe::storage::decode_entry(bytes);
  if (!entry) return 0;
  const std::string again = troupe::storage::encode(*entry);
  const auto read = troupe::storage::decode_entry(again);
  troupe::check(read.has_value(), "what was written can be read");
  troupe::check(troupe::storage::encode(*read) == again, "and is the same");
  return 0;
}

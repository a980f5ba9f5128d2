#pragma once

#include <string>

#include <troupe/result.h>

namespace rocksdb {
class Env;
}

namespace troupe::storage {

/// kDataLoss if the last record of a RocksDB log (WAL or MANIFEST) is whole, but its length is
/// damaged.
///
/// RocksDB takes a record that is longer than the rest of the file for one that a crash cut off,
/// and drops it. That is right for one that was never acknowledged, and for no other: when the
/// record's checksum fits a shorter length, the record was complete, and the length is what is
/// wrong.
Result<void> check_log_tail(rocksdb::Env& env, const std::string& path);

}  // namespace troupe::storage

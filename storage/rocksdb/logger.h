#pragma once

#include <memory>

#include "runtime/base/log.h"

namespace rocksdb {
class Logger;
}

namespace troupe::storage {

/// Tells `log` what RocksDB has to warn of. `log`'s sink outlives the logger.
///
/// Given to every store, since RocksDB's own logger writes a file beside the rows, and ends the
/// process when a full disk refused that file a line and another line follows (an assertion of
/// file/writable_file_writer.h, which Debian's build checks).
std::shared_ptr<rocksdb::Logger> make_logger(Log log);

}  // namespace troupe::storage

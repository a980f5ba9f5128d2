#include "storage/rocksdb/logger.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include <rocksdb/env.h>

namespace troupe::storage {
namespace {

constexpr std::size_t kLineBytesMax = 1024;

class Logger final : public rocksdb::Logger {
 public:
  explicit Logger(Log log) : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), log_(log) {}

  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list values) override {
    if (level < GetInfoLogLevel()) return;
    std::array<char, kLineBytesMax> line{};
    const int wanted = std::vsnprintf(line.data(), line.size(), format, values);
    const auto size = static_cast<std::size_t>(std::max(wanted, 0));
    const std::string_view text(line.data(), std::min(size, line.size() - 1));
    if (level == rocksdb::InfoLogLevel::WARN_LEVEL) {
      log_.warning("RocksDB warns", {{"of", text}});
    } else {
      log_.error("RocksDB failed", {{"why", text}});
    }
  }
  using rocksdb::Logger::Logv;

 private:
  Log log_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> make_logger(Log log) { return std::make_shared<Logger>(log); }

}  // namespace troupe::storage

#include "runtime/base/log.h"

namespace troupe {
namespace {

class SilentSink final : public LogSink {
 public:
  bool wants(LogLevel /*level*/, std::string_view /*component*/) const override { return false; }
  void write(LogLevel /*level*/, std::string_view /*component*/, std::string_view /*message*/,
             std::initializer_list<LogField> /*fields*/) override {}
};

}  // namespace

LogSink& silent_log() {
  static SilentSink sink;
  return sink;
}

}  // namespace troupe

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/node/config_file.h"

// Input: the text of a configuration file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = troupe::node::parse_config(text);
  if (!lines) {
    troupe::check(!lines.error().message.empty(), "errors say why");
    return 0;
  }
  for (const troupe::node::ConfigLine& line : *lines) {
    troupe::check(line.line > 0, "lines are counted from one");
  }
  return 0;
}

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/result.h>

namespace troupe::node {

/// One setting of a configuration file.
struct ConfigLine {
  std::string name;                 // of the flag, without the dashes
  std::vector<std::string> values;  // several of a list
  std::size_t line = 0;             // where it stands, from 1
};

/// Larger files are refused: nobody writes one by hand.
inline constexpr std::size_t kConfigSizeMax = std::size_t{1} << 20;

/// Reads the text of a configuration file: TOML without sections, each value a text, a whole
/// number, a truth value, or a list of texts and numbers. In the order of the file. kInvalid,
/// naming line and column, if it is something else or says anything twice.
Result<std::vector<ConfigLine>> parse_config(std::string_view text);

/// The same from a file. kNotFound if it cannot be read.
Result<std::vector<ConfigLine>> read_config_file(const std::string& path);

}  // namespace troupe::node

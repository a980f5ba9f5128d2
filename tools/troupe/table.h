#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// Rows under named columns, for people.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`
};

/// The table as text: columns aligned, numbers to the right, names in capitals, two spaces between.
/// Cells are made printable(). Only the names where there are no rows.
std::string format(const Table& table);

/// `name: value` lines with the values below one another.
std::string format_pairs(const std::vector<std::pair<std::string, std::string>>& pairs);

/// `text` on one line, without control characters, so that what comes from elsewhere cannot steer a
/// terminal; at most kCellBytesMax long, cut with an ellipsis.
std::string printable(std::string_view text);
inline constexpr std::size_t kCellBytesMax = 500;

/// The places that `text`, UTF-8, takes on a terminal: one each, without knowing wide ones.
std::size_t width(std::string_view text);

}  // namespace troupe::tools

#include "tools/troupe/table.h"

#include <algorithm>
#include <cctype>

namespace troupe::tools {
namespace {

constexpr std::string_view kEllipsis = "\u2026";

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

bool is_nothing(std::string_view text) { return text.empty() || text == "-"; }

bool is_number(std::string_view text) {
  const auto of_numbers = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; };
  return !is_nothing(text) && std::ranges::all_of(text, of_numbers);
}

// Whether a column holds numbers and nothing else. The first line is the columns' names.
bool is_numeric(const std::vector<std::vector<std::string>>& lines, std::size_t column) {
  bool numbers = false;
  for (std::size_t row = 1; row < lines.size(); ++row) {
    const std::string& cell = lines[row][column];
    if (!is_number(cell) && !is_nothing(cell)) return false;
    numbers = numbers || is_number(cell);
  }
  return numbers;
}

std::string upper(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return capitals;
}

std::string padding(std::size_t wanted, std::string_view text) {
  return std::string(wanted - std::min(wanted, width(text)), ' ');
}

}  // namespace

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

std::string printable(std::string_view text) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (line.size() >= kCellBytesMax && !is_continuation(text[i])) return line.append(kEllipsis);
    // U+0080 to U+009F, two bytes each, steer terminals too.
    const bool control = byte < 0x20 || byte == 0x7F;
    const bool second =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    line += control || second ? '?' : text[i];
    if (second) ++i;
  }
  return line;
}

std::string format(const Table& table) {
  const std::size_t columns = table.columns.size();
  std::vector<std::vector<std::string>> lines(1);
  for (const std::string& column : table.columns) lines[0].push_back(upper(printable(column)));
  for (const auto& row : table.rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const std::string& cell : row) line.push_back(printable(cell));
  }
  std::vector<std::size_t> widths(columns, 0);
  std::vector<bool> right(columns, false);
  for (std::size_t i = 0; i < columns; ++i) {
    right[i] = is_numeric(lines, i);
    for (const auto& line : lines) widths[i] = std::max(widths[i], width(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      if (i > 0) text += "  ";
      if (right[i]) text += padding(widths[i], line[i]);
      text += line[i];
      if (!right[i] && i + 1 < columns) text += padding(widths[i], line[i]);
    }
    text += '\n';
  }
  return text;
}

std::string format_pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t wide = 0;
  for (const auto& [name, value] : pairs) wide = std::max(wide, width(printable(name)));
  std::string text;
  for (const auto& [name, value] : pairs) {
    const std::string shown = printable(name);
    text += shown + ": " + padding(wide, shown) + printable(value) + "\n";
  }
  return text;
}

}  // namespace troupe::tools

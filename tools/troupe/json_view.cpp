#include "tools/troupe/json_view.h"

#include <algorithm>
#include <map>
#include <optional>

#include <troupe/json.h>

namespace troupe::tools {
namespace {

constexpr std::size_t kColumnsMax = 24;
constexpr std::string_view kNothing = "-";

bool is_list(const JsonReader& value) { return value.kind() == JsonKind::kArray; }

bool is_plain(const JsonReader& value) {
  return value.kind() != JsonKind::kArray && value.kind() != JsonKind::kObject;
}

std::string raw(const JsonReader& value) {
  std::string text;
  value.read_raw(text);
  return text;
}

std::string cell(const JsonReader& value);

// `a, b` for a list of plain values.
std::optional<std::string> joined(const JsonReader& value) {
  JsonItems items;
  if (!is_list(value) || !value.read_items(items)) return std::nullopt;
  std::string text;
  for (JsonReader item; items.next(item);) {
    if (!is_plain(item)) return std::nullopt;
    if (!text.empty()) text += ", ";
    text += cell(item);
  }
  return text.empty() ? std::string(kNothing) : text;
}

std::string cell(const JsonReader& value) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return std::string(kNothing);
    case JsonKind::kBoolean: {
      bool yes = false;
      value.read_boolean(yes);
      return yes ? "yes" : "no";
    }
    case JsonKind::kString: {
      std::string_view text;
      value.read_string(text);
      return text.empty() ? std::string(kNothing) : std::string(text);
    }
    case JsonKind::kArray:
      return joined(value).value_or(raw(value));
    case JsonKind::kInteger:
    case JsonKind::kNumber:
    case JsonKind::kObject:
      break;
  }
  return raw(value);
}

// The columns of a list of objects, in the order to be shown.
std::vector<std::string> columns_of(const JsonReader& list, const std::vector<std::string>& first) {
  std::vector<std::string> found;
  JsonItems items;
  list.read_items(items);
  for (JsonReader item; items.next(item);) {
    JsonMembers members;
    if (!item.read_members(members)) continue;
    std::string_view key;
    for (JsonReader value; members.next(key, value);) {
      if (std::ranges::find(found, key) == found.end()) found.emplace_back(key);
    }
  }
  std::ranges::stable_sort(found, {}, [&](const std::string& name) {
    return std::ranges::find(first, name) - first.begin();
  });
  if (found.size() > kColumnsMax) found.resize(kColumnsMax);
  return found;
}

std::string show_list(const JsonReader& list, const std::vector<std::string>& first,
                      std::string_view nothing) {
  JsonItems items;
  list.read_items(items);
  if (items.size() == 0) return std::string(nothing) + "\n";
  Table table{.columns = columns_of(list, first), .rows = {}};
  std::string lines;
  for (JsonReader item; items.next(item);) {
    JsonMembers members;
    if (item.kind() != JsonKind::kObject || !item.read_members(members)) {
      lines += printable(cell(item)) + "\n";
      continue;
    }
    std::map<std::string, std::string, std::less<>> cells;
    std::string_view key;
    for (JsonReader value; members.next(key, value);) cells.insert_or_assign(std::string(key), cell(value));
    std::vector<std::string>& row = table.rows.emplace_back();
    for (const std::string& column : table.columns) {
      const auto found = cells.find(column);
      row.push_back(found == cells.end() ? std::string(kNothing) : found->second);
    }
  }
  return (table.rows.empty() ? "" : format(table)) + lines;
}

// Lists of objects below the rest, each under its name.
std::string show_object(const JsonReader& object, const std::vector<std::string>& first,
                        std::string_view nothing) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<std::pair<std::string, JsonReader>> lists;
  JsonMembers members;
  object.read_members(members);
  std::string_view key;
  for (JsonReader value; members.next(key, value);) {
    const bool plain = is_plain(value) || value.kind() == JsonKind::kObject;
    JsonItems items;
    const bool empty = is_list(value) && value.read_items(items) && items.size() == 0;
    if (plain || (joined(value) && !empty)) {
      pairs.emplace_back(key, cell(value));
    } else {
      lists.emplace_back(key, value);
    }
  }
  // The answer may be nothing but one list, with a name.
  if (pairs.empty() && lists.size() == 1) return show_list(lists[0].second, first, nothing);
  std::string text = format_pairs(pairs);
  for (const auto& [name, list] : lists) {
    text += "\n" + printable(name) + ":\n" + show_list(list, first, nothing);
  }
  return text;
}

}  // namespace

Result<std::string> show_json(std::string_view json, const std::vector<std::string>& first,
                              std::string_view nothing) {
  JsonDocument document(json);
  const JsonReader root = document.root();
  if (!root) return document.failure();
  if (is_list(root)) return show_list(root, first, nothing);
  if (root.kind() == JsonKind::kObject) return show_object(root, first, nothing);
  return printable(cell(root)) + "\n";
}

std::string string_member(std::string_view json, std::string_view name) {
  JsonDocument document(json);
  const JsonReader root = document.root();
  JsonMembers members;
  if (!root || root.kind() != JsonKind::kObject || !root.read_members(members)) return {};
  std::string found;
  std::string_view key;
  for (JsonReader value; members.next(key, value);) {
    if (key == name && value.kind() == JsonKind::kString) found = cell(value);
  }
  return found;
}

}  // namespace troupe::tools

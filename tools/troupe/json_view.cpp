#include "tools/troupe/json_view.h"

#include <algorithm>
#include <map>

#include <troupe/json.h>

namespace troupe::tools {
namespace {

constexpr std::size_t kColumnsMax = 24;
constexpr std::string_view kNothing = "-";
constexpr std::string_view kAnything = "value";  // the column of what users keep

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

// `a, b` for a list.
std::string joined(const JsonReader& list) {
  JsonItems items;
  list.read_items(items);
  std::string text;
  for (JsonReader item; items.next(item);) {
    if (!text.empty()) text += ", ";
    text += cell(item);
  }
  return text.empty() ? std::string(kNothing) : text;
}

// `a/b/voter` for an object whose values are plain; otherwise the JSON.
std::string joined_members(const JsonReader& object) {
  JsonMembers members;
  object.read_members(members);
  std::string text;
  std::string_view key;
  for (JsonReader value; members.next(key, value);) {
    if (!is_plain(value)) return raw(object);
    bool yes = true;
    if (value.kind() == JsonKind::kBoolean) value.read_boolean(yes);
    if (!yes) continue;
    if (!text.empty()) text += '/';
    text += value.kind() == JsonKind::kBoolean ? std::string(key) : cell(value);
  }
  return text;
}

// Long enough to tell nodes apart, and to name one to `drain`.
std::string shortened(std::string_view text) {
  constexpr std::size_t kNodeIdSize = 32;
  const bool node = text.size() == kNodeIdSize &&
                    text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return std::string(node ? text.substr(0, 8) : text);
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
      return text.empty() ? std::string(kNothing) : shortened(text);
    }
    case JsonKind::kArray:
      return joined(value);
    case JsonKind::kObject:
      return joined_members(value);
    case JsonKind::kInteger:
    case JsonKind::kNumber:
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
  // Those wanted first, then the rest in their order.
  std::vector<std::string> ordered;
  for (const std::string& name : first) {
    if (std::erase(found, name) > 0) ordered.push_back(name);
  }
  ordered.insert(ordered.end(), found.begin(), found.end());
  if (ordered.size() > kColumnsMax) ordered.resize(kColumnsMax);
  return ordered;
}

std::string show_list(const JsonReader& list, const JsonView& view) {
  JsonItems items;
  list.read_items(items);
  if (items.size() == 0) return view.nothing + "\n";
  Table table{.columns = columns_of(list, view.first), .rows = {}};
  std::string lines;
  for (JsonReader item; items.next(item);) {
    JsonMembers members;
    if (item.kind() != JsonKind::kObject || !item.read_members(members)) {
      lines += printable(cell(item)) + "\n";
      continue;
    }
    std::map<std::string, std::string, std::less<>> cells;
    std::string_view key;
    for (JsonReader value; members.next(key, value);) {
      // An object in a column of its own may be anybody's: as it is.
      const bool foreign = value.kind() == JsonKind::kObject || key == kAnything;
      cells.insert_or_assign(std::string(key), foreign ? raw(value) : cell(value));
    }
    std::vector<std::string>& row = table.rows.emplace_back();
    for (const std::string& column : table.columns) {
      const auto found = cells.find(column);
      row.push_back(found == cells.end() ? std::string(kNothing) : found->second);
    }
  }
  return (table.rows.empty() ? "" : format(table)) + lines;
}

bool is_list_of_objects(const JsonReader& value) {
  JsonItems items;
  JsonReader item;
  return is_list(value) && value.read_items(items) && items.next(item) &&
         item.kind() == JsonKind::kObject;
}

std::string show_object(const JsonReader& object, const JsonView& view) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string answer;
  std::string tables;
  JsonMembers members;
  object.read_members(members);
  std::string_view key;
  for (JsonReader value; members.next(key, value);) {
    if (key == view.list && is_list(value)) {
      answer = show_list(value, view);
    } else if (is_list_of_objects(value)) {
      tables += "\n" + printable(key) + ":\n" + show_list(value, view);
    } else {
      pairs.emplace_back(key, cell(value));
    }
  }
  if (answer.empty()) return format_pairs(pairs) + tables;
  std::erase_if(pairs, [](const auto& pair) { return pair.second == kNothing; });
  return answer + (pairs.empty() ? "" : "\n" + format_pairs(pairs)) + tables;
}

}  // namespace

Result<std::string> show_json(std::string_view json, const JsonView& view) {
  JsonDocument document(json);
  const JsonReader root = document.root();
  if (!root) return document.failure();
  if (is_list(root)) return show_list(root, view);
  if (root.kind() == JsonKind::kObject) return show_object(root, view);
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

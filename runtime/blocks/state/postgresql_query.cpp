// Dapr's query as SQL over jsonb.
#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "runtime/blocks/state/postgresql_tables.h"
#include <troupe/json.h>

namespace troupe::blocks::state {
namespace {

constexpr int kFiltersMax = 200;

// Parts of a statement, and the parameters they name.
class Building {
 public:
  explicit Building(std::string_view key_prefix) { values_.emplace_back(std::string(key_prefix)); }

  // `value #> $n`: what lies under a dotted path.
  std::string path(std::string_view dotted) {
    std::vector<std::string> names;
    while (!dotted.empty()) {
      const std::string_view name = dotted.substr(0, dotted.find('.'));
      names.emplace_back(name);
      dotted.remove_prefix(std::min(dotted.size(), name.size() + 1));
    }
    return "(value #> " + parameter(array_of(names)) + "::text[])";
  }
  std::string json(const JsonReader& value) {
    std::string raw;
    static_cast<void>(value.read_raw(raw));
    return parameter(std::move(raw)) + "::jsonb";
  }
  std::vector<clients::PostgresqlValue> take() { return std::move(values_); }
  bool too_large() { return ++filters_ > kFiltersMax; }

 private:
  std::string parameter(std::string text) {
    values_.emplace_back(std::move(text));
    return "$" + std::to_string(values_.size());
  }

  std::vector<clients::PostgresqlValue> values_;
  int filters_ = 0;
};

const std::map<std::string, std::string, std::less<>>& comparisons() {
  static const std::map<std::string, std::string, std::less<>> kAll{
      {"EQ", "="}, {"NEQ", "<>"}, {"GT", ">"}, {"GTE", ">="}, {"LT", "<"}, {"LTE", "<="}};
  return kAll;
}

// The one member of an object.
bool only_member(const JsonReader& in, std::string_view& name, JsonReader& value) {
  JsonMembers members;
  if (!in.read_members(members)) return false;
  if (!members.next(name, value)) return in.fail("expected one member, got none");
  std::string_view other;
  JsonReader ignored;
  if (members.next(other, ignored)) return in.fail("expected one member, got several");
  return true;
}

bool read_filter(const JsonReader& in, Building& building, std::string& sql);

bool read_several(const JsonReader& in, std::string_view between, Building& building,
                  std::string& sql) {
  JsonItems items;
  if (!in.read_items(items)) return false;
  if (items.size() == 0) return in.fail("expected filters, got none");
  JsonReader item;
  sql += '(';
  for (std::size_t i = 0; items.next(item); ++i) {
    if (i > 0) sql += between;
    if (!read_filter(item, building, sql)) return item.locate_index(i);
  }
  sql += ')';
  return true;
}

bool read_in(const JsonReader& in, Building& building, std::string& sql) {
  std::string_view field;
  JsonReader value;
  if (!only_member(in, field, value)) return false;
  JsonItems items;
  if (!value.read_items(items)) return false;
  if (items.size() == 0) return value.fail("expected values, got none");
  sql += building.path(field) + " IN (";
  JsonReader item;
  for (std::size_t i = 0; items.next(item); ++i) {
    if (building.too_large()) return item.fail("too many values in one query");
    sql += (i == 0 ? "" : ", ") + building.json(item);
  }
  sql += ')';
  return true;
}

bool read_filter(const JsonReader& in, Building& building, std::string& sql) {
  if (building.too_large()) return in.fail("too many filters in one query");
  std::string_view name;
  JsonReader value;
  if (!only_member(in, name, value)) return false;
  if (name == "AND") return read_several(value, " AND ", building, sql);
  if (name == "OR") return read_several(value, " OR ", building, sql);
  if (name == "IN") return read_in(value, building, sql);
  const auto found = comparisons().find(name);
  if (found == comparisons().end())
    return in.fail("unsupported filter '" + std::string(name) + "'");
  std::string_view field;
  JsonReader wanted;
  if (!only_member(value, field, wanted)) return false;
  const std::string left = building.path(field);
  const std::string right = building.json(wanted);
  const bool ordered = name != "EQ" && name != "NEQ";
  // Numbers and texts have no order among one another.
  if (ordered) sql += "(jsonb_typeof(" + left + ") = jsonb_typeof(" + right + ") AND ";
  sql += left + " " + found->second + " " + right;
  if (ordered) sql += ')';
  return true;
}

bool read_sort(const JsonReader& in, Building& building, std::string& sql) {
  JsonItems items;
  if (!in.read_items(items)) return false;
  JsonReader item;
  for (std::size_t i = 0; items.next(item); ++i) {
    std::string key;
    std::string order;
    JsonMembers members;
    if (!item.read_members(members)) return item.locate_index(i);
    std::string_view name;
    JsonReader value;
    while (members.next(name, value)) {
      std::string_view text;
      if (!value.read_string(text)) return value.locate_key(name);
      if (name == "key") key = text;
      if (name == "order") order = text;
    }
    if (key.empty()) return item.fail("expected a key");
    if (!order.empty() && order != "ASC" && order != "DESC") {
      return item.fail("expected ASC or DESC, got '" + order + "'");
    }
    if (building.too_large()) return item.fail("too many keys to sort by");
    sql += (sql.empty() ? "" : ", ") + building.path(key) + (order == "DESC" ? " DESC" : "");
  }
  return true;
}

bool read_page(const JsonReader& in, PostgresqlQuery& query) {
  JsonMembers members;
  if (!in.read_members(members)) return false;
  std::string_view name;
  JsonReader value;
  while (members.next(name, value)) {
    if (name == "limit" && !value.read_integer(query.limit, 1'000'000))
      return value.locate_key(name);
    if (name != "token" || value.kind() == JsonKind::kNull) continue;
    std::string_view token;
    if (!value.read_string(token)) return value.locate_key(name);
    if (token.empty()) continue;
    const auto [end, error] =
        std::from_chars(token.data(), token.data() + token.size(), query.offset);
    if (error != std::errc() || end != token.data() + token.size()) {
      return value.fail("invalid token");
    }
  }
  return true;
}

}  // namespace

Result<PostgresqlQuery> query_statement(const PostgresqlTables& tables, std::string_view query,
                                        std::string_view key_prefix) {
  PostgresqlQuery result;
  Building building(key_prefix);
  std::string filter;
  std::string sort;
  JsonDocument document(query.empty() ? std::string_view("{}") : query);
  const JsonReader root = document.root();
  const auto read = [&] {
    JsonMembers members;
    if (!root.read_members(members)) return false;
    std::string_view name;
    JsonReader value;
    while (members.next(name, value)) {
      if (value.kind() == JsonKind::kNull) continue;
      bool fine = true;
      if (name == "filter") {
        JsonMembers filters;
        std::string_view first;
        JsonReader ignored;
        const bool some = value.read_members(filters) && filters.next(first, ignored);
        fine = !some || read_filter(value, building, filter);
      } else if (name == "sort") {
        fine = read_sort(value, building, sort);
      } else if (name == "page") {
        fine = read_page(value, result);
      }
      if (!fine) return value.locate_key(name);
    }
    return true;
  };
  if (!root || !read()) {
    return fail(Code::kInvalid,
                "failed to parse JSON query body: " + document.failure().error.message);
  }
  PostgresqlStatement all = read_statement(tables, {});
  const std::string begin = all.sql.substr(0, all.sql.find("key = ANY($1::text[])"));
  const std::string rest =
      all.sql.substr(begin.size() + std::string("key = ANY($1::text[])").size());
  std::string sql = begin + "starts_with(key, $1)" + rest + " AND NOT isbinary";
  if (!filter.empty()) sql += " AND " + filter;
  sql += " ORDER BY " + (sort.empty() ? std::string("key") : sort + ", key");
  if (result.limit > 0) sql += " LIMIT " + std::to_string(result.limit);
  if (result.offset > 0) sql += " OFFSET " + std::to_string(result.offset);
  result.statement = {.sql = std::move(sql), .values = building.take()};
  return result;
}

}  // namespace troupe::blocks::state

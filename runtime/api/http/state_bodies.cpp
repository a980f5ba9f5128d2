#include "runtime/api/http/state_bodies.h"

#include <algorithm>
#include <utility>

#include "actors/schedule/calendar.h"
#include "runtime/api/http/body_members.h"

namespace troupe::api {
namespace {

using blocks::state::Found;
using blocks::state::Value;

bool write_sorted(const JsonReader& in, JsonWriter& out) {
  if (in.kind() == JsonKind::kArray) {
    JsonItems items;
    if (!in.read_items(items)) return false;
    JsonReader item;
    out.begin_array();
    while (items.next(item)) {
      if (!write_sorted(item, out)) return false;
    }
    out.end_array();
    return true;
  }
  if (in.kind() != JsonKind::kObject) {
    std::string raw;
    if (!in.read_raw(raw)) return false;
    out.raw(raw);
    return true;
  }
  JsonMembers members;
  if (!in.read_members(members)) return false;
  std::map<std::string_view, JsonReader> sorted;  // of two with one name, the last
  std::string_view name;
  JsonReader value;
  while (members.next(name, value)) sorted[name] = value;
  out.begin_object();
  for (const auto& [each, member] : sorted) {
    out.key(each);
    if (!write_sorted(member, out)) return false;
  }
  out.end_object();
  return true;
}

bool read_options(const JsonReader& in, StateItem& item) {
  return each_member(in, [&](std::string_view name, const JsonReader& value) {
    if (named(name, "concurrency")) return read_text(value, item.concurrency);
    if (named(name, "consistency")) return read_text(value, item.consistency);
    return true;
  });
}

bool read_value(const JsonReader& in, StateItem& item) {
  JsonWriter out;
  if (!write_sorted(in, out)) return false;
  Result<std::string> json = out.finish();
  if (!json) return in.fail(json.error().message);
  item.value = Payload(*std::move(json));
  return true;
}

bool read_item(const JsonReader& in, StateItem& item) {
  item.json = true;
  item.value = Payload(std::string("null"));
  return each_member(in, [&](std::string_view name, const JsonReader& member) {
    if (named(name, "key")) return read_text(member, item.key);
    if (named(name, "value")) return read_value(member, item);
    if (named(name, "metadata")) return read_metadata(member, item.metadata);
    if (named(name, "options")) return read_options(member, item);
    if (named(name, "contentType")) return read_text(member, item.metadata["contentType"]);
    if (!named(name, "etag")) return true;
    std::string etag;
    if (!read_text(member, etag)) return false;
    if (!etag.empty()) item.etag = std::move(etag);
    return true;
  });
}

template <class T, class ReadOne>
bool read_list(const JsonReader& in, std::vector<T>& all, ReadOne read_one) {
  if (in.kind() == JsonKind::kNull) return true;
  JsonItems items;
  if (!in.read_items(items)) return false;
  JsonReader item;
  while (items.next(item)) {
    const std::size_t index = all.size();
    if (!read_one(item, all.emplace_back())) return item.locate_index(index);
  }
  return true;
}

bool read_operation(const JsonReader& in, StateOperation& operation) {
  return each_member(in, [&](std::string_view name, const JsonReader& value) {
    if (named(name, "operation")) return read_text(value, operation.operation);
    if (named(name, "request")) return read_item(value, operation.item);
    return true;
  });
}

void text_member(JsonWriter& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.field(name);
  out.string(text);
}

// What was not saved as JSON cannot be shown here; Dapr answers with nothing at all then.
bool data_member(JsonWriter& out, const Value& value) {
  const Result<Json> json = Json::parse(value.data.view());
  if (!json) return false;
  out.field("data");
  out.raw(value.data.view());
  return true;
}

void write_found(JsonWriter& out, const Found& found) {
  if (!found) return text_member(out, "error", found.error().message);
  if (!*found || (*found)->data.empty()) return;
  const Value& value = **found;
  if (!data_member(out, value)) text_member(out, "error", "the value is not JSON");
  text_member(out, "etag", value.etag);
  if (value.expires) {
    out.field("metadata");
    out.begin_object();
    text_member(out, "ttlExpireTime", format_rfc3339(*value.expires));
    out.end_object();
  }
}

std::string finished(JsonWriter& out, std::string_view otherwise) {
  Result<std::string> json = out.finish();
  return json ? *std::move(json) : std::string(otherwise);
}

}  // namespace

Result<std::string> sorted_json(std::string_view json) {
  JsonDocument document(json);
  const JsonReader root = document.root();
  JsonWriter out;
  if (!root || !write_sorted(root, out)) return document.failure();
  return out.finish();
}

Result<std::vector<StateItem>> read_state_items(std::string_view body) {
  auto items =
      parsed<std::vector<StateItem>>(body, [](const JsonReader& in, std::vector<StateItem>& all) {
        return read_list(in, all, read_item);
      });
  if (!items) return items;
  for (const StateItem& each : *items) {
    if (each.key.empty()) return fail(Code::kInvalid, "\"key\" is a required field");
  }
  return items;
}

Result<BulkRequest> read_bulk_request(std::string_view body) {
  return parsed<BulkRequest>(body, [](const JsonReader& in, BulkRequest& request) {
    return each_member(in, [&](std::string_view name, const JsonReader& value) {
      if (named(name, "keys")) return read_list(value, request.keys, read_text);
      if (named(name, "metadata")) return read_metadata(value, request.metadata);
      return true;
    });
  });
}

Result<std::vector<StateOperation>> read_transaction(std::string_view body) {
  return parsed<std::vector<StateOperation>>(
      body, [](const JsonReader& in, std::vector<StateOperation>& operations) {
        return each_member(in, [&](std::string_view name, const JsonReader& value) {
          if (named(name, "operations")) return read_list(value, operations, read_operation);
          return true;
        });
      });
}

std::string bulk_json(const std::vector<BulkItem>& items) {
  JsonWriter out;
  out.begin_array();
  for (const BulkItem& each : items) {
    out.begin_object();
    out.field("key");
    out.string(each.key);
    write_found(out, each.found);
    out.end_object();
  }
  out.end_array();
  return finished(out, "[]");
}

std::string query_json(const blocks::state::QueryResult& result) {
  JsonWriter out;
  out.begin_object();
  out.field("results");
  out.begin_array();
  for (const auto& each : result.items) {
    out.begin_object();
    out.field("key");
    out.string(each.key);
    write_found(out, std::optional(each.value));
    out.end_object();
  }
  out.end_array();
  text_member(out, "token", result.token);
  out.end_object();
  return finished(out, "{}");
}

}  // namespace troupe::api

#include "runtime/api/http/bodies.h"

#include <utility>

#include "runtime/api/admin_question.h"
#include "runtime/api/http/body_members.h"

namespace troupe::api {
namespace {

bool read_data(const JsonReader& in, Payload& data) {
  std::string json;
  if (!in.read_raw(json)) return false;
  data = Payload(std::move(json));
  return true;
}

bool read_request(const JsonReader& in, StateChange& change, std::string& value) {
  return each_member(in, [&](std::string_view name, const JsonReader& member) {
    if (named(name, "key")) return read_text(member, change.name);
    if (named(name, "value")) return member.read_raw(value);
    if (named(name, "etag")) return read_text(member, change.etag);
    if (named(name, "metadata")) return read_metadata(member, change.metadata);
    return true;
  });
}

bool read_operation(const JsonReader& in, StateChange& change) {
  std::string operation;
  std::string value = "null";
  bool requested = false;
  const bool read = each_member(in, [&](std::string_view name, const JsonReader& member) {
    if (named(name, "operation")) return read_text(member, operation);
    if (!named(name, "request")) return true;
    requested = true;
    return read_request(member, change, value);
  });
  if (!read) return false;
  if (operation.empty()) return in.fail("operation is empty");
  if (operation != "upsert" && operation != "delete") {
    return in.fail("operation type " + operation + " not supported");
  }
  if (!requested) return in.fail("request data is empty");
  if (operation == "upsert") change.value = std::move(value);
  return true;
}

bool read_count(const JsonReader& in, std::optional<std::uint32_t>& count) {
  std::uint64_t number = 0;
  if (!in.read_integer(number, ~std::uint32_t{0})) return false;
  count = static_cast<std::uint32_t>(number);
  return true;
}

bool read_constant(const JsonReader& in, FailurePolicy& policy) {
  return each_member(in, [&](std::string_view name, const JsonReader& value) {
    if (named(name, "interval")) return value.read(policy.interval);
    if (named(name, "maxRetries") || named(name, "max_retries")) {
      return read_count(value, policy.retries_max);
    }
    return true;
  });
}

// `{"drop":{}}` or `{"constant":{"interval":"5s","maxRetries":3}}`. Dapr's own HTTP API ignores it.
bool read_failure_policy(const JsonReader& in, std::optional<FailurePolicy>& policy) {
  return each_member(in, [&](std::string_view name, const JsonReader& value) {
    if (named(name, "drop")) {
      policy = FailurePolicy{.drop = true, .interval = {}, .retries_max = 0};
    } else if (named(name, "constant")) {
      policy = FailurePolicy{};
      return read_constant(value, *policy);
    }
    return true;
  });
}

// What reminders and timers have in common.
template <class Request>
std::optional<bool> read_schedule(std::string_view name, const JsonReader& value,
                                  Request& request) {
  if (named(name, "dueTime")) return read_text(value, request.due_time);
  if (named(name, "period")) return read_text(value, request.period);
  if (named(name, "ttl")) return read_text(value, request.ttl);
  if (named(name, "data")) return read_data(value, request.data);
  return std::nullopt;
}

void text_member(JsonWriter& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.field(name);
  out.string(text);
}

void components_member(JsonWriter& out, const std::vector<ComponentFacts>& components) {
  if (components.empty()) return;
  out.field("components");
  out.begin_array();
  for (const ComponentFacts& each : components) {
    out.begin_object();
    text_member(out, "name", each.name);
    text_member(out, "type", each.type);
    text_member(out, "version", each.version);
    out.field("capabilities");
    out.write(each.capabilities);
    out.end_object();
  }
  out.end_array();
}

void counts_member(JsonWriter& out, std::string_view name, const std::vector<TypeCount>& counts) {
  if (counts.empty()) return;
  out.field(name);
  out.write(counts);
}

}  // namespace

Result<std::vector<StateChange>> read_state_changes(std::string_view body) {
  return parsed<std::vector<StateChange>>(
      body, [](const JsonReader& in, std::vector<StateChange>& changes) {
        if (in.kind() == JsonKind::kNull) return true;
        JsonItems items;
        if (!in.read_items(items)) return false;
        JsonReader item;
        while (items.next(item)) {
          const std::size_t index = changes.size();
          if (!read_operation(item, changes.emplace_back())) return item.locate_index(index);
        }
        return true;
      });
}

Result<ReminderRequest> read_reminder(std::string_view body) {
  return parsed<ReminderRequest>(body, [](const JsonReader& in, ReminderRequest& request) {
    return each_member(in, [&](std::string_view name, const JsonReader& value) {
      if (const auto read = read_schedule(name, value, request)) return *read;
      if (named(name, "overwrite")) return value.read_boolean(request.overwrite);
      if (named(name, "failurePolicy") || named(name, "failure_policy")) {
        return read_failure_policy(value, request.failure);
      }
      return true;
    });
  });
}

Result<TimerRequest> read_timer(std::string_view body) {
  return parsed<TimerRequest>(body, [](const JsonReader& in, TimerRequest& request) {
    return each_member(in, [&](std::string_view name, const JsonReader& value) {
      if (const auto read = read_schedule(name, value, request)) return *read;
      if (named(name, "callback")) return read_text(value, request.callback);
      return true;
    });
  });
}

std::string reminder_json(const NamedReminder& reminder) {
  JsonWriter out;
  out.begin_object();
  text_member(out, "actorID", reminder.key.id);
  text_member(out, "actorType", reminder.key.type);
  if (!reminder.facts.data.empty()) {
    out.field("data");
    out.raw(shown(reminder.facts.data).text());
  }
  text_member(out, "dueTime", reminder.facts.due_text);
  text_member(out, "period", reminder.facts.period);
  text_member(out, "ttl", reminder.facts.ttl);
  out.end_object();
  Result<std::string> json = out.finish();
  return json ? *std::move(json) : "{}";
}

std::string metadata_json(const Metadata& metadata) {
  JsonWriter out;
  out.begin_object();
  text_member(out, "id", metadata.id);
  text_member(out, "runtimeVersion", metadata.version);
  counts_member(out, "actors", metadata.actors);
  components_member(out, metadata.components);
  out.field("extended");
  out.write(metadata.extended);
  if (metadata.app) {
    out.field("appConnectionProperties");
    out.begin_object();
    out.field("port");
    out.write(metadata.app->port);
    text_member(out, "protocol", metadata.app->protocol);
    text_member(out, "channelAddress", metadata.app->channel_address);
    if (metadata.app->concurrency_max > 0) {
      out.field("maxConcurrency");
      out.write(metadata.app->concurrency_max);
    }
    out.end_object();
  }
  out.field("actorRuntime");
  out.begin_object();
  text_member(out, "runtimeStatus", metadata.ready ? "RUNNING" : "INITIALIZING");
  counts_member(out, "activeActors", metadata.actors);
  out.field("hostReady");
  out.boolean(metadata.ready);
  if (metadata.ready) text_member(out, "placement", "placement: connected");
  out.end_object();
  out.end_object();
  Result<std::string> json = out.finish();
  return json ? *std::move(json) : "{}";
}

}  // namespace troupe::api

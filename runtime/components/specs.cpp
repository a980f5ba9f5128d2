#include "runtime/components/specs.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "runtime/base/suggest.h"

namespace troupe::components {
namespace {

constexpr Duration kInitTimeout = std::chrono::seconds(5);
constexpr std::size_t kMetadataMax = 1'000;

// Blocks that components are of.
constexpr std::array<std::string_view, 10> kBlocks{
    "state", "pubsub", "bindings",   "secretstores",   "configuration",
    "lock",  "crypto", "middleware", "nameresolution", "conversation"};

// Any scalar as its text, other values as JSON.
std::string flat(const Value& value) {
  return value.kind == ValueKind::kText ? value.text : to_json(value);
}

SecretRef read_secret_ref(const Value& value, const std::string& path, Problems& problems) {
  SecretRef secret;
  Fields fields(value, path, problems);
  fields.required("name", secret.name);
  fields.text("key", secret.key);
  fields.finish();
  return secret;
}

NameValue read_name_value(const Value& item, const std::string& path, Problems& problems,
                          bool named) {
  NameValue entry;
  Fields fields(item, path, problems);
  if (named) fields.required("name", entry.name);
  if (const Value* value = fields.member("value")) entry.value = flat(*value);
  if (const Value* secret = fields.map("secretKeyRef")) {
    entry.secret = read_secret_ref(*secret, path + ".secretKeyRef", problems);
  }
  fields.text("envRef", entry.env);
  fields.finish();
  return entry;
}

void read_type(Fields& spec, Component& component) {
  spec.required("type", component.type);
  component.type = lower_case(component.type);
  if (component.type.empty()) return;
  const std::string block = component.type.substr(0, component.type.find('.'));
  if (std::ranges::find(kBlocks, block) == kBlocks.end()) {
    spec.problems().error(spec.line(), spec.path_of("type") + ": there is no block '" + block +
                                           "'" +
                                           did_you_mean(block, {kBlocks.begin(), kBlocks.end()}));
  } else if (block.size() + 1 >= component.type.size()) {
    spec.problems().error(spec.line(), spec.path_of("type") +
                                           ": expected a block and what serves "
                                           "it, as in state.redis, got '" +
                                           component.type + "'");
  }
}

void check_unique(const std::vector<NameValue>& metadata, Fields& spec) {
  std::set<std::string> seen;
  for (const NameValue& each : metadata) {
    if (seen.insert(lower_case(each.name)).second) continue;
    spec.problems().error(spec.line(), spec.path_of("metadata") + ": '" + each.name +
                                           "' is there twice (case does not count)");
  }
}

Subscription read_subscription(Fields& spec) {
  Subscription subscription;
  spec.required("pubsubname", subscription.pubsub);
  spec.required("topic", subscription.topic);
  spec.text("deadLetterTopic", subscription.dead_letter_topic);
  spec.texts_by_name("metadata", subscription.metadata);
  if (const Value* bulk = spec.map("bulkSubscribe")) {
    Fields fields(*bulk, spec.path_of("bulkSubscribe"), spec.problems());
    fields.boolean("enabled", subscription.bulk.enabled);
    fields.integer("maxMessagesCount", subscription.bulk.messages_max);
    fields.integer("maxAwaitDurationMs", subscription.bulk.await_ms_max);
    fields.finish();
  }
  return subscription;
}

void read_rules(Fields& routes, Subscription& subscription) {
  const Value* rules = routes.list("rules");
  if (rules == nullptr) return;
  for (std::size_t i = 0; i < rules->items.size(); ++i) {
    RouteRule rule;
    Fields fields(rules->items[i], routes.path_of("rules") + "[" + std::to_string(i) + "]",
                  routes.problems());
    fields.text("match", rule.match);
    fields.required("path", rule.path);
    fields.finish();
    subscription.rules.push_back(std::move(rule));
  }
}

NameValue read_tls_value(Fields& tls, std::string_view name) {
  const Value* value = tls.map(name);
  if (value == nullptr) return {};
  NameValue entry = read_name_value(*value, tls.path_of(name), tls.problems(), false);
  entry.name = name;
  return entry;
}

}  // namespace

const Value* spec_of(const Value& root, Problems& problems) {
  const Value* spec = root.find("spec");
  if (spec == nullptr) {
    problems.error(root.line, "spec: is missing");
  } else if (spec->kind != ValueKind::kMap) {
    problems.error(spec->line, "spec: " + expected("a map", *spec));
    return nullptr;
  }
  return spec;
}

std::string read_secret_store(const Value& root, Problems& problems) {
  const Value* auth = root.find("auth");
  std::string store;
  if (auth == nullptr) return store;
  Fields fields(*auth, "auth", problems);
  fields.text("secretStore", store);
  fields.finish();
  return store;
}

std::vector<NameValue> read_name_values(Fields& fields, std::string_view name) {
  std::vector<NameValue> all;
  const Value* list = fields.list(name);
  if (list == nullptr) return all;
  if (list->items.size() > kMetadataMax) {
    fields.problems().error(list->line, fields.path_of(name) + ": more than 1000 entries");
    return all;
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    all.push_back(read_name_value(list->items[i],
                                  fields.path_of(name) + "[" + std::to_string(i) + "]",
                                  fields.problems(), true));
  }
  return all;
}

std::optional<Spec> read_component(const Value& root, Problems& problems) {
  const Value* map = spec_of(root, problems);
  if (map == nullptr) return std::nullopt;
  Component component;
  Fields spec(*map, "spec", problems);
  read_type(spec, component);
  spec.text("version", component.version);
  component.version = lower_case(component.version);
  if (component.version.empty() || component.version == "v0") component.version = "v1";
  spec.boolean("ignoreErrors", component.ignore_errors);
  std::string timeout;
  spec.text("initTimeout", timeout);
  if (!timeout.empty()) {
    const Result<Duration> read = read_duration(timeout, std::chrono::seconds(1));
    if (read && *read > Duration::zero()) {
      component.init_timeout = *read;
    } else {
      component.init_timeout = kInitTimeout;
      problems.warning(map->line, "spec.initTimeout: expected a duration such as 10s, got '" +
                                      timeout + "': 5s it is");
    }
  }
  component.metadata = read_name_values(spec, "metadata");
  check_unique(component.metadata, spec);
  spec.finish();
  component.secret_store = read_secret_store(root, problems);
  return component;
}

std::optional<Spec> read_subscription_v1(const Value& root, Problems& problems) {
  const Value* map = spec_of(root, problems);
  if (map == nullptr) return std::nullopt;
  Fields spec(*map, "spec", problems);
  Subscription subscription = read_subscription(spec);
  spec.text("route", subscription.default_route);
  spec.finish();
  return subscription;
}

std::optional<Spec> read_subscription_v2(const Value& root, Problems& problems) {
  const Value* map = spec_of(root, problems);
  if (map == nullptr) return std::nullopt;
  Fields spec(*map, "spec", problems);
  Subscription subscription = read_subscription(spec);
  if (const Value* value = spec.map("routes")) {
    Fields routes(*value, "spec.routes", problems);
    read_rules(routes, subscription);
    routes.text("default", subscription.default_route);
    routes.finish();
  }
  spec.finish();
  return subscription;
}

std::optional<Spec> read_http_endpoint(const Value& root, Problems& problems) {
  const Value* map = spec_of(root, problems);
  if (map == nullptr) return std::nullopt;
  HttpEndpoint endpoint;
  Fields spec(*map, "spec", problems);
  spec.required("baseUrl", endpoint.base_url);
  endpoint.headers = read_name_values(spec, "headers");
  if (const Value* value = spec.map("clientTLS")) {
    Fields tls(*value, "spec.clientTLS", problems);
    endpoint.root_ca = read_tls_value(tls, "rootCA");
    endpoint.certificate = read_tls_value(tls, "certificate");
    endpoint.private_key = read_tls_value(tls, "privateKey");
    tls.text("renegotiation", endpoint.renegotiation);
    tls.finish();
  }
  spec.finish();
  endpoint.secret_store = read_secret_store(root, problems);
  return endpoint;
}

}  // namespace troupe::components

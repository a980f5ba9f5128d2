// How Resiliency and Configuration are read.
#include <algorithm>
#include <array>
#include <utility>

#include "runtime/components/specs.h"

namespace troupe::components {
namespace {

constexpr Duration kMillisecond = std::chrono::milliseconds(1);

// Calls `use(fields, name)` with each member of the map `name`.
template <class Use>
void each_map(Fields& fields, std::string_view name, Use use) {
  const Value* map = fields.map(name);
  if (map == nullptr) return;
  for (const auto& [key, value] : map->members) {
    Fields member(value, fields.path_of(name) + "." + key, fields.problems());
    use(member, key);
    member.finish();
  }
}

void one_of(Fields& fields, std::string_view name, const std::string& text,
            std::initializer_list<std::string_view> allowed) {
  if (text.empty() || std::ranges::find(allowed, text) != allowed.end()) return;
  std::string all;
  for (const std::string_view each : allowed) all += (all.empty() ? "" : ", ") + std::string(each);
  fields.problems().error(
      fields.line(), fields.path_of(name) + ": expected one of " + all + ", got '" + text + "'");
}

RetryPolicy read_retry(Fields& fields) {
  RetryPolicy retry;
  std::string policy;
  fields.text("policy", policy);
  one_of(fields, "policy", policy, {"constant", "exponential"});
  retry.exponential = policy == "exponential";
  fields.duration("duration", retry.duration, kMillisecond);
  fields.duration("maxInterval", retry.interval_max, kMillisecond);
  fields.integer("maxRetries", retry.retries_max);
  if (const Value* value = fields.map("matching")) {
    Fields matching(*value, fields.path_of("matching"), fields.problems());
    matching.text("httpStatusCodes", retry.http_codes);
    matching.text("gRPCStatusCodes", retry.grpc_codes);
    matching.finish();
  }
  return retry;
}

CircuitBreaker read_breaker(Fields& fields) {
  CircuitBreaker breaker;
  fields.integer("maxRequests", breaker.requests_max);
  fields.duration("interval", breaker.interval, kMillisecond);
  fields.duration("timeout", breaker.timeout, kMillisecond);
  fields.text("trip", breaker.trip);
  return breaker;
}

PolicyNames read_names(Fields& fields) {
  PolicyNames names;
  fields.text("timeout", names.timeout);
  fields.text("retry", names.retry);
  fields.text("circuitBreaker", names.circuit_breaker);
  return names;
}

PolicyNames read_direction(Fields& fields, std::string_view name) {
  const Value* value = fields.map(name);
  if (value == nullptr) return {};
  Fields direction(*value, fields.path_of(name), fields.problems());
  PolicyNames names = read_names(direction);
  direction.finish();
  return names;
}

void read_policies(Fields& policies, Resiliency& resiliency) {
  if (const Value* timeouts = policies.map("timeouts")) {
    Fields fields(*timeouts, policies.path_of("timeouts"), policies.problems());
    for (const auto& [name, value] : timeouts->members) {
      fields.duration(name, resiliency.timeouts[name], kMillisecond);
    }
  }
  each_map(policies, "retries", [&](Fields& fields, const std::string& name) {
    resiliency.retries[name] = read_retry(fields);
  });
  each_map(policies, "circuitBreakers", [&](Fields& fields, const std::string& name) {
    resiliency.circuit_breakers[name] = read_breaker(fields);
  });
}

void read_targets(Fields& targets, Resiliency& resiliency) {
  each_map(targets, "apps", [&](Fields& fields, const std::string& name) {
    PolicyNames& names = resiliency.apps[name] = read_names(fields);
    names.circuit_breakers_max = 100;
    fields.integer("circuitBreakerCacheSize", names.circuit_breakers_max);
  });
  each_map(targets, "actors", [&](Fields& fields, const std::string& name) {
    PolicyNames& names = resiliency.actors[name] = read_names(fields);
    fields.text("circuitBreakerScope", names.circuit_breaker_scope);
    one_of(fields, "circuitBreakerScope", names.circuit_breaker_scope, {"type", "id", "both"});
    fields.integer("circuitBreakerCacheSize", names.circuit_breakers_max);
    if (!names.circuit_breaker.empty() && names.circuit_breaker_scope.empty()) {
      fields.problems().error(
          fields.line(), fields.path_of("circuitBreakerScope") + ": is missing: type, id or both");
    }
  });
  each_map(targets, "components", [&](Fields& fields, const std::string& name) {
    resiliency.components[name] = {.inbound = read_direction(fields, "inbound"),
                                   .outbound = read_direction(fields, "outbound")};
  });
}

void read_tracing(Fields& spec, Configuration& configuration) {
  const Value* value = spec.map("tracing");
  if (value == nullptr) return;
  Fields tracing(*value, "spec.tracing", spec.problems());
  tracing.text("samplingRate", configuration.sampling_rate);
  tracing.member("stdout");
  if (const Value* zipkin = tracing.map("zipkin")) {
    Fields fields(*zipkin, "spec.tracing.zipkin", spec.problems());
    fields.text("endpointAddress", configuration.zipkin_endpoint);
    fields.finish();
  }
  if (const Value* otel = tracing.map("otel")) {
    Fields fields(*otel, "spec.tracing.otel", spec.problems());
    fields.text("endpointAddress", configuration.otel_endpoint);
    fields.boolean("isSecure", configuration.otel_secure);
    fields.text("protocol", configuration.otel_protocol);
    fields.member("headers");
    fields.member("timeout");
    fields.finish();
  }
  tracing.finish();
}

std::vector<PipelineHandler> read_pipeline(Fields& spec, std::string_view name) {
  std::vector<PipelineHandler> handlers;
  const Value* value = spec.map(name);
  if (value == nullptr) return handlers;
  Fields pipeline(*value, spec.path_of(name), spec.problems());
  if (const Value* list = pipeline.list("handlers")) {
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      PipelineHandler handler;
      Fields fields(list->items[i], pipeline.path_of("handlers") + "[" + std::to_string(i) + "]",
                    spec.problems());
      fields.required("name", handler.name);
      fields.required("type", handler.type);
      fields.text("version", handler.version);
      fields.member("selector");
      fields.finish();
      handlers.push_back(std::move(handler));
    }
  }
  pipeline.finish();
  return handlers;
}

void read_secret_scopes(Fields& spec, Configuration& configuration) {
  const Value* value = spec.map("secrets");
  if (value == nullptr) return;
  Fields secrets(*value, "spec.secrets", spec.problems());
  if (const Value* list = secrets.list("scopes")) {
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      SecretScope scope;
      std::string access;
      Fields fields(list->items[i], "spec.secrets.scopes[" + std::to_string(i) + "]",
                    spec.problems());
      fields.required("storeName", scope.store);
      fields.text("defaultAccess", access);
      one_of(fields, "defaultAccess", lower_case(access), {"allow", "deny"});
      scope.allowed_by_default = lower_case(access) != "deny";
      fields.texts("allowedSecrets", scope.allowed);
      fields.texts("deniedSecrets", scope.denied);
      fields.finish();
      if (std::ranges::find(configuration.secret_scopes, scope.store, &SecretScope::store) !=
          configuration.secret_scopes.end()) {
        spec.problems().error(
            fields.line(), fields.path_of("storeName") + ": '" + scope.store + "' is there twice");
      }
      configuration.secret_scopes.push_back(std::move(scope));
    }
  }
  secrets.finish();
}

std::vector<ApiRule> read_rules(Fields& api, std::string_view name) {
  std::vector<ApiRule> rules;
  const Value* list = api.list(name);
  if (list == nullptr) return rules;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    ApiRule rule;
    Fields fields(list->items[i], api.path_of(name) + "[" + std::to_string(i) + "]",
                  api.problems());
    fields.required("name", rule.name);
    fields.text("version", rule.version);
    fields.text("protocol", rule.protocol);
    one_of(fields, "protocol", rule.protocol, {"http", "grpc"});
    fields.finish();
    rules.push_back(std::move(rule));
  }
  return rules;
}

void read_features(Fields& spec, Configuration& configuration) {
  const Value* list = spec.list("features");
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    std::string name;
    bool enabled = false;
    Fields fields(list->items[i], "spec.features[" + std::to_string(i) + "]", spec.problems());
    fields.required("name", name);
    fields.boolean("enabled", enabled);
    fields.finish();
    configuration.features[name] = enabled;
  }
}

}  // namespace

std::optional<Spec> read_resiliency(const Value& root, Problems& problems) {
  const Value* map = spec_of(root, problems);
  if (map == nullptr) return std::nullopt;
  Resiliency resiliency;
  Fields spec(*map, "spec", problems);
  if (const Value* value = spec.map("policies")) {
    Fields policies(*value, "spec.policies", problems);
    read_policies(policies, resiliency);
    policies.finish();
  }
  if (const Value* value = spec.map("targets")) {
    Fields targets(*value, "spec.targets", problems);
    read_targets(targets, resiliency);
    targets.finish();
  }
  spec.finish();
  return resiliency;
}

std::optional<Spec> read_configuration(const Value& root, Problems& problems) {
  Configuration configuration;
  const Value* map = root.find("spec");
  if (map == nullptr) return configuration;
  Fields spec(*map, "spec", problems);
  read_tracing(spec, configuration);
  for (const std::string_view name : {"metric", "metrics"}) {
    const Value* value = spec.map(name);
    if (value == nullptr) continue;
    Fields metrics(*value, spec.path_of(name), problems);
    metrics.boolean("enabled", configuration.metrics_enabled);
  }
  configuration.http_pipeline = read_pipeline(spec, "httpPipeline");
  configuration.app_http_pipeline = read_pipeline(spec, "appHttpPipeline");
  read_secret_scopes(spec, configuration);
  if (const Value* value = spec.map("api")) {
    Fields api(*value, "spec.api", problems);
    configuration.api_allowed = read_rules(api, "allowed");
    configuration.api_denied = read_rules(api, "denied");
    api.finish();
  }
  if (const Value* value = spec.map("components")) {
    Fields components(*value, "spec.components", problems);
    components.texts("deny", configuration.denied_components);
    for (std::string& each : configuration.denied_components) each = lower_case(each);
    components.finish();
  }
  read_features(spec, configuration);
  for (const std::string_view name :
       {"accessControl", "nameResolution", "logging", "workflow", "mtls", "wasm"}) {
    if (const Value* value = spec.map(name)) {
      configuration.others[std::string(name)] = to_json(*value);
    }
  }
  spec.finish();
  return configuration;
}

}  // namespace troupe::components

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/components/document.h"
#include <troupe/time.h>

/// Dapr's resources, as plain values.
namespace troupe::components {

struct SecretRef {
  std::string name = {};
  std::string key = {};  // empty: the name

  friend bool operator==(const SecretRef&, const SecretRef&) = default;
};

/// A named value, written down or to be looked up; see resolve.h.
struct NameValue {
  std::string name = {};
  std::optional<std::string> value = {};
  std::optional<SecretRef> secret = {};
  std::string env = {};

  friend bool operator==(const NameValue&, const NameValue&) = default;
};

/// A configured implementation of a building block: `state.redis`, `v1`.
struct Component {
  std::string type = {};     // lower case
  std::string version = {};  // v1 for "", v0 and v1
  bool ignore_errors = false;
  Duration init_timeout = std::chrono::seconds(5);
  std::vector<NameValue> metadata = {};
  std::string secret_store = {};

  friend bool operator==(const Component&, const Component&) = default;
};

struct BulkSubscribe {
  bool enabled = false;
  std::int64_t messages_max = 100;
  std::int64_t await_ms_max = 1'000;

  friend bool operator==(const BulkSubscribe&, const BulkSubscribe&) = default;
};

struct RouteRule {
  std::string match = {};  // CEL; empty: always
  std::string path = {};

  friend bool operator==(const RouteRule&, const RouteRule&) = default;
};

struct Subscription {
  std::string pubsub = {};
  std::string topic = {};
  std::vector<RouteRule> rules = {};
  std::string default_route = {};
  std::string dead_letter_topic = {};
  std::map<std::string, std::string> metadata = {};
  BulkSubscribe bulk = {};

  friend bool operator==(const Subscription&, const Subscription&) = default;
};

struct HttpEndpoint {
  std::string base_url = {};
  std::vector<NameValue> headers = {};
  NameValue root_ca = {};
  NameValue certificate = {};
  NameValue private_key = {};
  std::string renegotiation = {};
  std::string secret_store = {};

  friend bool operator==(const HttpEndpoint&, const HttpEndpoint&) = default;
};

struct RetryPolicy {
  bool exponential = false;
  Duration duration = std::chrono::seconds(5);
  Duration interval_max = std::chrono::seconds(60);
  std::int64_t retries_max = -1;  // without end
  std::string http_codes = {};
  std::string grpc_codes = {};

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

struct CircuitBreaker {
  std::int64_t requests_max = 1;
  Duration interval = Duration::zero();  // of the counters; zero: never reset
  Duration timeout = std::chrono::seconds(60);
  std::string trip = "consecutiveFailures > 5";

  friend bool operator==(const CircuitBreaker&, const CircuitBreaker&) = default;
};

/// Names of policies; empty: none.
struct PolicyNames {
  std::string timeout = {};
  std::string retry = {};
  std::string circuit_breaker = {};
  std::string circuit_breaker_scope = {};     // of actors: type, id or both
  std::int64_t circuit_breakers_max = 5'000;  // of actors and apps

  friend bool operator==(const PolicyNames&, const PolicyNames&) = default;
};

struct ComponentPolicies {
  PolicyNames inbound = {};
  PolicyNames outbound = {};

  friend bool operator==(const ComponentPolicies&, const ComponentPolicies&) = default;
};

struct Resiliency {
  std::map<std::string, Duration> timeouts = {};
  std::map<std::string, RetryPolicy> retries = {};
  std::map<std::string, CircuitBreaker> circuit_breakers = {};
  std::map<std::string, PolicyNames> apps = {};
  std::map<std::string, PolicyNames> actors = {};
  std::map<std::string, ComponentPolicies> components = {};

  friend bool operator==(const Resiliency&, const Resiliency&) = default;
};

struct PipelineHandler {
  std::string name = {};
  std::string type = {};
  std::string version = {};

  friend bool operator==(const PipelineHandler&, const PipelineHandler&) = default;
};

struct SecretScope {
  std::string store = {};
  bool allowed_by_default = true;
  std::vector<std::string> allowed = {};
  std::vector<std::string> denied = {};

  friend bool operator==(const SecretScope&, const SecretScope&) = default;
};

struct ApiRule {
  std::string name = {};
  std::string version = {};
  std::string protocol = {};

  friend bool operator==(const ApiRule&, const ApiRule&) = default;
};

/// What of a Configuration is known here. The rest is kept as JSON, by its name in `spec`.
struct Configuration {
  std::string sampling_rate = {};
  std::string zipkin_endpoint = {};
  std::string otel_endpoint = {};
  bool otel_secure = true;
  std::string otel_protocol = {};
  bool metrics_enabled = true;
  std::vector<PipelineHandler> http_pipeline = {};
  std::vector<PipelineHandler> app_http_pipeline = {};
  std::vector<SecretScope> secret_scopes = {};
  std::vector<ApiRule> api_allowed = {};
  std::vector<ApiRule> api_denied = {};
  std::vector<std::string> denied_components = {};  // `type` or `type/version`, lower case
  std::map<std::string, bool> features = {};
  std::map<std::string, std::string> others = {};

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

using Spec = std::variant<Component, Configuration, Subscription, HttpEndpoint, Resiliency>;

/// `Component`, `HTTPEndpoint` ...
std::string_view kind_of(const Spec& spec);

/// Where something was read.
struct Place {
  std::string file = {};
  std::size_t line = 0;
};
/// `components/redis.yaml:12`.
std::string to_string(const Place& place);

struct Resource {
  std::string name = {};
  std::string name_space = {};
  std::vector<std::string> scopes = {};  // app ids that it is for; empty: all
  Spec spec = {};
  Place place = {};

  /// The same to those who use it, wherever it stands.
  bool same_as(const Resource& other) const {
    return name == other.name && name_space == other.name_space && spec == other.spec;
  }
};

/// For whom resources are read.
struct Audience {
  std::string app_id = {};
  std::string name_space = {};  // empty: whatever a resource says counts
};

/// Its scopes and namespace let this app use it.
bool meant_for(const Resource& resource, const Audience& audience);

}  // namespace troupe::components

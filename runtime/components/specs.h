#pragma once

#include <optional>

#include "runtime/components/fields.h"
#include "runtime/components/resource.h"

/// How each kind of resource is read from its document. What is wrong is noted; the result counts
/// only without errors.
namespace troupe::components {

std::optional<Spec> read_component(const Value& root, Problems& problems);
std::optional<Spec> read_configuration(const Value& root, Problems& problems);
std::optional<Spec> read_subscription_v1(const Value& root, Problems& problems);
std::optional<Spec> read_subscription_v2(const Value& root, Problems& problems);
std::optional<Spec> read_http_endpoint(const Value& root, Problems& problems);
std::optional<Spec> read_resiliency(const Value& root, Problems& problems);

/// A list of `{name, value | secretKeyRef | envRef}`.
std::vector<NameValue> read_name_values(Fields& fields, std::string_view name);

/// `auth.secretStore`.
std::string read_secret_store(const Value& root, Problems& problems);

/// `spec`, an error if it is missing.
const Value* spec_of(const Value& root, Problems& problems);

}  // namespace troupe::components

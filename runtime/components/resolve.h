#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/components/parse.h"
#include "runtime/components/resource.h"
#include <troupe/result.h>

namespace troupe::components {

/// What references and templates stand for.
struct Surroundings {
  Environment environment = {};
  /// The secret `name` of the store `store`, its values by key. kNotFound if there is no such
  /// store.
  std::function<Result<std::map<std::string, std::string>>(const std::string& store,
                                                           const std::string& name)>
      secret = {};
  std::function<std::string()> uuid = {};
  std::string app_id = {};
};

/// Values by name, and what became of references that lead nowhere: those stay unset, as with Dapr.
struct Resolved {
  std::map<std::string, std::string> values = {};
  std::vector<std::string> warnings = {};
};

/// Looks up what `entries` refer to, and fills in `{uuid}`, `{podName}`, `{namespace}` and
/// `{appID}`. A secret is stronger than a value, a value stronger than the environment. kInvalid
/// for a secret without a store and for `{podName}` where there is no POD_NAME; kNotFound for a
/// store that is not there.
Result<Resolved> resolve(const std::vector<NameValue>& entries, const std::string& secret_store,
                         const Surroundings& surroundings);

/// Dapr hides its own variables and the app's token from references.
bool may_refer_to(std::string_view variable, const Environment& environment);

}  // namespace troupe::components

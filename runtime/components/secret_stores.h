#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/components/parse.h"
#include "runtime/components/properties.h"
#include <troupe/result.h>

namespace troupe::components {

/// A place of secrets, for references. Immutable; thread-safe.
class SecretStore {
 public:
  virtual ~SecretStore() = default;

  /// The values of a secret by key; a store without keys has one, the name. kUnavailable if there
  /// is no such secret.
  virtual Result<std::map<std::string, std::string>> secret(const std::string& name) const = 0;
};

/// secretstores.local.file: a file of JSON, read once, here. kInvalid, naming the file.
Result<std::unique_ptr<SecretStore>> local_file_secrets(Properties& properties);

/// secretstores.local.env: variables of the environment, without those that are Dapr's own.
Result<std::unique_ptr<SecretStore>> local_env_secrets(Properties& properties,
                                                       Environment environment);

}  // namespace troupe::components

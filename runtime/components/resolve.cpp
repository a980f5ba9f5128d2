#include "runtime/components/resolve.h"

#include <algorithm>
#include <utility>

namespace troupe::components {
namespace {

// Replaces every `{name}` in `text`; each occurrence asks anew.
Result<void> fill_in(std::string& text, std::string_view name,
                     const std::function<Result<std::string>()>& value) {
  std::size_t at = text.find(name);
  while (at != std::string::npos) {
    const Result<std::string> filled = value();
    if (!filled) return fail(filled.error());
    text.replace(at, name.size(), *filled);
    at = text.find(name, at + filled->size());
  }
  return {};
}

Result<void> fill_in_all(std::string& text, const Surroundings& on) {
  if (text.find('{') == std::string::npos) return {};
  const std::string name_space = on.environment("NAMESPACE").value_or("default");
  const std::pair<std::string_view, std::function<Result<std::string>()>> templates[] = {
      {"{uuid}", [&]() -> Result<std::string> { return on.uuid(); }},
      {"{podName}",
       [&]() -> Result<std::string> {
         const std::optional<std::string> pod = on.environment("POD_NAME");
         if (pod && !pod->empty()) return *pod;
         return fail(Code::kInvalid, "{podName} is asked for, but POD_NAME is not set");
       }},
      {"{namespace}", [&]() -> Result<std::string> { return name_space + "." + on.app_id; }},
      {"{appID}", [&]() -> Result<std::string> { return on.app_id; }},
  };
  for (const auto& [name, value] : templates) {
    if (Result<void> filled = fill_in(text, name, value); !filled) return filled;
  }
  return {};
}

// Nothing, with a warning, where a reference leads to nothing.
Result<std::optional<std::string>> looked_up(const NameValue& entry, const std::string& store,
                                             const Surroundings& on, Resolved& resolved) {
  if (entry.secret) {
    if (store.empty()) {
      return fail(Code::kInvalid, "metadata '" + entry.name +
                                      "' refers to a secret, but there is no auth.secretStore");
    }
    const auto values = on.secret(store, entry.secret->name);
    if (!values && values.error().code == Code::kNotFound) return fail(values.error());
    const std::string& key = entry.secret->key.empty() ? entry.secret->name : entry.secret->key;
    if (values) {
      const auto found = values->find(key);
      if (found != values->end() && !found->second.empty()) return std::optional(found->second);
    }
    resolved.warnings.push_back("metadata '" + entry.name + "': the secret store '" + store +
                                "' has no secret '" + entry.secret->name + "' with key '" + key +
                                "'");
  }
  if (entry.value) return entry.value;
  if (entry.env.empty()) return std::optional<std::string>();
  if (!may_refer_to(entry.env, on.environment)) {
    resolved.warnings.push_back("metadata '" + entry.name + "': the variable '" + entry.env +
                                "' may not be referred to");
    return std::optional<std::string>();
  }
  return on.environment(entry.env);
}

}  // namespace

bool may_refer_to(std::string_view variable, const Environment& environment) {
  std::string upper(variable);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : static_cast<char>(c);
  });
  if (upper.empty() || upper.find(' ') != std::string::npos) return false;
  if (upper == "APP_API_TOKEN" || upper.starts_with("DAPR_")) return false;
  const std::optional<std::string> allowed = environment("DAPR_ENV_KEYS");
  if (!allowed) return true;
  return (" " + *allowed + " ").find(" " + std::string(variable) + " ") != std::string::npos;
}

Result<Resolved> resolve(const std::vector<NameValue>& entries, const std::string& secret_store,
                         const Surroundings& surroundings) {
  Resolved resolved;
  for (const NameValue& each : entries) {
    Result<std::optional<std::string>> value =
        looked_up(each, secret_store, surroundings, resolved);
    if (!value) return fail(value.error());
    if (!*value) continue;
    if (Result<void> filled = fill_in_all(**value, surroundings); !filled) {
      return fail(Code::kInvalid, "metadata '" + each.name + "': " + filled.error().message);
    }
    resolved.values[each.name] = **std::move(value);
  }
  return resolved;
}

}  // namespace troupe::components

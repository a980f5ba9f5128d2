#include "runtime/components/secret_stores.h"

#include <utility>

#include "runtime/components/fields.h"
#include "runtime/components/folder.h"
#include <troupe/json.h>

namespace troupe::components {
namespace {

using Values = std::map<std::string, std::string>;

class FileSecrets final : public SecretStore {
 public:
  explicit FileSecrets(std::map<std::string, Values> secrets) : secrets_(std::move(secrets)) {}

  Result<Values> secret(const std::string& name) const override {
    const auto found = secrets_.find(name);
    if (found != secrets_.end()) return found->second;
    return fail(Code::kUnavailable, "secret " + name + " not found");
  }

 private:
  std::map<std::string, Values> secrets_;
};

class EnvironmentSecrets final : public SecretStore {
 public:
  EnvironmentSecrets(Environment environment, std::string prefix)
      : environment_(std::move(environment)), prefix_(std::move(prefix)) {}

  Result<Values> secret(const std::string& name) const override {
    const std::string variable = prefix_ + name;
    std::string value;
    if (variable != "APP_API_TOKEN" && !lower_case(variable).starts_with("dapr_")) {
      value = environment_(variable).value_or("");
    }
    return Values{{name, value}};
  }

 private:
  Environment environment_;
  std::string prefix_;
};

// `a.b.0` for what lies in objects and lists; numbers and truth values as their text.
bool flatten(const JsonReader& in, const std::string& path, const std::string& separator,
             Values& all) {
  const auto below = [&](std::string_view name) {
    return path.empty() ? std::string(name) : path + separator + std::string(name);
  };
  switch (in.kind()) {
    case JsonKind::kObject: {
      JsonMembers members;
      if (!in.read_members(members)) return false;
      std::string_view name;
      JsonReader value;
      while (members.next(name, value)) {
        if (!flatten(value, below(name), separator, all)) return false;
      }
      return true;
    }
    case JsonKind::kArray: {
      JsonItems items;
      if (!in.read_items(items)) return false;
      JsonReader item;
      for (std::size_t i = 0; items.next(item); ++i) {
        if (!flatten(item, below(std::to_string(i)), separator, all)) return false;
      }
      return true;
    }
    case JsonKind::kString: {
      std::string_view text;
      if (!in.read_string(text)) return false;
      all[path] = text;
      return true;
    }
    default:
      return in.read_raw(all[path]);
  }
}

bool read_secrets(const JsonReader& root, const std::string& separator, bool several_values,
                  std::map<std::string, Values>& secrets) {
  if (!several_values) {
    Values all;
    if (!flatten(root, "", separator, all)) return false;
    for (const auto& [name, value] : all) secrets[name] = {{name, value}};
    return true;
  }
  JsonMembers members;
  if (!root.read_members(members)) return false;
  std::string_view name;
  JsonReader value;
  while (members.next(name, value)) {
    const std::string secret(name);
    Values values;
    if (!flatten(value, value.kind() == JsonKind::kObject ? "" : secret, separator, values)) {
      return false;
    }
    if (value.kind() == JsonKind::kObject || value.kind() == JsonKind::kString) {
      secrets[secret] = std::move(values);
    }
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<SecretStore>> local_file_secrets(Properties& properties) {
  const std::string file = properties.text_or({"secretsFile"}, "");
  const std::string separator = properties.text_or({"nestedSeparator"}, ":");
  const bool several_values = properties.truth({"multiValued"});
  if (file.empty()) return fail(Code::kInvalid, "metadata 'secretsFile' is missing");
  const Result<std::string> text = read_file(file);
  if (!text) return fail(Code::kInvalid, file + ": " + text.error().message);
  JsonDocument document(*text);
  const JsonReader root = document.root();
  std::map<std::string, Values> secrets;
  if (!root || root.kind() != JsonKind::kObject ||
      !read_secrets(root, separator, several_values, secrets)) {
    return fail(Code::kInvalid, file + ": expected an object of JSON");
  }
  return std::unique_ptr<SecretStore>(std::make_unique<FileSecrets>(std::move(secrets)));
}

Result<std::unique_ptr<SecretStore>> local_env_secrets(Properties& properties,
                                                       Environment environment) {
  return std::unique_ptr<SecretStore>(std::make_unique<EnvironmentSecrets>(
      std::move(environment), properties.text_or({"prefix"}, "")));
}

}  // namespace troupe::components

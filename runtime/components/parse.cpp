#include "runtime/components/parse.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "runtime/components/specs.h"

namespace troupe::components {
namespace {

constexpr std::string_view kVersion1 = "dapr.io/v1alpha1";
constexpr std::string_view kVersion2 = "dapr.io/v2alpha1";

struct Kind {
  std::string_view api_version;
  std::string_view name;
  std::optional<Spec> (*read)(const Value& root, Problems& problems);
};
constexpr std::array kKinds{
    Kind{kVersion1, "Component", read_component},
    Kind{kVersion1, "Configuration", read_configuration},
    Kind{kVersion1, "Subscription", read_subscription_v1},
    Kind{kVersion2, "Subscription", read_subscription_v2},
    Kind{kVersion1, "HTTPEndpoint", read_http_endpoint},
    Kind{kVersion1, "Resiliency", read_resiliency},
};
// Dapr's, which nothing here uses yet.
constexpr std::array<std::string_view, 2> kOtherKinds{"MCPServer", "WorkflowAccessPolicy"};

std::string text_of(const Value& root, std::string_view name) {
  const Value* found = root.find(name);
  return found != nullptr && found->kind == ValueKind::kText ? found->text : std::string();
}

bool ours(std::string_view api_version) { return api_version.starts_with("dapr.io/"); }

// What is no resource of Dapr's is none of our business, but for one that was meant to be.
void pass_over(const Value& root, const std::string& version, const std::string& kind,
               Problems& problems) {
  if (!ours(version)) return;
  if (std::ranges::find(kOtherKinds, kind) != kOtherKinds.end()) {
    return problems.warning(root.line, "kind: '" + kind + "' is not read yet");
  }
  std::string known;
  for (const Kind& each : kKinds) {
    if (each.name == kind) {
      return problems.error(root.line, "apiVersion: '" + version + "' has no kind '" + kind +
                                           "'; it is of '" + std::string(each.api_version) + "'");
    }
    if (known.find(each.name) != std::string::npos) continue;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  problems.error(root.line, "kind: there is no '" + kind + "'; there are " + known);
}

bool path_segment(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of("/%") == std::string_view::npos;
}

void read_names(const Value& root, Resource& resource, Problems& problems) {
  Fields top(root, "", problems);
  for (const std::string_view other : {"apiVersion", "kind", "spec", "auth"}) top.member(other);
  top.texts("scopes", resource.scopes);
  const Value* metadata = top.map("metadata");
  if (metadata == nullptr) {
    if (root.find("metadata") == nullptr) problems.error(root.line, "metadata: is missing");
  } else {
    // Labels, annotations and the like are Kubernetes', and not looked at.
    Fields names(*metadata, "metadata", problems);
    names.required("name", resource.name);
    names.text("namespace", resource.name_space);
    if (!resource.name.empty() && !path_segment(resource.name)) {
      problems.error(metadata->line, "metadata.name: '" + resource.name +
                                         "' cannot be part of a path: it may not be . or .., nor "
                                         "contain / or %");
    }
  }
  top.finish();
}

void read_document(const DocumentText& document, Parsed& parsed, const std::string& file) {
  Problems problems{.file = file, .all = {}};
  const auto keep = [&] {
    for (Problem& each : problems.all) parsed.problems.push_back(std::move(each));
  };
  const Result<Value> root = parse_document(document);
  if (!root) {
    problems.error(document.line, root.error().message);
    return keep();
  }
  if (root->kind == ValueKind::kNull) return;
  if (root->kind != ValueKind::kMap) {
    problems.error(root->line, expected("a resource, which is a map", *root));
    return keep();
  }
  const std::string version = text_of(*root, "apiVersion");
  const std::string kind = text_of(*root, "kind");
  for (const Kind& each : kKinds) {
    if (each.api_version != version || each.name != kind) continue;
    Resource resource;
    resource.place = {.file = file, .line = root->line};
    read_names(*root, resource, problems);
    std::optional<Spec> spec = each.read(*root, problems);
    if (spec && !problems.errors()) {
      resource.spec = *std::move(spec);
      parsed.resources.push_back(std::move(resource));
    }
    return keep();
  }
  pass_over(*root, version, kind, problems);
  keep();
}

std::string expanded(std::string_view text, const Environment& environment) {
  const auto part_of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::string all;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    all += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    text.remove_prefix(1);
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t after = 0;
    if (text.starts_with('{')) {
      begin = 1;
      end = std::min(text.find('}'), text.size());
      after = std::min(end + 1, text.size());
    } else {
      while (end < text.size() && part_of_name(text[end])) ++end;
      after = end;
    }
    all += environment(std::string(text.substr(begin, end - begin))).value_or("");
    text.remove_prefix(after);
  }
  return all;
}

std::pair<std::string_view, std::string_view> identity(const Resource& resource) {
  return {kind_of(resource.spec), resource.name};
}

}  // namespace

Parsed parse_resources(std::string_view text, const std::string& file) {
  Parsed parsed;
  for (const DocumentText& document : split_documents(text)) {
    read_document(document, parsed, file);
  }
  return parsed;
}

Parsed parse_configuration(std::string_view text, const std::string& file,
                           const Environment& environment) {
  return parse_resources(expanded(text, environment), file);
}

void refuse_duplicates(Parsed& all) {
  std::map<std::pair<std::string, std::string>, Place> seen;
  std::erase_if(all.resources, [&](const Resource& each) {
    const auto [kind, name] = identity(each);
    const auto [before, fresh] =
        seen.try_emplace({std::string(kind), std::string(name)}, each.place);
    if (fresh) return false;
    all.problems.push_back({.place = each.place,
                            .message = "metadata.name: there is a " + std::string(kind) + " '" +
                                       each.name + "' already, at " + to_string(before->second),
                            .error = true});
    return true;
  });
}

Difference difference(const std::vector<Resource>& before, const std::vector<Resource>& after) {
  std::map<std::pair<std::string_view, std::string_view>, const Resource*> old;
  for (const Resource& each : before) old.try_emplace(identity(each), &each);
  Difference result;
  std::set<const Resource*> kept;
  for (const Resource& each : after) {
    const auto found = old.find(identity(each));
    if (found == old.end()) {
      result.added.push_back(each);
      continue;
    }
    kept.insert(found->second);
    if (!each.same_as(*found->second)) result.changed.push_back(each);
  }
  for (const Resource& each : before) {
    if (!kept.contains(&each)) result.gone.push_back(each);
  }
  return result;
}

std::string_view kind_of(const Spec& spec) {
  constexpr std::array<std::string_view, 5> kNames{"Component", "Configuration", "Subscription",
                                                   "HTTPEndpoint", "Resiliency"};
  static_assert(kNames.size() == std::variant_size_v<Spec>);
  return kNames.at(spec.index());
}

std::string to_string(const Place& place) { return place.file + ":" + std::to_string(place.line); }

bool meant_for(const Resource& resource, const Audience& audience) {
  if (!resource.scopes.empty() &&
      std::ranges::find(resource.scopes, audience.app_id) == resource.scopes.end()) {
    return false;
  }
  return audience.name_space.empty() || resource.name_space.empty() ||
         audience.name_space == resource.name_space;
}

}  // namespace troupe::components

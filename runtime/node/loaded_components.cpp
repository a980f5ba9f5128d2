#include "runtime/node/loaded_components.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "runtime/blocks/state/uuid.h"
#include "runtime/components/folder.h"

namespace troupe::node {
namespace {

using components::Component;
using components::Resource;

constexpr std::string_view kDefaultStore = "statestore";

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets any
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::string block_of(const Component& component) {
  return component.type.substr(0, component.type.find('.'));
}

// Times and sizes of the files: enough to notice that somebody wrote one.
std::string fingerprint_of(const std::vector<std::string>& folders) {
  std::set<std::string> files;
  for (const std::string& folder : folders) {
    std::error_code error;
    for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end;
         each.increment(error)) {
      std::error_code ignored;
      files.insert(each->path().string() + " " + std::to_string(each->file_size(ignored)) + " " +
                   std::to_string(each->last_write_time(ignored).time_since_epoch().count()));
    }
  }
  std::string all;
  for (const std::string& each : files) all += each + "\n";
  return all;
}

}  // namespace

LoadedComponents::LoadedComponents(blocks::state::StoreSurroundings surroundings, Options options)
    : on_(surroundings), options_(std::move(options)) {
  audience_ = {.app_id = options_.app_id, .name_space = environment("NAMESPACE").value_or("")};
}

LoadedComponents::~LoadedComponents() { stop(); }

components::Surroundings LoadedComponents::lookups() const {
  return {.environment = environment,
          .secret = [this](const std::string& store,
                           const std::string& name) -> Result<std::map<std::string, std::string>> {
            const auto found = secret_stores_.find(store);
            if (found != secret_stores_.end()) return found->second->secret(name);
            return fail(Code::kNotFound, "there is no secret store '" + store + "'");
          },
          .uuid = blocks::state::new_uuid,
          .app_id = options_.app_id};
}

void LoadedComponents::warn(const Resource& resource, const std::string& message) const {
  on_.log.warning("component", {{"name", resource.name},
                                {"at", components::to_string(resource.place)},
                                {"problem", message}});
}

std::vector<Resource> LoadedComponents::read() {
  fingerprint_ = fingerprint_of(options_.folders);
  components::Parsed parsed = components::read_folders(options_.folders);
  for (const components::Problem& each : parsed.problems) {
    const std::string place = components::to_string(each.place);
    if (each.error) {
      on_.log.error("resource not read", {{"at", place}, {"problem", each.message}});
    } else {
      on_.log.warning("resource", {{"at", place}, {"problem", each.message}});
    }
  }
  std::erase_if(parsed.resources, [&](const Resource& each) {
    const Component* component = std::get_if<Component>(&each.spec);
    return !components::meant_for(each, audience_) || (component != nullptr && denied(*component));
  });
  return std::move(parsed.resources);
}

bool LoadedComponents::denied(const Component& component) const {
  const auto& deny = configuration_.denied_components;
  return std::ranges::find(deny, component.type) != deny.end() ||
         std::ranges::find(deny, component.type + "/" + component.version) != deny.end();
}

void LoadedComponents::read_configurations() {
  for (const std::string& file : options_.configurations) {
    const Result<std::string> text = components::read_file(file);
    if (!text) {
      on_.log.error("resource not read", {{"at", file}, {"problem", text.error().message}});
      continue;
    }
    const components::Parsed parsed = components::parse_configuration(*text, file, environment);
    for (const components::Problem& each : parsed.problems) {
      on_.log.warning("resource",
                      {{"at", components::to_string(each.place)}, {"problem", each.message}});
    }
    for (const Resource& each : parsed.resources) {
      const auto* found = std::get_if<components::Configuration>(&each.spec);
      if (found != nullptr) configuration_ = *found;
    }
  }
}

Result<void> LoadedComponents::load() {
  read_configurations();
  std::vector<Resource> resources = read();
  const components::Difference all = components::difference({}, resources);
  Result<void> applied = apply(all, true);
  resources_ = std::move(resources);
  keep_default();
  return applied;
}

bool LoadedComponents::outdated() const { return fingerprint_of(options_.folders) != fingerprint_; }

void LoadedComponents::reload() {
  std::vector<Resource> resources = read();
  const components::Difference difference = components::difference(resources_, resources);
  if (difference.empty()) return;
  on_.log.info("resources have changed", {{"gone", difference.gone.size()},
                                          {"changed", difference.changed.size()},
                                          {"added", difference.added.size()}});
  static_cast<void>(apply(difference, false));  // what failed is logged
  resources_ = std::move(resources);
  keep_default();
}

Result<void> LoadedComponents::apply(const components::Difference& difference, bool first) {
  for (const Resource& each : difference.gone) remove(each);
  for (const bool secrets : {true, false}) {
    for (const auto* resources : {&difference.changed, &difference.added}) {
      for (const Resource& each : *resources) {
        const Component* component = std::get_if<Component>(&each.spec);
        if (component == nullptr) continue;
        if ((block_of(*component) == "secretstores") != secrets) continue;
        const Result<void> added = add(each);
        if (added) continue;
        on_.log.error("component not loaded", {{"name", each.name},
                                               {"at", components::to_string(each.place)},
                                               {"error", added.error().message}});
        if (first && !component->ignore_errors) {
          return fail(added.error().code, "component '" + each.name + "' of " +
                                              components::to_string(each.place) +
                                              " cannot be loaded: " + added.error().message);
        }
      }
    }
  }
  return retry_waiting();
}

// Those whose secret store may have come meanwhile.
Result<void> LoadedComponents::retry_waiting() {
  for (const Resource& each : std::exchange(waiting_, {})) {
    if (const Result<void> added = add(each); !added) warn(each, added.error().message);
  }
  return {};
}

Result<void> LoadedComponents::add(const Resource& resource) {
  const auto& component = std::get<Component>(resource.spec);
  Result<components::Resolved> resolved =
      components::resolve(component.metadata, component.secret_store, lookups());
  if (!resolved) {
    if (resolved.error().code != Code::kNotFound) return fail(resolved.error());
    warn(resource, "waits: " + resolved.error().message);
    waiting_.push_back(resource);
    return {};
  }
  for (const std::string& each : resolved->warnings) warn(resource, each);
  components::Properties properties(resolved->values);
  const std::string block = block_of(component);
  if (block == "state") return add_state_store(resource, std::move(properties));
  if (block == "secretstores") return add_secret_store(resource, properties);
  warn(resource, "components of the block '" + block + "' are not served yet");
  return {};
}

Result<void> LoadedComponents::add_secret_store(const Resource& resource,
                                                components::Properties& properties) {
  const auto& component = std::get<Component>(resource.spec);
  Result<std::unique_ptr<components::SecretStore>> made =
      component.type == "secretstores.local.file" ? components::local_file_secrets(properties)
      : component.type == "secretstores.local.env"
          ? components::local_env_secrets(properties, environment)
          : fail(Code::kNotFound,
                 "couldn't find secret store " + component.type + "/" + component.version);
  if (!made) return fail(made.error());
  for (const std::string& each : properties.unknown()) warn(resource, each);
  secret_stores_[resource.name] = *std::move(made);
  secret_facts_.with([&](auto& facts) {
    std::erase_if(facts,
                  [&](const api::ComponentFacts& each) { return each.name == resource.name; });
    facts.push_back({.name = resource.name,
                     .type = component.type,
                     .version = component.version,
                     .capabilities = {}});
  });
  return {};
}

Result<void> LoadedComponents::add_state_store(const Resource& resource,
                                               components::Properties properties) {
  const auto& component = std::get<Component>(resource.spec);
  blocks::state::StoreDescription description{.name = resource.name,
                                              .type = component.type,
                                              .version = component.version,
                                              .properties = std::move(properties),
                                              .init_timeout = component.init_timeout};
  components::Properties& known = description.properties;
  const Result<blocks::state::KeyPrefix> prefix = blocks::state::KeyPrefix::of(
      known.text_or({"keyPrefix"}, ""),
      {.app_id = options_.app_id, .name_space = audience_.name_space, .store = resource.name});
  if (!prefix) return fail(prefix.error());
  if (known.text({"primaryEncryptionKey"}) || known.text({"secondaryEncryptionKey"})) {
    return fail(
        Code::kUnimplemented,
        "metadata 'primaryEncryptionKey': stores are not encrypted here yet, and nothing is "
        "kept in the clear that should not be");
  }
  if (known.truth({"actorStateStore"})) {
    warn(resource, "metadata 'actorStateStore': the state of actors is kept in the cluster");
  }
  if (known.text({"outboxPublishPubsub"}) || known.text({"outboxPublishTopic"}) ||
      known.text({"outboxPubsub"}) || known.text({"outboxDiscardWhenMissingState"})) {
    warn(resource, "metadata 'outboxPublishPubsub': there is no outbox yet");
  }
  Result<std::unique_ptr<blocks::state::Component>> made =
      blocks::state::make_store(description, on_);
  if (!made) return fail(made.error());
  for (const std::string& each : known.unknown()) warn(resource, each);
  auto store = std::make_shared<const blocks::state::Store>(
      blocks::state::Store{.name = resource.name,
                           .type = component.type,
                           .version = component.version,
                           .prefix = *prefix,
                           .component = *std::move(made)});
  on_.log.info("component loaded", {{"name", store->name}, {"type", store->type}});
  if (const auto before = stores_.put(std::move(store))) before->component->stop();
  return {};
}

void LoadedComponents::remove(const Resource& resource) {
  if (!std::holds_alternative<Component>(resource.spec)) return;
  std::erase_if(waiting_, [&](const Resource& each) { return each.name == resource.name; });
  secret_stores_.erase(resource.name);
  secret_facts_.with([&](auto& facts) {
    std::erase_if(facts,
                  [&](const api::ComponentFacts& each) { return each.name == resource.name; });
  });
  if (const auto store = stores_.remove(resource.name)) store->component->stop();
}

// Only where no file asks for any.
void LoadedComponents::keep_default() {
  const bool asked = std::ranges::any_of(resources_, [](const Resource& each) {
    const Component* component = std::get_if<Component>(&each.spec);
    return component != nullptr && block_of(*component) == "state";
  });
  if (asked == !default_store_) return;
  default_store_ = !asked;
  if (asked) {
    const auto store = stores_.find(kDefaultStore);
    if (store && store->type == "state.embedded") {
      const bool named = std::ranges::any_of(
          resources_, [](const Resource& each) { return each.name == kDefaultStore; });
      if (!named) stores_.remove(kDefaultStore);
    }
    return;
  }
  const Result<blocks::state::KeyPrefix> prefix =
      blocks::state::KeyPrefix::of("", {.app_id = options_.app_id, .name_space = {}, .store = {}});
  blocks::state::StoreDescription description{
      .name = std::string(kDefaultStore), .type = "state.embedded", .version = "v1"};
  Result<std::unique_ptr<blocks::state::Component>> made =
      blocks::state::make_store(description, on_);
  if (!prefix || !made) return;
  stores_.put(std::make_shared<const blocks::state::Store>(
      blocks::state::Store{.name = std::string(kDefaultStore),
                           .type = "state.embedded",
                           .version = "v1",
                           .prefix = *prefix,
                           .component = *std::move(made)}));
}

void LoadedComponents::stop() {
  for (const auto& each : stores_.all()) each->component->stop();
}

std::vector<api::ComponentFacts> LoadedComponents::loaded() const {
  std::vector<api::ComponentFacts> facts =
      secret_facts_.with([](const auto& known) { return known; });
  for (const auto& each : stores_.all()) {
    facts.push_back({.name = each->name,
                     .type = each->type,
                     .version = each->version,
                     .capabilities = each->component->features().names()});
  }
  std::ranges::sort(facts, {}, &api::ComponentFacts::name);
  return facts;
}

}  // namespace troupe::node

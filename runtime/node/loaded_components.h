#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/api/service.h"
#include "runtime/base/guarded.h"
#include "runtime/base/log.h"
#include "runtime/blocks/state/stores.h"
#include "runtime/components/parse.h"
#include "runtime/components/resolve.h"
#include "runtime/components/secret_stores.h"

namespace troupe::node {

/// The components of a node: what the files of its resources say, loaded, and kept as the files
/// say. Without any store of state there is one, `statestore`, embedded.
///
/// Secret stores come first; a component whose secret store is not there waits for it. loaded() is
/// thread-safe, the rest for one thread at a time.
class LoadedComponents final : public api::ComponentList {
 public:
  struct Options {
    std::string app_id = {};
    std::vector<std::string> folders = {};
    std::vector<std::string> configurations = {};  // files
  };

  /// All outlive it.
  LoadedComponents(blocks::state::StoreSurroundings surroundings, Options options);
  ~LoadedComponents() override;

  /// Reads the files and makes the components ready. The error of the first that cannot be, unless
  /// it says ignoreErrors; what is wrong in a file is logged, and the rest of it counts. Blocks.
  Result<void> load();
  /// Whether the files look different from when they were read last. Blocks on the disk.
  bool outdated() const;
  /// Reads the files again and follows them: what is gone goes, what changed is made anew, what is
  /// new comes. What cannot be made is logged, and stays as it was. Blocks.
  void reload();
  /// Stops all. Idempotent.
  void stop();

  const blocks::state::Stores& stores() const { return stores_; }
  std::vector<api::ComponentFacts> loaded() const override;

 private:
  std::vector<components::Resource> read();
  bool denied(const components::Component& component) const;
  void read_configurations();
  Result<void> apply(const components::Difference& difference, bool first);
  Result<void> add(const components::Resource& resource);
  Result<void> add_secret_store(const components::Resource& resource,
                                components::Properties& properties);
  Result<void> add_state_store(const components::Resource& resource,
                               components::Properties properties);
  void remove(const components::Resource& resource);
  Result<void> retry_waiting();
  void keep_default();
  void warn(const components::Resource& resource, const std::string& message) const;
  components::Surroundings lookups() const;

  blocks::state::StoreSurroundings on_;
  Options options_;
  components::Audience audience_;
  components::Configuration configuration_;
  std::vector<components::Resource> resources_;  // as followed
  std::vector<components::Resource> waiting_;    // for their secret stores
  std::map<std::string, std::unique_ptr<components::SecretStore>> secret_stores_;
  blocks::state::Stores stores_;
  Guarded<std::vector<api::ComponentFacts>> secret_facts_;
  std::string fingerprint_;
  bool default_store_ = false;
};

}  // namespace troupe::node

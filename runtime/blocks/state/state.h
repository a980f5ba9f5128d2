#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/guarded.h"
#include "runtime/blocks/state/component.h"

namespace troupe::blocks::state {

/// How keys of apps become keys of a store, by Dapr's metadata `keyPrefix`:
///
/// | strategy | `k` becomes |
/// |---|---|
/// | appid (default) | `app||k` |
/// | namespace | `space.app||k`; without a namespace as appid |
/// | name | `store||k` |
/// | none | `k` |
/// | any other | `other||k`, in lower case |
class KeyPrefix {
 public:
  struct Names {
    std::string app_id = {};
    std::string name_space = {};
    std::string store = {};
  };

  KeyPrefix() = default;
  /// kInvalid for a strategy with `||`.
  static Result<KeyPrefix> of(std::string_view strategy, const Names& names);

  /// kInvalid for a key with `||`.
  Result<std::string> stored(std::string_view key) const;
  /// The app's own key again.
  static std::string original(std::string_view stored);
  /// `app||`, or nothing.
  const std::string& text() const { return prefix_; }

 private:
  std::string prefix_;
};

/// A loaded store. Immutable but for the component's own state.
struct Store {
  std::string name = {};
  std::string type = {};     // state.redis
  std::string version = {};  // v1
  KeyPrefix prefix = {};
  std::unique_ptr<Component> component = {};
};

/// The time to live that `metadata` asks for, which is taken out of it. kPrecondition, with Dapr's
/// text, for what is no number of seconds.
Result<std::optional<std::int64_t>> take_ttl(Metadata& metadata);

/// kPrecondition, with Dapr's text, for words that are none.
Result<Concurrency> concurrency_of(std::string_view word);
Result<Consistency> consistency_of(std::string_view word);

/// The stores of a node, by name. They come and go while it runs; who uses one keeps it.
/// Thread-safe.
class Stores {
 public:
  /// Null if there is none of that name.
  std::shared_ptr<const Store> find(std::string_view name) const;
  bool empty() const;
  std::vector<std::shared_ptr<const Store>> all() const;

  /// Takes the place of one of the same name, which is returned to be stopped.
  std::shared_ptr<const Store> put(std::shared_ptr<const Store> store);
  std::shared_ptr<const Store> remove(std::string_view name);

 private:
  Guarded<std::map<std::string, std::shared_ptr<const Store>, std::less<>>> stores_;
};

}  // namespace troupe::blocks::state

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/api/operations.h"
#include "runtime/base/clock.h"
#include "runtime/blocks/state/state.h"

namespace troupe::api {

/// What is wanted of one key of a store. Words are Dapr's: `first-write`, `strong` ...
struct StateItem {
  std::string key = {};
  Payload value = {};
  bool json = false;  // the value is; over gRPC it may be anything
  std::optional<std::string> etag = {};
  std::string concurrency = {};
  std::string consistency = {};
  blocks::state::Metadata metadata = {};
};

/// An operation of a transaction: `upsert` or `delete`.
struct StateOperation {
  std::string operation = {};
  StateItem item = {};
};

/// What a bulk found under a key.
struct BulkItem {
  std::string key = {};
  blocks::state::Found found;
};

/// The operations of the building block of state, in Dapr's words: finds the store, turns keys of
/// the app into keys of the store, and says what went wrong. Thread-safe.
class StateService {
 public:
  using Value = blocks::state::Value;

  struct Options {
    std::string app_id = {};
    Duration timeout = std::chrono::seconds(60);  // of callers that bring none
    std::size_t items_max = 100'000;              // of one bulk
  };

  /// All outlive it, and every operation begun ends before they do. Without `stores` there are
  /// none.
  StateService(Clock& clock, const blocks::state::Stores* stores, Options options);

  void get(std::string store, StateItem item, std::optional<Duration> timeout,
           Answer<std::optional<Value>> answer);
  void get_bulk(std::string store, std::vector<std::string> keys, blocks::state::Metadata metadata,
                std::optional<Duration> timeout, Answer<std::vector<BulkItem>> answer);
  /// Each on its own.
  void save(std::string store, std::vector<StateItem> items, std::optional<Duration> timeout,
            Answer<Nothing> answer);
  void remove(std::string store, StateItem item, std::optional<Duration> timeout,
              Answer<Nothing> answer);
  /// Each on its own.
  void remove_bulk(std::string store, std::vector<StateItem> items, std::optional<Duration> timeout,
                   Answer<Nothing> answer);
  /// All or none, as far as the store can.
  void transact(std::string store, std::vector<StateOperation> operations,
                std::optional<Duration> timeout, Answer<Nothing> answer);
  /// `body` is Dapr's query. Keys of the answer are the app's.
  void query(std::string store, std::string body, std::optional<Duration> timeout,
             Answer<blocks::state::QueryResult> answer);

 private:
  using Store = std::shared_ptr<const blocks::state::Store>;

  Result<Store> find(const std::string& name, std::optional<ApiError>& refused) const;
  Time deadline(std::optional<Duration> timeout) const;
  std::optional<ApiError> too_many(std::size_t items) const;

  Clock& clock_;
  const blocks::state::Stores* stores_;
  Options options_;
};

}  // namespace troupe::api

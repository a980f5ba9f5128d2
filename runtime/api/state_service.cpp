#include "runtime/api/state_service.h"

#include <utility>

namespace troupe::api {
namespace {

using blocks::state::Change;
using blocks::state::Found;
using blocks::state::KeyPrefix;

constexpr Status kAborted{409, GrpcCode::kAborted};
constexpr Status kMalformed{400, GrpcCode::kInvalidArgument};
constexpr Status kFailed{500, GrpcCode::kInternal};
constexpr std::size_t kFailuresShown = 3;

ApiError rich(std::string code, std::string message, Status status, ErrorDetails details) {
  return {.error_code = std::move(code),
          .message = std::move(message),
          .status = status,
          .code = {},
          .details = std::make_shared<const ErrorDetails>(std::move(details))};
}

// Over gRPC the reason is the code itself; over HTTP there is nothing but code and message.
ApiError basic(const std::string& code, std::string message, Status status) {
  ErrorDetails details{.reason = code};
  details.over_http = false;
  return rich(code, std::move(message), status, std::move(details));
}

ApiError illegal_key(const std::string& store, const std::string& field, const Error& error) {
  ErrorDetails details{.reason = "DAPR_STATE_ILLEGAL_KEY"};
  details.http_message = "api error: code = InvalidArgument desc = " + error.message;
  details.resource_type = "state";
  details.resource_name = store;
  details.field = field;
  return rich("ERR_MALFORMED_REQUEST", error.message, kMalformed, std::move(details));
}

// The failures of a bulk as one: an etag's status only if each is an etag's.
struct Failures {
  std::string text = {};
  std::size_t count = 0;
  bool mismatch = false;
  bool invalid = false;
  bool other = false;

  void add(const Error& error) {
    if (count < kFailuresShown) text += (count == 0 ? "" : "; ") + error.message;
    ++count;
    mismatch = mismatch || error.code == Code::kConflict;
    invalid = invalid || error.code == Code::kInvalid;
    other = other || (error.code != Code::kConflict && error.code != Code::kInvalid);
  }
  Status status() const { return other ? kFailed : invalid ? kMalformed : kAborted; }
  std::string message() const {
    if (count <= kFailuresShown) return text;
    return text + "; and " + std::to_string(count - kFailuresShown) + " more";
  }
};

Result<Change> change_of(StateItem item, std::string key, bool erases) {
  auto concurrency = blocks::state::concurrency_of(item.concurrency);
  if (!concurrency) return fail(concurrency.error());
  auto consistency = blocks::state::consistency_of(item.consistency);
  if (!consistency) return fail(consistency.error());
  if (erases) {
    return Change(blocks::state::Delete{.key = std::move(key),
                                        .etag = std::move(item.etag),
                                        .concurrency = *concurrency,
                                        .consistency = *consistency,
                                        .metadata = std::move(item.metadata)});
  }
  const Result<std::optional<std::int64_t>> ttl = blocks::state::take_ttl(item.metadata);
  if (!ttl) return fail(ttl.error());
  return Change(blocks::state::Set{.key = std::move(key),
                                   .value = std::move(item.value),
                                   .json = item.json,
                                   .etag = std::move(item.etag),
                                   .concurrency = *concurrency,
                                   .consistency = *consistency,
                                   .ttl_seconds = *ttl,
                                   .metadata = std::move(item.metadata)});
}

// Keys first, as Dapr does: nothing is written if one of them is wrong.
std::optional<ApiError> changes_of(const blocks::state::Store& store, std::vector<StateItem> items,
                                   bool erases, std::vector<Change>& changes, Failures& wrong) {
  for (StateItem& each : items) {
    Result<std::string> key = store.prefix.stored(each.key);
    if (!key) return illegal_key(store.name, each.key, key.error());
    Result<Change> change = change_of(std::move(each), *std::move(key), erases);
    if (!change) {
      wrong.add(change.error());
      continue;
    }
    changes.push_back(*std::move(change));
  }
  return std::nullopt;
}

// Writes, and answers with `error(failures)` if anything failed.
template <class MakeError>
void write_all(std::shared_ptr<const blocks::state::Store> store, std::vector<Change> changes,
               Time deadline, MakeError error, Answer<Nothing> answer) {
  blocks::state::Component& component = *store->component;
  component.write(std::move(changes), deadline,
                  [store = std::move(store), error = std::move(error),
                   answer = std::move(answer)](Result<std::vector<Result<void>>> outcomes) mutable {
                    Failures failures;
                    if (!outcomes) failures.add(outcomes.error());
                    if (outcomes) {
                      for (const Result<void>& each : *outcomes) {
                        if (!each) failures.add(each.error());
                      }
                    }
                    if (failures.count == 0) return answer(Nothing{});
                    answer(error(failures));
                  });
}

}  // namespace

StateService::StateService(Clock& clock, const blocks::state::Stores* stores, Options options)
    : clock_(clock), stores_(stores), options_(std::move(options)) {}

Result<StateService::Store> StateService::find(const std::string& name,
                                               std::optional<ApiError>& refused) const {
  if (stores_ != nullptr) {
    if (Store store = stores_->find(name)) return store;
  }
  ErrorDetails details{.reason = "DAPR_STATE_NOT_FOUND",
                       .metadata = {{"appID", options_.app_id}},
                       .metadata_over_grpc = false};
  if (stores_ == nullptr || stores_->empty()) {
    details.reason = "DAPR_STATE_NOT_CONFIGURED";
    refused = rich("ERR_STATE_STORE_NOT_CONFIGURED", "state store " + name + " is not configured",
                   {500, GrpcCode::kFailedPrecondition}, std::move(details));
  } else {
    refused = rich("ERR_STATE_STORE_NOT_FOUND", "state store " + name + " is not found", kMalformed,
                   std::move(details));
  }
  return fail(Code::kNotFound, refused->message);
}

Time StateService::deadline(std::optional<Duration> timeout) const {
  return clock_.now() + timeout.value_or(options_.timeout);
}

std::optional<ApiError> StateService::too_many(std::size_t items) const {
  if (items <= options_.items_max) return std::nullopt;
  return basic("ERR_MALFORMED_REQUEST",
               "more than " + std::to_string(options_.items_max) + " keys in one request",
               kMalformed);
}

void StateService::get(std::string store_name, StateItem item, std::optional<Duration> timeout,
                       Answer<std::optional<Value>> answer) {
  std::optional<ApiError> refused;
  Result<Store> store = find(store_name, refused);
  if (!store) return answer(*std::move(refused));
  const Result<std::string> key = (*store)->prefix.stored(item.key);
  if (!key) return answer(illegal_key(store_name, item.key, key.error()));
  const auto consistency = blocks::state::consistency_of(item.consistency);
  blocks::state::Component& component = *(*store)->component;
  auto done = [store = *store, name = item.key,
               answer = std::move(answer)](Result<std::vector<Found>> found) mutable {
    Found value = found ? std::move(found->front()) : Found(fail(found.error()));
    if (value) return answer(*std::move(value));
    answer(basic(
        "ERR_STATE_GET",
        "fail to get " + name + " from state store " + store->name + ": " + value.error().message,
        kFailed));
  };
  component.read({{.key = *key,
                   .consistency = consistency ? *consistency : blocks::state::Consistency::kUnsaid,
                   .metadata = std::move(item.metadata)}},
                 deadline(timeout), std::move(done));
}

void StateService::get_bulk(std::string store_name, std::vector<std::string> keys,
                            blocks::state::Metadata metadata, std::optional<Duration> timeout,
                            Answer<std::vector<BulkItem>> answer) {
  std::optional<ApiError> refused;
  Result<Store> store = find(store_name, refused);
  if (!store) return answer(*std::move(refused));
  if (auto wrong = too_many(keys.size())) return answer(*std::move(wrong));
  if (keys.empty()) return answer(std::vector<BulkItem>());
  std::vector<blocks::state::Read> reads;
  reads.reserve(keys.size());
  for (const std::string& each : keys) {
    Result<std::string> key = (*store)->prefix.stored(each);
    if (!key) return answer(illegal_key(store_name, each, key.error()));
    reads.push_back({.key = *std::move(key), .consistency = {}, .metadata = metadata});
  }
  blocks::state::Component& component = *(*store)->component;
  component.read(std::move(reads), deadline(timeout),
                 [store = *store, keys = std::move(keys),
                  answer = std::move(answer)](Result<std::vector<Found>> found) mutable {
                   if (!found) {
                     return answer(ApiError{.error_code = "ERR_STATE_BULK_GET",
                                            .message = found.error().message,
                                            .status = {500, GrpcCode::kUnknown}});
                   }
                   std::vector<BulkItem> items;
                   items.reserve(keys.size());
                   for (std::size_t i = 0; i < keys.size(); ++i) {
                     items.push_back({.key = std::move(keys[i]), .found = std::move((*found)[i])});
                   }
                   answer(std::move(items));
                 });
}

void StateService::save(std::string store_name, std::vector<StateItem> items,
                        std::optional<Duration> timeout, Answer<Nothing> answer) {
  std::optional<ApiError> refused;
  Result<Store> store = find(store_name, refused);
  if (!store) return answer(*std::move(refused));
  if (auto wrong = too_many(items.size())) return answer(*std::move(wrong));
  for (const StateItem& each : items) {
    if (each.key.empty()) {
      return answer(basic("ERR_STATE_SAVE", "state key cannot be empty", kMalformed));
    }
  }
  auto error = [name = store_name](const Failures& failures) {
    return basic("ERR_STATE_SAVE",
                 "failed saving state in state store " + name + ": " + failures.message(),
                 failures.status());
  };
  std::vector<Change> changes;
  Failures wrong;
  if (auto bad = changes_of(**store, std::move(items), false, changes, wrong)) {
    return answer(*std::move(bad));
  }
  if (wrong.count > 0) return answer(error(wrong));
  if (changes.empty()) return answer(Nothing{});
  write_all(*std::move(store), std::move(changes), deadline(timeout), std::move(error),
            std::move(answer));
}

void StateService::remove(std::string store_name, StateItem item, std::optional<Duration> timeout,
                          Answer<Nothing> answer) {
  std::optional<ApiError> refused;
  Result<Store> store = find(store_name, refused);
  if (!store) return answer(*std::move(refused));
  auto error = [key = item.key](const Failures& failures) {
    return basic("ERR_STATE_DELETE",
                 "failed deleting state with key " + key + ": " + failures.message(),
                 failures.status());
  };
  std::vector<StateItem> items;
  items.push_back(std::move(item));
  std::vector<Change> changes;
  Failures wrong;
  if (auto bad = changes_of(**store, std::move(items), true, changes, wrong)) {
    return answer(*std::move(bad));
  }
  if (wrong.count > 0) return answer(error(wrong));
  write_all(*std::move(store), std::move(changes), deadline(timeout), std::move(error),
            std::move(answer));
}

void StateService::remove_bulk(std::string store_name, std::vector<StateItem> items,
                               std::optional<Duration> timeout, Answer<Nothing> answer) {
  std::optional<ApiError> refused;
  Result<Store> store = find(store_name, refused);
  if (!store) return answer(*std::move(refused));
  if (auto wrong = too_many(items.size())) return answer(*std::move(wrong));
  auto error = [name = store_name](const Failures& failures) {
    return basic("ERR_STATE_BULK_DELETE",
                 "failed deleting state in state store " + name + ": " + failures.message(),
                 failures.status());
  };
  std::vector<Change> changes;
  Failures wrong;
  if (auto bad = changes_of(**store, std::move(items), true, changes, wrong)) {
    return answer(*std::move(bad));
  }
  if (wrong.count > 0) return answer(error(wrong));
  if (changes.empty()) return answer(Nothing{});
  write_all(*std::move(store), std::move(changes), deadline(timeout), std::move(error),
            std::move(answer));
}

namespace {

std::optional<ApiError> cannot_transact(const blocks::state::Store& store, std::size_t length,
                                        const std::string& app_id) {
  const blocks::state::Features features = store.component->features();
  if (!features.transactional) {
    ErrorDetails details{.reason = "DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED",
                         .metadata = {{"appID", app_id}},
                         .metadata_over_grpc = false};
    details.help_url =
        "https://docs.dapr.io/reference/components-reference/supported-state-stores/";
    details.help_text = "Check the list of state stores and the features they support";
    return rich("ERR_STATE_STORE_NOT_SUPPORTED",
                "state store " + store.name + " doesn't support transactions",
                {500, GrpcCode::kUnimplemented}, std::move(details));
  }
  const std::size_t most = features.transaction_length_max;
  if (most == 0 || length <= most) return std::nullopt;
  ErrorDetails details{.reason = "DAPR_STATE_TOO_MANY_TRANSACTIONS",
                       .metadata = {{"currentOpsTransaction", std::to_string(length)},
                                    {"maxOpsPerTransaction", std::to_string(most)}}};
  return rich(
      "ERR_STATE_STORE_TOO_MANY_TRANSACTIONS",
      "the transaction contains " + std::to_string(length) +
          " operations, which is more than what the state store supports: " + std::to_string(most),
      kMalformed, std::move(details));
}

ApiError transaction_error(const Error& error) {
  return basic("ERR_STATE_TRANSACTION", "error while executing state transaction: " + error.message,
               kFailed);
}

}  // namespace

void StateService::transact(std::string store_name, std::vector<StateOperation> operations,
                            std::optional<Duration> timeout, Answer<Nothing> answer) {
  std::optional<ApiError> refused;
  Result<Store> store = find(store_name, refused);
  if (!store) return answer(*std::move(refused));
  if (auto wrong = cannot_transact(**store, operations.size(), options_.app_id)) {
    return answer(*std::move(wrong));
  }
  std::vector<Change> changes;
  changes.reserve(operations.size());
  for (StateOperation& each : operations) {
    if (each.operation != "upsert" && each.operation != "delete") {
      return answer(basic("ERR_NOT_SUPPORTED_STATE_OPERATION",
                          "operation type " + each.operation + " not supported",
                          {400, GrpcCode::kUnimplemented}));
    }
    Result<std::string> key = (*store)->prefix.stored(each.item.key);
    if (!key) return answer(illegal_key(store_name, "", key.error()));
    Result<Change> change =
        change_of(std::move(each.item), *std::move(key), each.operation == "delete");
    if (!change) return answer(transaction_error(change.error()));
    changes.push_back(*std::move(change));
  }
  if (changes.empty()) return answer(Nothing{});
  blocks::state::Component& component = *(*store)->component;
  component.transact(
      std::move(changes), deadline(timeout),
      [store = *store, answer = std::move(answer)](const Result<void>& done) mutable {
        if (!done) return answer(transaction_error(done.error()));
        answer(Nothing{});
      });
}

void StateService::query(std::string store_name, std::string body, std::optional<Duration> timeout,
                         Answer<blocks::state::QueryResult> answer) {
  std::optional<ApiError> refused;
  Result<Store> store = find(store_name, refused);
  if (!store) return answer(*std::move(refused));
  if (!(*store)->component->features().query) {
    return answer(rich("ERR_STATE_STORE_NOT_SUPPORTED", "state store does not support querying",
                       kFailed, {.reason = "DAPR_STATE_QUERYING_NOT_SUPPORTED"}));
  }
  blocks::state::Component& component = *(*store)->component;
  component.query(std::move(body), (*store)->prefix.text(), deadline(timeout),
                  [store = *store,
                   answer = std::move(answer)](Result<blocks::state::QueryResult> result) mutable {
                    if (!result) {
                      return answer(rich(
                          "ERR_STATE_QUERY",
                          "state store " + store->name + " query failed: " + result.error().message,
                          kFailed, {.reason = "DAPR_STATE_QUERY_FAILED"}));
                    }
                    for (auto& each : result->items) each.key = KeyPrefix::original(each.key);
                    answer(*std::move(result));
                  });
}

}  // namespace troupe::api

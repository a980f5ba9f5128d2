#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <troupe/function.h>
#include <troupe/payload.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// The building block of state: keys and values in configured stores.
namespace troupe::blocks::state {

enum class Concurrency : std::uint8_t { kUnsaid, kFirstWrite, kLastWrite };
enum class Consistency : std::uint8_t { kUnsaid, kEventual, kStrong };

/// What a caller says to the component; `ttlInSeconds` is taken out of it before.
using Metadata = std::map<std::string, std::string>;

/// A value as a store has it.
struct Value {
  Payload data = {};
  std::string etag = {};  // empty: the store has none
  std::optional<WallTime> expires = {};
};

struct Read {
  std::string key = {};  // as the store has it, prefix included
  Consistency consistency = Consistency::kUnsaid;
  Metadata metadata = {};
};

struct Set {
  std::string key = {};
  Payload value = {};
  bool json = false;                     // the bytes are JSON; else anything
  std::optional<std::string> etag = {};  // if given, the write is conditional
  Concurrency concurrency = Concurrency::kUnsaid;
  Consistency consistency = Consistency::kUnsaid;
  std::optional<std::int64_t> ttl_seconds = {};  // 0 or less: never expires
  Metadata metadata = {};

  /// Without an etag: only if there is no such key.
  bool creates() const { return !etag && concurrency == Concurrency::kFirstWrite; }
};

struct Delete {
  std::string key = {};
  std::optional<std::string> etag = {};
  Concurrency concurrency = Concurrency::kUnsaid;
  Consistency consistency = Consistency::kUnsaid;
  Metadata metadata = {};
};

using Change = std::variant<Set, Delete>;
const std::string& key_of(const Change& change);
const std::optional<std::string>& etag_of(const Change& change);

/// What is found under one key; nothing: no such key.
using Found = Result<std::optional<Value>>;

struct QueryResult {
  struct Item {
    std::string key = {};
    Value value = {};
  };
  std::vector<Item> items = {};
  std::string token = {};  // where the next page begins; empty: it does not
};

/// What a store can do, in Dapr's words.
struct Features {
  bool etag = true;
  bool transactional = true;
  bool query = false;
  bool ttl = true;
  bool delete_with_prefix = false;
  bool keys_like = false;
  std::size_t transaction_length_max = 0;  // 0: no limit of its own

  /// `ETAG`, `TRANSACTIONAL` ..., and `ACTOR` for a store that can keep actors.
  std::vector<std::string> names() const;
};

/// The texts with which Dapr's stores refuse an etag; its SDKs look for them.
inline constexpr std::string_view kMismatch = "possible etag mismatch. error from state store";
inline constexpr std::string_view kInvalidEtag = "invalid etag value";
Failure mismatch(std::string_view why = {});
Failure invalid_etag(std::string_view etag);

/// A store of keys and values.
///
/// Operations never block their caller. `done` is called once, by `deadline` and a little, perhaps
/// inside the call, on any thread, and must not block. Errors of one key: kConflict (the etag is
/// another), kInvalid (the etag is none of this store's), else what the server or the way to it
/// said: kUnavailable, kTimeout (certainly without effect), kUnknownOutcome, ... Thread-safe.
class Component {
 public:
  virtual ~Component() = default;

  virtual Features features() const = 0;

  /// One result for each, in their order.
  virtual void read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) = 0;
  /// Each on its own: one outcome for each, in their order.
  virtual void write(std::vector<Change> changes, Time deadline,
                     Done<std::vector<Result<void>>> done) = 0;
  /// All or none, one after another.
  virtual void transact(std::vector<Change> changes, Time deadline, Done<void> done) = 0;
  /// `query` is Dapr's JSON. kUnimplemented if features() has none.
  virtual void query(std::string query, std::string_view key_prefix, Time deadline,
                     Done<QueryResult> done);

  /// Refuses the new, ends what is begun. When it returns, every `done` has been called. Not from a
  /// thread of its own. Idempotent.
  virtual void stop() = 0;
};

}  // namespace troupe::blocks::state

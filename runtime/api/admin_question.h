#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/api/admin.h"
#include "runtime/base/ids.h"
#include "storage/engine.h"
#include "storage/keys.h"
#include <troupe/result.h>

/// What nodes ask one another for operators, and how storage answers. Question and answer travel as
/// JSON.
namespace troupe::api {

struct AdminQuestion {
  // activations, replicas, repair, ids, state, reminders, contents, drain; and those of a backup:
  // backup hold, backup cut, backup confirm, backup release, backup part (of bytes), backup end
  std::string what = {};
  std::string type = {};
  std::string id = {};  // or which backup
  std::optional<std::string> after = {};
  std::uint64_t limit = 0;  // or which part
  bool draining = false;
  std::vector<std::uint32_t> shards = {};  // that the one asked leads; replicas: all if empty
};

/// What the meta shard's leader answers to "repair".
struct RepairFacts {
  std::uint64_t moves_under_way = 0;
  std::vector<GoneFacts> gone = {};
};

/// Reads one replica's rows; may be asked again with the next replica.
class AdminAnswer {
 public:
  AdminAnswer(AdminQuestion question, WallTime now) : question_(std::move(question)), now_(now) {}

  Result<void> add(const storage::Reads& reads, storage::ReplicaKeys keys);
  /// JSON of IdsView, or of an array of ValueView, ReminderView or ShardContents.
  Result<std::string> finish();

 private:
  Result<void> add_values(const storage::Reads& reads, storage::ReplicaKeys keys);
  Result<void> add_reminders(const storage::Reads& reads, storage::ReplicaKeys keys);
  Result<void> add_contents(const storage::Reads& reads, storage::ReplicaKeys keys);

  AdminQuestion question_;
  WallTime now_;
  std::vector<std::string> ids_;
  std::vector<ValueView> values_;
  std::vector<ReminderView> reminders_;
  std::vector<ShardContents> contents_;
};

/// The first `limit` of the ids in all answers.
IdsView merged(std::vector<IdsView> answers, std::uint64_t limit);
/// The first `limit` in the order of (id, name).
std::vector<ReminderView> merged(std::vector<ReminderView> all, std::uint64_t limit);

/// A stored value for people: JSON where it is JSON, else base64.
ValueView shown_value(std::string name, std::string_view stored);
/// `bytes` if they are JSON, else a string of them in base64.
Json shown(std::string_view bytes);

}  // namespace troupe::api

#include "tests/support/fake_shards.h"

#include <functional>

namespace troupe::testing {

using actors::Right;
using actors::StoredReminder;
using actors::StoredValue;
using storage::Outcome;

void FakeShards::own(const std::string& type, Time until) {
  data_.with([&](Data& data) {
    for (std::uint32_t shard = 0; shard < kCount; ++shard) {
      const Epoch epoch{++data.epochs[{type, shard}].value};
      auto right = std::make_shared<Right>(ShardId{shard}, type, epoch);
      right->prolong(until);
      data.rights[{type, shard}] = std::move(right);
    }
  });
}

void FakeShards::usurp(const std::string& type) {
  data_.with([&](Data& data) {
    for (std::uint32_t shard = 0; shard < kCount; ++shard) ++data.epochs[{type, shard}].value;
  });
}

std::vector<std::shared_ptr<Right>> FakeShards::rights(const std::string& type) const {
  return data_.with([&](const Data& data) {
    std::vector<std::shared_ptr<Right>> found;
    for (const auto& [place, right] : data.rights) {
      if (place.first == type) found.push_back(right);
    }
    return found;
  });
}

void FakeShards::hold_commits() {
  data_.with([](Data& data) { data.holding = true; });
}

void FakeShards::release_commits() {
  std::vector<Work> held = data_.with([](Data& data) {
    data.holding = false;
    return std::move(data.held);
  });
  for (Work& work : held) executor_.post(std::move(work));
}

void FakeShards::fail_next_commit(Error error) {
  data_.with([&](Data& data) { data.commit_failure = error; });
}

void FakeShards::fail_next_load(Error error) {
  data_.with([&](Data& data) { data.load_failure = error; });
}

std::string FakeShards::value(const ActorKey& key, const std::string& name) const {
  return data_.with([&](const Data& data) {
    const auto actor = data.values.find(key);
    if (actor == data.values.end()) return std::string();
    const auto stored = actor->second.find(name);
    return stored == actor->second.end() ? std::string() : stored->second.value;
  });
}

void FakeShards::set_value(const ActorKey& key, const std::string& value) {
  data_.with([&](Data& data) { data.values[key][""].value = value; });
}

std::vector<storage::TurnCommand> FakeShards::entries() const {
  return data_.with([](const Data& data) { return data.entries; });
}

std::size_t FakeShards::loads() const {
  return data_.with([](const Data& data) { return data.loads; });
}

void FakeShards::fail_next_recall(Error error) {
  data_.with([&](Data& data) { data.recall_failure = error; });
}

std::size_t FakeShards::recalls() const {
  return data_.with([](const Data& data) { return data.recalls; });
}

std::size_t FakeShards::confirms() const {
  return data_.with([](const Data& data) { return data.confirms; });
}

ShardId FakeShards::shard_of(std::string_view type, std::string_view id) const {
  const std::hash<std::string_view> hash;
  return ShardId{static_cast<std::uint32_t>((hash(type) * 31 + hash(id)) % kCount)};
}

std::shared_ptr<Right> FakeShards::right(ShardId shard, std::string_view type) const {
  return data_.with([&](const Data& data) {
    const auto found = data.rights.find({std::string(type), shard.value});
    return found == data.rights.end() ? nullptr : found->second;
  });
}

std::optional<Outcome> FakeShards::answered(const Data& data, const storage::CallId& id) {
  const auto reply = data.replies.find(id);
  const auto done = data.done_below.find(id.origin);
  Outcome before;
  if (done != data.done_below.end() && id.sequence < done->second) {
    before.kind = Outcome::Kind::kRefused;
    before.error = Error{Code::kConflict, "its caller needs no answer any more"};
    return before;
  }
  if (reply == data.replies.end()) return std::nullopt;
  before.kind = Outcome::Kind::kConsumed;
  before.reply = reply->second;
  before.reply_recorded = true;
  return before;
}

std::optional<Outcome> FakeShards::refusal(const Data& data, const storage::TurnCommand& command) {
  const ActorKey key{.type = command.type, .id = command.id};
  Outcome consumed{.kind = Outcome::Kind::kConsumed, .reply = {}, .error = {}};
  if (const auto* call = std::get_if<storage::CallCause>(&command.cause)) {
    if (auto again = answered(data, call->id)) return again;
  }
  if (const auto* tick = std::get_if<storage::TickCause>(&command.cause)) {
    const auto row = data.reminders.find({key, tick->name});
    if (row == data.reminders.end() || row->second.registration != tick->registration ||
        row->second.number != tick->number) {
      return consumed;
    }
  }
  if (const auto* message = std::get_if<storage::OutboxCause>(&command.cause)) {
    if (data.consumed.contains({message->source, message->number})) return consumed;
  }
  const auto conflict = [](std::string what) {
    return Outcome{.kind = Outcome::Kind::kRefused,
                   .reply = {},
                   .error = Error{Code::kConflict, std::move(what)}};
  };
  for (const storage::StateWrite& each : command.state) {
    if (!each.etag) continue;
    const auto actor = data.values.find(key);
    const bool there = actor != data.values.end() && actor->second.contains(each.name);
    if (!there || actor->second.at(each.name).etag != *each.etag) return conflict(each.name);
  }
  for (const storage::ReminderWrite& each : command.reminders) {
    if (each.kind == storage::ReminderWrite::Kind::kRegisterIfAbsent &&
        data.reminders.contains({key, each.name})) {
      return conflict(each.name);
    }
  }
  return std::nullopt;
}

void FakeShards::write(Data& data, const storage::TurnCommand& command) {
  const ActorKey key{.type = command.type, .id = command.id};
  if (const auto* call = std::get_if<storage::CallCause>(&command.cause)) {
    data.replies[call->id] = command.reply;
    auto& done_below = data.done_below[call->id.origin];
    done_below = std::max(done_below, call->done_below);
  }
  if (const auto* message = std::get_if<storage::OutboxCause>(&command.cause)) {
    data.consumed.insert({message->source, message->number});
  }
  for (const storage::StateWrite& each : command.state) {
    if (!each.value) {
      data.values[key].erase(each.name);
      continue;
    }
    data.values[key][each.name] = {
        .value = *each.value, .etag = data.index, .expires = each.expires};
  }
  for (const storage::ReminderWrite& each : command.reminders) {
    if (each.kind == storage::ReminderWrite::Kind::kErase) {
      data.reminders.erase({key, each.name});
      continue;
    }
    StoredReminder& row = data.reminders[{key, each.name}];
    if (each.kind != storage::ReminderWrite::Kind::kAdvance) row.registration = data.index;
    row.key = key;
    row.name = each.name;
    row.number = each.number;
    row.due = each.due;
    row.body = each.body;
  }
}

Result<Outcome> FakeShards::apply(Data& data, const Right& right, storage::TurnCommand command) {
  if (data.commit_failure) {
    const Error failure = *std::exchange(data.commit_failure, std::nullopt);
    return fail(failure);
  }
  if (data.epochs[{right.type, right.shard.value}] != right.epoch) {
    return Outcome{.kind = Outcome::Kind::kStaleEpoch, .reply = {}, .error = {}};
  }
  if (std::optional<Outcome> refused = refusal(data, command)) return *std::move(refused);
  ++data.index;
  write(data, command);
  data.entries.push_back(std::move(command));
  return Outcome{.kind = Outcome::Kind::kApplied, .index = data.index, .reply = {}, .error = {}};
}

void FakeShards::commit(std::shared_ptr<Right> right, storage::TurnCommand command,
                        Done<Outcome> done) {
  const bool holding = data_.with([&](Data& data) {
    auto outcome = apply(data, *right, std::move(command));
    Work work = [done = std::move(done), outcome = std::move(outcome)]() mutable {
      done(std::move(outcome));
    };
    if (!data.holding) {
      executor_.post(std::move(work));
    } else {
      data.held.push_back(std::move(work));
    }
    return data.holding;
  });
  static_cast<void>(holding);
}

void FakeShards::recall(std::shared_ptr<Right>, storage::CallId id,
                        Done<std::optional<Outcome>> done) {
  auto before = data_.with([&](Data& data) -> Result<std::optional<Outcome>> {
    ++data.recalls;
    if (data.recall_failure) {
      const Error failure = *std::exchange(data.recall_failure, std::nullopt);
      return fail(failure);
    }
    return answered(data, id);
  });
  executor_.post(
      [done = std::move(done), before = std::move(before)]() mutable { done(std::move(before)); });
}

void FakeShards::load(std::shared_ptr<Right>, ActorKey key,
                      Done<std::vector<std::pair<std::string, StoredValue>>> done) {
  using Values = std::vector<std::pair<std::string, StoredValue>>;
  Result<Values> values = data_.with([&](Data& data) -> Result<Values> {
    ++data.loads;
    if (data.load_failure) {
      const Error failure = *std::exchange(data.load_failure, std::nullopt);
      return fail(failure);
    }
    const auto found = data.values.find(key);
    if (found == data.values.end()) return Values{};
    return Values(found->second.begin(), found->second.end());
  });
  executor_.post(
      [done = std::move(done), values = std::move(values)]() mutable { done(std::move(values)); });
}

void FakeShards::reminders(std::shared_ptr<Right> right, ActorKey key, std::string name,
                           Done<std::vector<StoredReminder>> done) {
  std::vector<StoredReminder> found = data_.with([&](const Data& data) {
    std::vector<StoredReminder> rows;
    for (const auto& [place, row] : data.reminders) {
      const bool same_actor =
          key.id.empty()
              ? row.key.type == key.type && shard_of(row.key.type, row.key.id) == right->shard
              : row.key == key;
      if (same_actor && (name.empty() || row.name == name)) rows.push_back(row);
    }
    return rows;
  });
  executor_.post(
      [done = std::move(done), found = std::move(found)]() mutable { done(std::move(found)); });
}

void FakeShards::confirm(std::shared_ptr<Right> right, Done<void> done) {
  const bool current = data_.with([&](Data& data) {
    ++data.confirms;
    return data.epochs[{right->type, right->shard.value}] == right->epoch;
  });
  executor_.post([done = std::move(done), current]() mutable {
    if (current) return done({});
    done(fail(Code::kPrecondition, "not the owner"));
  });
}

}  // namespace troupe::testing

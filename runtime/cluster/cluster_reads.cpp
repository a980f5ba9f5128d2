// Cluster's part that reads shards for their owners: here, or by asking their leaders.
#include <utility>

#include "actors/state/operations.h"
#include "runtime/base/codec.h"
#include "runtime/cluster/cluster.h"
#include "storage/shard/rows.h"

namespace troupe::cluster {
namespace {

constexpr auto kReadPatience = std::chrono::seconds(5);
constexpr std::size_t kRemindersMax = 10'000;  // in one answer

const storage::ShardMachine& machine_of(const Replica& replica) {
  return static_cast<const ShardStateMachine&>(replica.machine()).machine();
}

// A question about an actor, asked under a right.
struct Question {
  ShardId shard;
  std::string type;
  Epoch epoch;
  std::string id;
  std::string name;  // of a reminder; empty: all

  std::string encode() const {
    Writer out;
    out.id(shard);
    out.bytes(type);
    out.id(epoch);
    out.bytes(id);
    out.bytes(name);
    return out.take();
  }
  static Result<Question> decode(std::string_view bytes) {
    Reader in(bytes);
    Question question;
    question.shard = in.id<ShardId>();
    question.type = in.string();
    question.epoch = in.id<Epoch>();
    question.id = in.string();
    question.name = in.string();
    if (!in.finished()) return fail(Code::kInvalid, "a damaged question");
    return question;
  }
};

std::string encode_reminders(const std::vector<storage::ReminderRow>& rows) {
  Writer out;
  out.number(rows.size());
  for (const storage::ReminderRow& row : rows) {
    out.bytes(row.type);
    out.bytes(row.id);
    out.bytes(row.name);
    out.number(row.registration);
    out.number(row.number);
    out.integer(row.due.time_since_epoch().count());
    out.bytes(row.body);
  }
  return out.take();
}

Result<std::vector<actors::StoredReminder>> decode_reminders(std::string_view bytes) {
  Reader in(bytes);
  std::vector<actors::StoredReminder> reminders;
  const std::uint64_t count = in.number_up_to(kRemindersMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    actors::StoredReminder reminder;
    reminder.key.type = in.string();
    reminder.key.id = in.string();
    reminder.name = in.string();
    reminder.registration = in.number();
    reminder.number = in.number();
    reminder.due = WallTime(Duration(in.integer()));
    reminder.body = in.string();
    reminders.push_back(std::move(reminder));
  }
  if (!in.finished()) return fail(Code::kInternal, "a damaged answer about reminders");
  return reminders;
}

}  // namespace

// The leader of the shard is here, has applied what earlier leaders committed, and the right is the
// present one: its own commits went through this replica.
bool Cluster::reads_locally(const actors::Right& right) const {
  const Replica* replica = replicas_->find(right.shard);
  return replica != nullptr && replica->leads() &&
         check_epoch(right.shard, right.type, right.epoch).has_value();
}

Result<void> Cluster::check_epoch(ShardId shard, std::string_view type, Epoch epoch) const {
  const Replica* replica = replicas_->find(shard);
  if (replica == nullptr || !replica->leads()) {
    return fail(Code::kPrecondition, "this node does not lead that shard");
  }
  const auto owner = machine_of(*replica).owners().find(type);
  if (owner == machine_of(*replica).owners().end() || owner->second.epoch != epoch) {
    return fail(Code::kConflict, "another node owns these actors now");
  }
  return {};
}

Result<std::string> Cluster::read_values(ShardId shard, std::string_view body) {
  const Result<Question> question = Question::decode(body);
  if (!question) return fail(question.error());
  const Result<void> current = check_epoch(shard, question->type, question->epoch);
  if (!current) return fail(current.error());
  const auto rows = storage::values(replicas_->writer(), replicas_->find(shard)->keys(),
                                    question->type, question->id, deps_.clock.wall());
  if (!rows) return fail(rows.error());
  actors::StoredValues values;
  for (const storage::ValueRow& row : *rows) {
    values.emplace_back(
        row.name,
        actors::StoredValue{.value = row.value, .etag = row.etag, .expires = row.expires});
  }
  return encode(values);
}

Result<std::string> Cluster::read_reminders(ShardId shard, std::string_view body) {
  const Result<Question> question = Question::decode(body);
  if (!question) return fail(question.error());
  const Result<void> current = check_epoch(shard, question->type, question->epoch);
  if (!current) return fail(current.error());
  const storage::ReplicaKeys keys = replicas_->find(shard)->keys();
  if (question->id.empty()) {
    const auto rows = storage::reminders_of_type(replicas_->writer(), keys, question->type,
                                                 std::nullopt, kRemindersMax);
    return rows ? Result<std::string>(encode_reminders(*rows)) : fail(rows.error());
  }
  if (!question->name.empty()) {
    const auto row =
        storage::reminder(replicas_->writer(), keys, question->type, question->id, question->name);
    if (!row) return fail(row.error());
    if (!*row) return encode_reminders({});
    return encode_reminders({**row});
  }
  const auto rows = storage::reminders(replicas_->writer(), keys, question->type, question->id);
  return rows ? Result<std::string>(encode_reminders(*rows)) : fail(rows.error());
}

void Cluster::load(std::shared_ptr<actors::Right> right, ActorKey key,
                   Done<std::vector<std::pair<std::string, actors::StoredValue>>> done) {
  auto kept = std::make_shared<decltype(done)>(std::move(done));
  deps_.loop.post([this, alive = alive_, right = std::move(right), key = std::move(key), kept] {
    if (!*alive) return (*kept)(fail(Code::kUnavailable, "this node is stopping"));
    const std::string question = Question{
        .shard = right->shard,
        .type = key.type,
        .epoch = right->epoch,
        .id = key.id,
        .name = {}}.encode();
    const auto answer = [kept](const Result<std::string>& bytes) {
      if (!bytes) {
        // Leader or owner have changed. Nothing has run yet, so whoever calls may try again.
        const bool moved = bytes.error().code == Code::kPrecondition ||
                           bytes.error().code == Code::kConflict ||
                           bytes.error().code == Code::kUnknownOutcome;
        return (*kept)(
            fail(moved ? Code::kUnavailable : bytes.error().code, bytes.error().message));
      }
      (*kept)(actors::decode_stored_values(*bytes));
    };
    if (reads_locally(*right)) return answer(read_values(right->shard, question));
    ask_as_owner(right, Service::kLoad, question, deps_.clock.now() + kReadPatience, answer);
  });
}

void Cluster::reminders(std::shared_ptr<actors::Right> right, ActorKey key, std::string name,
                        Done<std::vector<actors::StoredReminder>> done) {
  auto kept = std::make_shared<decltype(done)>(std::move(done));
  deps_.loop.post([this, alive = alive_, right = std::move(right), key = std::move(key),
                   name = std::move(name), kept] {
    if (!*alive) return (*kept)(fail(Code::kUnavailable, "this node is stopping"));
    const std::string question = Question{.shard = right->shard,
                                          .type = key.type,
                                          .epoch = right->epoch,
                                          .id = key.id,
                                          .name = name}
                                     .encode();
    const auto answer = [kept](const Result<std::string>& bytes) {
      if (!bytes) return (*kept)(fail(bytes.error()));
      (*kept)(decode_reminders(*bytes));
    };
    if (reads_locally(*right)) return answer(read_reminders(right->shard, question));
    ask_as_owner(right, Service::kReminders, question, deps_.clock.now() + kReadPatience, answer);
  });
}

void Cluster::recall(std::shared_ptr<actors::Right> right, storage::CallId id,
                     Done<std::optional<storage::Outcome>> done) {
  auto kept = std::make_shared<decltype(done)>(std::move(done));
  deps_.loop.post([this, alive = alive_, right = std::move(right), id, kept] {
    if (!*alive) return (*kept)(fail(Code::kUnavailable, "this node is stopping"));
    Writer call;
    write_call_id(call, id);
    const std::string question = Question{
        .shard = right->shard,
        .type = right->type,
        .epoch = right->epoch,
        .id = call.take(),
        .name = {}}.encode();
    const auto answer = [kept](const Result<std::string>& bytes) {
      if (!bytes) return (*kept)(fail(bytes.error()));
      if (bytes->empty()) return (*kept)(std::optional<storage::Outcome>());
      auto outcome = decode_outcome(*bytes);
      if (!outcome) return (*kept)(fail(outcome.error()));
      (*kept)(std::optional(*std::move(outcome)));
    };
    if (reads_locally(*right)) return answer(read_recorded(right->shard, question));
    ask_as_owner(right, Service::kRecall, question, deps_.clock.now() + kReadPatience, answer);
  });
}

// Empty: of such a call nothing is known.
Result<std::string> Cluster::read_recorded(ShardId shard, std::string_view body) {
  const Result<Question> question = Question::decode(body);
  if (!question) return fail(question.error());
  const Result<void> current = check_epoch(shard, question->type, question->epoch);
  if (!current) return fail(current.error());
  Reader call(question->id);
  const storage::CallId id = read_call_id(call);
  if (!call.finished()) return fail(Code::kInvalid, "a damaged call id");
  const auto before = machine_of(*replicas_->find(shard)).consumed(id);
  if (!before) return fail(before.error());
  return *before ? encode_outcome(**before) : std::string();
}

void Cluster::confirm(std::shared_ptr<actors::Right> right, Done<void> done) {
  auto kept = std::make_shared<Done<void>>(std::move(done));
  deps_.loop.post([this, alive = alive_, right = std::move(right), kept] {
    if (!*alive) return (*kept)(fail(Code::kUnavailable, "this node is stopping"));
    const std::string question = Question{
        .shard = right->shard,
        .type = right->type,
        .epoch = right->epoch,
        .id = {},
        .name = {}}.encode();
    ask_as_owner(
        right, Service::kConfirm, question, deps_.clock.now() + kReadPatience,
        [kept](const Result<std::string>& answer) {
          if (answer) return (*kept)({});
          const bool moved = answer.error().code == Code::kConflict;
          (*kept)(fail(moved ? Code::kPrecondition : answer.error().code, answer.error().message));
        });
  });
}

Result<std::string> Cluster::read_confirmation(ShardId shard, std::string_view body) {
  const Result<Question> question = Question::decode(body);
  if (!question) return fail(question.error());
  const Result<void> current = check_epoch(shard, question->type, question->epoch);
  if (!current) return fail(current.error());
  return std::string();
}

// What other nodes ask of the shards led here. A leader is sure to be one only after a round of
// heartbeats, so every answer waits for that.
void Cluster::serve_reads() {
  using Read = Result<std::string> (Cluster::*)(ShardId, std::string_view);
  const auto serve = [this](Service service, Read read) {
    rpc_->serve(service, [this, read](NodeId /*from*/, std::string body, Time /*deadline*/,
                                      Done<std::string> respond) {
      const Result<Question> question = Question::decode(body);
      if (!question) return respond(fail(question.error()));
      Replica* replica = replicas_->find(question->shard);
      if (replica == nullptr || question->shard == kMetaShard || !replica->leads()) {
        return respond(fail(Code::kPrecondition, "this node does not lead that shard"));
      }
      replica->read(deps_.clock.now(),
                    [this, alive = alive_, read, shard = question->shard, body = std::move(body),
                     respond = std::move(respond)](const Result<void>& confirmed) mutable {
                      if (!confirmed) return respond(fail(confirmed.error()));
                      respond((this->*read)(shard, body));
                    });
      replicas_->wake(question->shard);
    });
  };
  serve(Service::kLoad, &Cluster::read_values);
  serve(Service::kReminders, &Cluster::read_reminders);
  serve(Service::kRecall, &Cluster::read_recorded);
  serve(Service::kConfirm, &Cluster::read_confirmation);
}

}  // namespace troupe::cluster

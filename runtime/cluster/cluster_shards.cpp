// Cluster's part that actors see as their shards: rights, commits and reads.
#include <utility>

#include "actors/state/operations.h"
#include "runtime/base/codec.h"
#include "runtime/cluster/cluster.h"
#include "storage/shard/rows.h"

namespace troupe::cluster {
namespace {

constexpr auto kReadPatience = std::chrono::seconds(5);
constexpr auto kReadRetry = std::chrono::milliseconds(20);
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

std::string encode_outcome(const storage::Outcome& outcome) {
  Writer out;
  out.number(static_cast<std::uint64_t>(outcome.kind));
  out.number(outcome.index);
  out.number(outcome.last_sequence);
  out.bytes(outcome.reply);
  out.boolean(outcome.reply_recorded);
  out.boolean(outcome.error.has_value());
  if (outcome.error) write_error(out, *outcome.error);
  return out.take();
}

Result<storage::Outcome> decode_outcome(std::string_view bytes) {
  Reader in(bytes);
  storage::Outcome outcome;
  outcome.kind = static_cast<storage::Outcome::Kind>(
      in.number_up_to(static_cast<std::uint64_t>(storage::Outcome::Kind::kRefused)));
  outcome.index = in.number();
  outcome.last_sequence = in.number();
  outcome.reply = in.string();
  outcome.reply_recorded = in.boolean();
  if (in.boolean()) outcome.error = read_error(in);
  if (!in.finished()) return fail(Code::kInternal, "a damaged outcome");
  return outcome;
}

}  // namespace

ShardId Cluster::shard_of(std::string_view type, std::string_view id) const {
  return placement::shard_of(type, id, cluster_.shard_count);
}

std::shared_ptr<actors::Right> Cluster::right(ShardId shard, std::string_view type) const {
  return rights_->find(shard, type);
}

void Cluster::commit(std::shared_ptr<actors::Right> right, storage::TurnCommand command,
                     Done<storage::Outcome> done) {
  auto entry = std::make_shared<storage::Entry>(WallTime{}, std::move(command));
  const bool first = commits_->with([&](std::vector<Commit>& commits) {
    commits.push_back(
        {.right = std::move(right), .entry = std::move(entry), .done = std::move(done)});
    return commits.size() == 1;
  });
  // The others are taken along: the loop is not woken for each of them.
  if (!first) return;
  Work take = [this, alive = alive_, commits = commits_] {
    if (*alive) return take_commits();
    for (Commit& each : commits->with([](auto& all) { return std::exchange(all, {}); })) {
      each.done(fail(Code::kPrecondition, "this node is stopping"));
    }
  };
  if (!deps_.gather) return deps_.loop.post(std::move(take));
  deps_.gather(
      [&loop = deps_.loop, take = std::move(take)]() mutable { loop.post(std::move(take)); });
}

void Cluster::take_commits() {
  commits_->with([this](std::vector<Commit>& commits) { commits.swap(arrived_); });
  for (Commit& each : arrived_) {
    rights_->commit(each.right, std::move(each.entry), std::move(each.done));
  }
  arrived_.clear();
}

// Of what this node's own replica knows and what gossip says, the newer. A replica that its group
// has removed goes on believing in the leader it knew.
NodeId Cluster::leader_of(ShardId shard) const {
  const Replica* replica = replicas_->find(shard);
  const placement::Table::RowRef row = table_->lookup(shard);
  if (replica != nullptr) {
    const raft::Standing standing = replica->raft().standing();
    const bool older = row && row->version.term > standing.term;
    if (!standing.leader.empty() && !older) return standing.leader.node;
  }
  if (!row) return {};
  return row->leader;
}

Error Cluster::no_leader(ShardId shard) const {
  std::string missing;
  const auto view = members();
  const placement::Table::RowRef row = table_->lookup(shard);
  for (const placement::RowReplica& replica :
       row ? row->replicas : std::vector<placement::RowReplica>{}) {
    if (view->reaches(replica.node)) continue;
    missing += (missing.empty() ? "" : ", ") + short_name(replica.node);
  }
  return {Code::kUnavailable,
          "shard " + std::to_string(shard.value) + " has no leader" +
              (missing.empty() ? "" : "; not reachable of its replicas: those on " + missing)};
}

void Cluster::propose(ShardId shard, ProposedEntry entry, Done<storage::Outcome> done) {
  const NodeId leader = leader_of(shard);
  if (leader == options_.self.id) {
    return replicas_->propose(shard, std::move(entry), std::move(done));
  }
  Writer body;
  body.id(shard);
  body.bytes(entry.bytes.view());
  ask_leader(shard, Service::kPropose, body.take(),
             [done = std::move(done)](const Result<std::string>& answer) mutable {
               if (!answer) return done(fail(answer.error()));
               done(decode_outcome(*answer));
             });
}

void Cluster::ask_leader(ShardId shard, Service service, std::string body, Done<std::string> done) {
  const NodeId leader = leader_of(shard);
  if (leader.empty()) {
    return done(fail(no_leader(shard)));
  }
  rpc_->ask(leader, service, std::move(body), kReadPatience, std::move(done));
}

// Leaders change while owners stay: asks until one answers, or the right is over.
void Cluster::ask_as_owner(std::shared_ptr<actors::Right> right, Service service,
                           std::string question, Time until, Done<std::string> done) {
  std::string body = question;
  ask_leader(right->shard, service, std::move(body),
             [this, alive = alive_, right, service, question = std::move(question), until,
              done = std::move(done)](Result<std::string> answer) mutable {
               if (answer || !*alive) return done(std::move(answer));
               const Code code = answer.error().code;
               const bool again = code == Code::kPrecondition || code == Code::kUnavailable ||
                                  code == Code::kUnknownOutcome;
               const Time next = deps_.clock.now() + kReadRetry;
               if (!again || right->ended() || next >= until) return done(std::move(answer));
               deps_.loop.post_at(
                   next, [this, alive, right, service, until, question = std::move(question),
                          done = std::move(done)]() mutable {
                     if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
                     ask_as_owner(right, service, std::move(question), until, std::move(done));
                   });
             });
}

void Cluster::locate(ShardId shard, const std::string& type, Duration patience, Done<void> done) {
  const NodeId leader = leader_of(shard);
  if (leader.empty()) {
    return done(fail(no_leader(shard)));
  }
  Writer body;
  body.id(shard);
  body.bytes(type);
  rpc_->ask(leader, Service::kOwner, body.take(), patience,
            [this, alive = alive_, shard, leader,
             done = std::move(done)](const Result<std::string>& row) mutable {
              if (row && *alive) learn(*row);
              if (row) return done({});
              done(fail(*alive && !members()->reaches(leader) ? no_leader(shard) : row.error()));
            });
}

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

// What other nodes ask of the shards led here. A leader is sure to be one only after a round of
// heartbeats, so every answer waits for that.
void Cluster::serve_reads() {
  rpc_->serve(Service::kPropose, [this](NodeId /*from*/, const std::string& body, Time /*deadline*/,
                                        Done<std::string> respond) {
    Reader in(body);
    const auto shard = in.id<ShardId>();
    std::string entry = in.string();
    if (!in.finished()) return respond(fail(Code::kInvalid, "a damaged proposal"));
    replicas_->propose(
        shard, Payload(std::move(entry)),
        [respond = std::move(respond)](const Result<storage::Outcome>& outcome) mutable {
          if (!outcome) return respond(fail(outcome.error()));
          respond(encode_outcome(*outcome));
        });
  });
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
  serve(Service::kConfirm, &Cluster::read_confirmation);
}

Result<std::string> Cluster::read_confirmation(ShardId shard, std::string_view body) {
  const Result<Question> question = Question::decode(body);
  if (!question) return fail(question.error());
  const Result<void> current = check_epoch(shard, question->type, question->epoch);
  if (!current) return fail(current.error());
  return std::string();
}

}  // namespace troupe::cluster

// ClusterAdmin's part that backs up and restores.
#include <algorithm>
#include <utility>

#include "actors/turns/outbox_message.h"
#include "runtime/api/cluster_admin.h"

namespace troupe::api {
namespace {

constexpr auto kHoldPatience = std::chrono::seconds(2);
constexpr auto kCutPatience = std::chrono::seconds(5);
constexpr auto kPartPatience = std::chrono::seconds(20);
constexpr auto kAttemptPause = std::chrono::milliseconds(500);
constexpr int kAttempts = 5;  // while leaders change

AdminQuestion question_of(std::string what, const std::string& backup) {
  AdminQuestion question;
  question.what = std::move(what);
  question.id = backup;
  return question;
}

// Whether another attempt may go better.
bool passes(const Error& error) {
  return error.code == Code::kPrecondition || error.code == Code::kUnavailable ||
         error.code == Code::kTimeout || error.code == Code::kUnknownOutcome;
}

using NodeAnswers = std::vector<std::pair<NodeId, Result<std::string>>>;

std::optional<Error> error_in(const NodeAnswers& answers) {
  for (const auto& [node, answer] : answers) {
    if (answer) continue;
    return Error{answer.error().code, "node " + short_name(node) + ": " + answer.error().message};
  }
  return std::nullopt;
}

Result<void> add_cuts(BackupPlan& plan, const NodeAnswers& answers) {
  for (const auto& [node, answer] : answers) {
    Result<std::vector<BackupCut>> cuts = from_json<std::vector<BackupCut>>(*answer);
    if (!cuts) return fail(cuts.error());
    for (BackupCut& cut : *cuts) {
      cut.node = to_string(node);
      plan.shards.push_back(std::move(cut));
    }
  }
  std::ranges::sort(plan.shards, {}, &BackupCut::shard);
  return {};
}

storage::RestoreCommand::Step step_of(RestoreStep::Kind kind) {
  using Step = storage::RestoreCommand::Step;
  switch (kind) {
    case RestoreStep::Kind::kBegin:
      return Step::kBegin;
    case RestoreStep::Kind::kLoad:
      return Step::kLoad;
    case RestoreStep::Kind::kFinish:
      return Step::kFinish;
    case RestoreStep::Kind::kAbandon:
      return Step::kAbandon;
  }
  return Step::kAbandon;
}

// What a shard said to a step: whatever is not its own refusal may go better another time, and
// steps can be repeated.
Result<void> result_of(const Result<storage::Outcome>& outcome) {
  if (!outcome) {
    const Error& error = outcome.error();
    return fail(passes(error) ? Code::kUnavailable : error.code, error.message);
  }
  if (outcome->error) return fail(*outcome->error);
  return {};
}

// Of the shards of one step.
struct Steps {
  std::size_t awaited;
  std::optional<Error> failed{};
  Done<void> done;

  void add(const Result<void>& result) {
    // A refusal says more than that somebody was not there.
    const bool worse = !result && (!failed || failed->code == Code::kUnavailable);
    if (worse) failed = result.error();
    if (--awaited > 0) return;
    done(failed ? Result<void>(fail(*failed)) : Result<void>());
  }
};

}  // namespace

void ClusterAdmin::begin_backup(std::string backup, Done<BackupPlan> done) {
  on_loop(std::move(done), [this, backup = std::move(backup)](Done<BackupPlan> answer) mutable {
    if (parse_node_id(backup).empty()) {
      return answer(
          fail(Code::kInvalid, "a backup is named by 32 hexadecimal digits, not '" + backup + "'"));
    }
    attempt_backup(std::move(backup), kAttempts, std::move(answer));
  });
}

void ClusterAdmin::attempt_backup(std::string backup, int attempts_left, Done<BackupPlan> done) {
  cut_backup(backup, [this, alive = alive_, backup, attempts_left,
                      done = std::move(done)](Result<BackupPlan> plan) mutable {
    if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
    // Messages go on at once, whatever has come of it.
    const std::string next = plan ? "backup release" : "backup end";
    ask_all(for_all(question_of(next, backup), false), kHoldPatience, [](const Answers&) {});
    if (plan || attempts_left <= 1 || !passes(plan.error())) return done(std::move(plan));
    loop_.post_at(clock_.now() + kAttemptPause,
                  [this, alive, backup, attempts_left, done = std::move(done)]() mutable {
                    if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
                    attempt_backup(std::move(backup), attempts_left - 1, std::move(done));
                  });
  });
}

// Each step asks all leaders, and is over before the next begins (cluster::Backups).
void ClusterAdmin::cut_backup(const std::string& backup, Done<BackupPlan> done) {
  const Result<Questions> leaders = by_leader(shards_of({}), question_of("backup hold", backup));
  if (!leaders) return done(fail(leaders.error()));
  auto questions = std::make_shared<Questions>(*leaders);
  auto step = [this, alive = alive_, questions](const std::string& what, Duration patience,
                                                Function<void(const Answers&)> then) {
    if (!*alive) return then({{NodeId{}, fail(Code::kUnavailable, "this node is stopping")}});
    for (auto& [node, question] : *questions) question.what = what;
    ask_all(*questions, patience, std::move(then));
  };
  auto kept = std::make_shared<Done<BackupPlan>>(std::move(done));
  step("backup hold", kHoldPatience, [this, kept, step, backup](const Answers& held) {
    if (const auto error = error_in(held)) return (*kept)(fail(*error));
    step("backup cut", kCutPatience,
         [kept, step, plan = plan_of(backup)](const Answers& cuts) mutable {
           if (const auto error = error_in(cuts)) return (*kept)(fail(*error));
           if (const auto added = add_cuts(plan, cuts); !added) return (*kept)(fail(added.error()));
           step("backup confirm", kHoldPatience,
                [kept, plan = std::move(plan)](const Answers& confirmed) {
                  const auto error = error_in(confirmed);
                  (*kept)(error ? Result<BackupPlan>(fail(*error)) : Result<BackupPlan>(plan));
                });
         });
  });
}

BackupPlan ClusterAdmin::plan_of(std::string backup) const {
  BackupPlan plan;
  plan.backup = std::move(backup);
  plan.cluster = cluster_.id();
  plan.taken = clock_.wall();
  for (const auto& member : cluster_.members()->reachable()) {
    if (member->http_port == 0) continue;
    plan.addresses.push_back(placement::to_string(
        placement::Address{.host = member->address.host, .port = member->http_port}));
  }
  return plan;
}

void ClusterAdmin::backup_part(std::string backup, BackupCut cut, std::uint64_t part,
                               Done<std::string> done) {
  AdminQuestion question = question_of("backup part", backup);
  question.shards = {cut.shard};
  question.limit = part;
  on_loop(std::move(done), [this, node = std::move(cut.node),
                            question = std::move(question)](Done<std::string> answer) {
    const Result<NodeId> member = member_named(node);
    if (!member) return answer(fail(member.error()));
    ask(*member, question, kPartPatience, std::move(answer));
  });
}

void ClusterAdmin::end_backup(std::string backup, Done<void> done) {
  on_loop(std::move(done), [this, backup = std::move(backup)](Done<void> answer) {
    ask_all(for_all(question_of("backup end", backup), false), kHoldPatience,
            [answer = std::move(answer)](const Answers& /*ended*/) mutable { answer({}); });
  });
}

// What other nodes, or this one, ask for a backup.
void ClusterAdmin::backup_question(const AdminQuestion& question, Done<std::string> respond) {
  cluster::Backups* const backups = cluster_.backups();
  if (backups == nullptr) {
    return respond(fail(Code::kUnavailable, "that node is not a member yet"));
  }
  const std::string& backup = question.id;
  const std::vector<ShardId> shards(question.shards.begin(), question.shards.end());
  const auto nothing = [](const Result<void>& result) {
    return result ? Result<std::string>(std::string()) : fail(result.error());
  };
  if (question.what == "backup hold") return respond(nothing(backups->hold(backup, shards)));
  if (question.what == "backup part" && shards.size() == 1) {
    return backups->part(backup, shards.front(), question.limit, std::move(respond));
  }
  if (question.what == "backup confirm" && !shards.empty()) {
    return backups->confirm(
        backup, shards, [nothing, respond = std::move(respond)](const Result<void>& held) mutable {
          respond(nothing(held));
        });
  }
  if (question.what == "backup cut" && !shards.empty()) {
    return backups->cut(backup, shards,
                        [respond = std::move(respond)](
                            const Result<std::vector<cluster::Backups::Cut>>& taken) mutable {
                          if (!taken) return respond(fail(taken.error()));
                          std::vector<BackupCut> cuts;
                          for (const auto& [shard, applied] : *taken) {
                            cuts.push_back({.shard = shard.value, .node = {}, .applied = applied});
                          }
                          respond(try_to_json(cuts));
                        });
  }
  if (question.what != "backup release" && question.what != "backup end") {
    return respond(fail(Code::kUnimplemented, "no question " + question.what));
  }
  backups->release(backup);
  if (question.what == "backup end") backups->end(backup);
  respond(std::string());
}

void ClusterAdmin::contents(Done<ContentsView> done) {
  AdminQuestion question;
  question.what = "contents";
  on_loop(std::move(done), [this, question = std::move(question)](Done<ContentsView> answer) {
    ask_leaders(shards_of({}), question,
                [cluster = cluster_.id(), answer = std::move(answer)](
                    const Result<std::vector<std::string>>& bodies) mutable {
                  if (!bodies) return answer(fail(bodies.error()));
                  ContentsView view{.cluster = cluster, .shards = {}};
                  for (const std::string& body : *bodies) {
                    auto some = from_json<std::vector<ShardContents>>(body);
                    if (!some) return answer(fail(some.error()));
                    view.shards.insert(view.shards.end(), some->begin(), some->end());
                  }
                  std::ranges::sort(view.shards, {}, &ShardContents::shard);
                  answer(std::move(view));
                });
  });
}

// Rows stand in the shards that will be asked for them.
Result<void> ClusterAdmin::check_rows(ShardId shard,
                                      const std::vector<storage::RestoredRow>& rows) const {
  for (const storage::RestoredRow& row : rows) {
    ShardId belongs = shard;
    if (const auto* value = std::get_if<storage::RestoredValue>(&row)) {
      belongs = cluster_.shard_of(value->type, value->id);
    } else if (const auto* reminder = std::get_if<storage::RestoredReminder>(&row)) {
      belongs = cluster_.shard_of(reminder->type, reminder->id);
    } else if (const auto* message = std::get_if<storage::RestoredMessage>(&row)) {
      const auto decoded = actors::decode_outbox_message(message->message);
      if (!decoded) return fail(decoded.error());
      const ActorKey& target = decoded->message.target;
      if (cluster_.shard_of(target.type, target.id) != message->target) {
        return fail(Code::kInvalid, "a message to the wrong shard");
      }
    }
    if (belongs != shard) {
      return fail(Code::kInvalid, "a row that belongs to shard " + std::to_string(belongs.value) +
                                      ", not " + std::to_string(shard.value));
    }
  }
  return {};
}

void ClusterAdmin::restore(RestoreStep step, Done<void> done) {
  on_loop(std::move(done), [this, step = std::move(step)](Done<void> answer) {
    storage::RestoreCommand command{
        .step = step_of(step.kind), .restore = step.restore, .part = step.part};
    if (step.kind != RestoreStep::Kind::kLoad) {
      const std::vector<ShardId> all = shards_of({});
      auto steps = std::make_shared<Steps>(all.size(), std::nullopt, std::move(answer));
      for (const ShardId shard : all) {
        cluster_.restore(shard, command, [steps](const Result<storage::Outcome>& outcome) {
          steps->add(result_of(outcome));
        });
      }
      return;
    }
    const ShardId shard{step.shard};
    if (shard.value >= cluster_.shard_count()) {
      return answer(fail(Code::kNotFound, "no shard " + std::to_string(shard.value)));
    }
    auto rows = storage::decode_restored_rows(step.rows);
    if (!rows) return answer(fail(Code::kInvalid, rows.error().message));
    if (const auto checked = check_rows(shard, *rows); !checked) {
      return answer(fail(checked.error()));
    }
    command.rows = *std::move(rows);
    cluster_.restore(shard, std::move(command),
                     [answer = std::move(answer)](const Result<storage::Outcome>& outcome) mutable {
                       answer(result_of(outcome));
                     });
  });
}

}  // namespace troupe::api

// ClusterAdmin's part that reads storage, by way of the leaders of the shards.
#include <algorithm>
#include <map>
#include <utility>

#include "runtime/api/cluster_admin.h"

namespace troupe::api {
namespace {

constexpr auto kReadPatience = std::chrono::seconds(5);

// The shards of one question that this node leads, until all are sure to be led.
struct Confirmed {
  std::size_t awaited = 0;
  std::optional<Error> failed;
  AdminQuestion question;
  Done<std::string> respond;
};

}  // namespace

NodeId ClusterAdmin::leader_of(ShardId shard) const {
  if (const cluster::Replica* replica = cluster_.replicas().find(shard)) {
    const NodeId leader = replica->raft().standing().leader.node;
    if (!leader.empty()) return leader;
  }
  if (cluster_.table() == nullptr) return {};
  const placement::Table::RowRef row = cluster_.table()->lookup(shard);
  return row ? row->leader : NodeId{};
}

std::vector<ShardId> ClusterAdmin::shards_of(const ActorKey& key) const {
  if (!key.id.empty()) return {cluster_.shard_of(key.type, key.id)};
  std::vector<ShardId> all;
  all.reserve(cluster_.shard_count());
  for (std::uint32_t shard = 0; shard < cluster_.shard_count(); ++shard) all.emplace_back(shard);
  return all;
}

Result<ClusterAdmin::Questions> ClusterAdmin::by_leader(const std::vector<ShardId>& shards,
                                                        AdminQuestion question) const {
  std::map<NodeId, std::vector<std::uint32_t>> led_by;
  for (const ShardId shard : shards) {
    const NodeId leader = leader_of(shard);
    if (leader.empty()) return fail(cluster_.no_leader(shard));
    led_by[leader].push_back(shard.value);
  }
  Questions questions;
  for (auto& [leader, led] : led_by) {
    question.shards = std::move(led);
    questions.emplace_back(leader, question);
  }
  return questions;
}

void ClusterAdmin::ask_leaders(const std::vector<ShardId>& shards, AdminQuestion question,
                               Done<std::vector<std::string>> done) {
  const Result<Questions> questions = by_leader(shards, std::move(question));
  if (!questions) return done(fail(questions.error()));
  ask_all(*questions, kReadPatience, [done = std::move(done)](Answers answers) mutable {
    std::vector<std::string> bodies;
    for (auto& [leader, answer] : answers) {
      if (!answer) return done(fail(answer.error()));
      bodies.push_back(*std::move(answer));
    }
    done(std::move(bodies));
  });
}

void ClusterAdmin::ids(std::string type, std::optional<std::string> after, std::uint64_t limit,
                       Done<IdsView> done) {
  AdminQuestion question;
  question.what = "ids";
  question.type = std::move(type);
  question.after = std::move(after);
  question.limit = std::min(limit, kIdsMax);
  on_loop(std::move(done), [this, question = std::move(question)](Done<IdsView> answer) {
    ask_leaders(shards_of({question.type, {}}), question,
                [limit = question.limit, answer = std::move(answer)](
                    const Result<std::vector<std::string>>& bodies) mutable {
                  if (!bodies) return answer(fail(bodies.error()));
                  std::vector<IdsView> views;
                  for (const std::string& body : *bodies) {
                    Result<IdsView> view = from_json<IdsView>(body);
                    if (!view) return answer(fail(view.error()));
                    views.push_back(*std::move(view));
                  }
                  answer(merged(std::move(views), limit));
                });
  });
}

void ClusterAdmin::state(ActorKey key, Done<std::vector<ValueView>> done) {
  AdminQuestion question;
  question.what = "state";
  question.type = key.type;
  question.id = key.id;
  on_loop(
      std::move(done), [this, question = std::move(question)](Done<std::vector<ValueView>> answer) {
        if (question.id.empty()) return answer(fail(Code::kInvalid, "the actor id is empty"));
        ask_leaders(
            shards_of({question.type, question.id}), question,
            [answer = std::move(answer)](const Result<std::vector<std::string>>& bodies) mutable {
              if (!bodies) return answer(fail(bodies.error()));
              answer(from_json<std::vector<ValueView>>(bodies->front()));
            });
      });
}

void ClusterAdmin::reminders(ActorKey key, std::uint64_t limit,
                             Done<std::vector<ReminderView>> done) {
  AdminQuestion question;
  question.what = "reminders";
  question.type = key.type;
  question.id = key.id;
  question.limit = limit;
  on_loop(std::move(done),
          [this, question = std::move(question)](Done<std::vector<ReminderView>> answer) {
            ask_leaders(shards_of({question.type, question.id}), question,
                        [limit = question.limit, answer = std::move(answer)](
                            const Result<std::vector<std::string>>& bodies) mutable {
                          if (!bodies) return answer(fail(bodies.error()));
                          std::vector<ReminderView> all;
                          for (const std::string& body : *bodies) {
                            Result<std::vector<ReminderView>> some =
                                from_json<std::vector<ReminderView>>(body);
                            if (!some) return answer(fail(some.error()));
                            all.insert(all.end(), some->begin(), some->end());
                          }
                          answer(merged(std::move(all), limit));
                        });
          });
}

// A leader is sure to be one only after a round of heartbeats, so every answer waits for that.
void ClusterAdmin::read(AdminQuestion question, Done<std::string> respond) {
  for (const std::uint32_t shard : question.shards) {
    const cluster::Replica* replica = cluster_.replicas().find(ShardId{shard});
    if (shard >= cluster_.shard_count() || replica == nullptr || !replica->leads()) {
      return respond(fail(Code::kUnavailable,
                          "shard " + std::to_string(shard) + " has just moved to another leader"));
    }
  }
  if (question.shards.empty()) return respond(fail(Code::kInvalid, "a question of no shard"));
  auto confirmed = std::make_shared<Confirmed>();
  confirmed->awaited = question.shards.size();
  const std::vector<std::uint32_t> shards = question.shards;
  confirmed->question = std::move(question);
  confirmed->respond = std::move(respond);
  for (const std::uint32_t shard : shards) {
    cluster_.replicas()
        .find(ShardId{shard})
        ->read(clock_.now(), [this, alive = alive_, confirmed](const Result<void>& sure) {
          if (!sure && !confirmed->failed) confirmed->failed = sure.error();
          if (!*alive) confirmed->failed = Error{Code::kUnavailable, "that node is stopping"};
          if (--confirmed->awaited > 0) return;
          if (confirmed->failed) return confirmed->respond(fail(*confirmed->failed));
          confirmed->respond(answer(confirmed->question));
        });
    cluster_.replicas().wake(ShardId{shard});
  }
}

Result<std::string> ClusterAdmin::answer(const AdminQuestion& question) {
  AdminAnswer answer(question, clock_.wall());
  for (const std::uint32_t shard : question.shards) {
    const cluster::Replica* replica = cluster_.replicas().find(ShardId{shard});
    if (replica == nullptr) return fail(Code::kUnavailable, "a shard has just left this node");
    const Result<void> added = answer.add(cluster_.replicas().writer(), replica->keys());
    if (!added) return fail(added.error());
  }
  return answer.finish();
}

}  // namespace troupe::api

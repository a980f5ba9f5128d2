#include "runtime/api/cluster_admin.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "runtime/api/names.h"
#include "runtime/api/shard_facts.h"

namespace troupe::api {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kFactsPatience = std::chrono::seconds(1);  // what is missing then is shown as such
constexpr std::size_t kScanMax = 20'000;       // activations looked at to find those of a type
constexpr std::size_t kUnsettledMax = 10'000;  // calls that wait until the app has said what it has

template <class T>
Result<std::vector<T>> read_list(const Result<std::string>& body) {
  if (!body) return fail(body.error());
  return from_json<std::vector<T>>(*body);
}

}  // namespace

ClusterAdmin::ClusterAdmin(cluster::Cluster& cluster, Executor& loop, Clock& clock)
    : cluster_(cluster), loop_(loop), clock_(clock) {}

void ClusterAdmin::serve(actors::Actors& actors, std::vector<std::string> types) {
  std::ranges::sort(types);
  types_.with([&](auto& mine) { mine = std::move(types); });
  cluster_.rpc().serve(cluster::Service::kAdmin,
                       [this, alive = alive_](NodeId /*from*/, const std::string& body,
                                              Time /*deadline*/, Done<std::string> respond) {
                         if (*alive) return question(body, std::move(respond));
                         respond(fail(Code::kUnavailable, "that node is stopping"));
                       });
  actors_.store(&actors, std::memory_order_release);
}

void ClusterAdmin::offer(std::vector<std::string> types, std::vector<std::string> outside) {
  std::ranges::sort(types);
  types_.with([&](auto& mine) { mine = std::move(types); });
  outside_.with([&](auto& mine) { mine = std::move(outside); });
  settled_.store(true, std::memory_order_release);
  auto waiting = unsettled_.with([](auto& all) { return std::exchange(all, {}); });
  for (auto& [number, then] : waiting) then(true);
}

void ClusterAdmin::when_settled(Time deadline, Function<void(bool)> then) {
  const std::uint64_t number = ++last_unsettled_;
  const bool kept = unsettled_.with([&](auto& all) {
    if (settled() || all.size() >= kUnsettledMax) return false;
    all.emplace(number, std::move(then));
    return true;
  });
  if (!kept) return then(settled());
  loop_.post_at(deadline, [this, alive = alive_, number] {
    if (!*alive) return;
    auto late = unsettled_.with([&](auto& all) { return all.extract(number); });
    if (late) late.mapped()(false);
  });
}

bool ClusterAdmin::runs_outside(std::string_view type) const {
  return outside_.with([&](const auto& types) { return std::ranges::binary_search(types, type); });
}

bool ClusterAdmin::deliver_here(actors::Call& call) {
  actors::Actors* const actors = serving();
  return actors != nullptr && actors->deliver_here(call);
}

std::vector<TypeCount> ClusterAdmin::hosted() const {
  std::map<std::string, std::uint64_t> counts;
  for (const std::string& type : types_.with([](const auto& types) { return types; })) {
    counts[type] = 0;
  }
  if (const actors::Actors* actors = serving()) {
    for (const auto& [type, count] : actors->counts()) {
      if (!is_system_type(type)) counts[type] = count;
    }
  }
  std::vector<TypeCount> hosted;
  hosted.reserve(counts.size());
  for (const auto& [type, count] : counts) hosted.push_back({type, count});
  return hosted;
}

void ClusterAdmin::status_here(Done<StatusFacts> done) {
  loop_.post([this, alive = alive_, done = std::move(done)]() mutable {
    if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
    done(status_now());
  });
}

void ClusterAdmin::status(Done<StatusFacts> done) {
  loop_.post([this, alive = alive_, done = std::move(done)]() mutable {
    if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
    StatusFacts facts = status_now();
    const cluster::Meta* meta = serving() == nullptr ? nullptr : cluster_.meta();
    const NodeId leader = meta == nullptr ? NodeId{} : meta->leader();
    if (leader.empty()) return done(std::move(facts));
    AdminQuestion question;
    question.what = "repair";
    ask(leader, question, kFactsPatience,
        [facts = std::move(facts),
         done = std::move(done)](const Result<std::string>& body) mutable {
          if (auto repair = body ? from_json<RepairFacts>(*body) : fail(body.error())) {
            facts.moves_under_way = repair->moves_under_way;
            facts.gone = std::move(repair->gone);
          }
          done(std::move(facts));
        });
  });
}

void ClusterAdmin::nodes(Done<std::vector<NodeFacts>> done) {
  on_loop(std::move(done), [this](auto answer) { answer(nodes_now()); });
}

std::vector<ActivationView> ClusterAdmin::activations_here(const std::string& type,
                                                           std::uint64_t limit) const {
  std::vector<ActivationView> found;
  const actors::Actors* actors = serving();
  if (actors == nullptr) return found;
  const std::size_t most = type.empty() ? static_cast<std::size_t>(limit) : kScanMax;
  const std::string node = to_string(self());
  const Time now = clock_.now();
  for (const actors::ActivationFacts& each : actors->activations(most)) {
    if (found.size() >= limit) break;
    if (!type.empty() && each.key.type != type) continue;
    found.push_back({.node = node,
                     .type = each.key.type,
                     .id = each.key.id,
                     .turns = each.turns,
                     .waiting = each.waiting,
                     .epoch = each.epoch.value,
                     .age = now - each.since,
                     .idle = each.idle});
  }
  return found;
}

void ClusterAdmin::activations(ActivationsQuery query, Done<ActivationsView> done) {
  on_loop(std::move(done), [this, query = std::move(query)](Done<ActivationsView> answer) {
    if (!query.all) {
      return answer(
          ActivationsView{.activations = activations_here(query.type, query.limit), .silent = {}});
    }
    AdminQuestion question;
    question.what = "activations";
    question.type = query.type;
    question.limit = query.limit;
    ask_all(for_all(question, false), kPatience,
            [limit = query.limit, answer = std::move(answer)](const Answers& answers) mutable {
              ActivationsView view;
              for (const auto& [node, body] : answers) {
                auto found = read_list<ActivationView>(body);
                if (!found) view.silent.push_back(to_string(node));
                if (!found) continue;
                for (ActivationView& each : *found) {
                  if (view.activations.size() < limit) view.activations.push_back(std::move(each));
                }
              }
              answer(std::move(view));
            });
  });
}

void ClusterAdmin::shards(Done<std::vector<ShardFacts>> done) {
  on_loop(std::move(done), [this](Done<std::vector<ShardFacts>> answer) {
    AdminQuestion question;
    question.what = "replicas";
    ask_replicas(question, [shards = shards_now(), answer = std::move(answer)](
                               const std::vector<ReplicaView>& said) mutable {
      std::map<std::uint32_t, std::vector<ReplicaView>> by_shard;
      for (const ReplicaView& each : said) by_shard[each.shard].push_back(each);
      for (ShardFacts& shard : shards) {
        std::vector<ReplicaView>& replicas = by_shard[shard.shard];
        std::ranges::move(silent_of(shard, replicas), std::back_inserter(replicas));
        measure_lag(replicas);
        add_replicas(shard, replicas);
      }
      answer(std::move(shards));
    });
  });
}

void ClusterAdmin::replicas(std::uint32_t shard, Done<std::vector<ReplicaView>> done) {
  on_loop(std::move(done), [this, shard](Done<std::vector<ReplicaView>> answer) {
    const placement::Table* table = cluster_.table();
    if (table == nullptr || shard >= cluster_.shard_count()) {
      return answer(fail(Code::kNotFound, "no shard " + std::to_string(shard) + ": there are " +
                                              std::to_string(cluster_.shard_count()) +
                                              ", from 0 on"));
    }
    AdminQuestion question;
    question.what = "replicas";
    question.shards = {shard};
    ask_replicas(question, [known = facts_of(shard, *table),
                            answer = std::move(answer)](std::vector<ReplicaView> replicas) mutable {
      std::ranges::move(silent_of(known, replicas), std::back_inserter(replicas));
      measure_lag(replicas);
      answer(std::move(replicas));
    });
  });
}

// Of all nodes that have any and answer.
void ClusterAdmin::ask_replicas(const AdminQuestion& question,
                                Function<void(std::vector<ReplicaView>)> done) {
  ask_all(for_all(question, true), kFactsPatience,
          [done = std::move(done)](const Answers& answers) mutable {
            std::vector<ReplicaView> said;
            for (const auto& [node, body] : answers) {
              if (auto found = read_list<ReplicaView>(body)) {
                std::ranges::move(*found, std::back_inserter(said));
              }
            }
            done(std::move(said));
          });
}

ClusterAdmin::Questions ClusterAdmin::for_all(const AdminQuestion& question, bool storing) const {
  Questions questions;
  for (const auto& member : cluster_.members()->reachable()) {
    if (member->storage || !storing) questions.emplace_back(member->id, question);
  }
  return questions;
}

Result<NodeId> ClusterAdmin::member_named(const std::string& name) const {
  std::vector<NodeId> found;
  for (const placement::View::Entry& entry : cluster_.members()->members) {
    if (to_string(entry.member->id).starts_with(name)) found.push_back(entry.member->id);
  }
  if (found.size() == 1 && !name.empty()) return found.front();
  if (found.empty()) return fail(Code::kNotFound, "no node '" + name + "' in this cluster");
  return fail(Code::kInvalid, "several nodes begin with '" + name + "': give more of the id");
}

void ClusterAdmin::drain(std::string node, bool draining, Done<void> done) {
  on_loop(std::move(done), [this, node = std::move(node), draining](Done<void> answer) {
    const Result<NodeId> member = member_named(node);
    if (!member) return answer(fail(member.error()));
    cluster::Meta* meta = cluster_.meta();
    if (meta == nullptr) return answer(fail(Code::kUnavailable, "this node is not a member yet"));
    const cluster::DrainNode command{.node = *member, .draining = draining};
    meta->command(command, kPatience,
                  [this, alive = alive_, member = *member, draining,
                   answer = std::move(answer)](const Result<std::string>& written) mutable {
                    if (!written) return answer(fail(written.error()));
                    if (!*alive) return answer({});
                    // What is written down counts; a node that is down hears of it when it is back.
                    AdminQuestion question;
                    question.what = "drain";
                    question.draining = draining;
                    ask(member, question, kPatience,
                        [answer = std::move(answer)](const Result<std::string>& /*told*/) mutable {
                          answer({});
                        });
                  });
  });
}

void ClusterAdmin::ask(NodeId to, const AdminQuestion& question, Duration patience,
                       Done<std::string> done) {
  Result<std::string> body = try_to_json(question);
  if (!body) return done(fail(body.error()));
  cluster_.rpc().ask(to, cluster::Service::kAdmin, *std::move(body), patience, std::move(done));
}

void ClusterAdmin::ask_all(const Questions& questions, Duration patience,
                           Function<void(Answers)> done) {
  struct Gathered {
    Answers answers;
    std::size_t awaited;
    Function<void(Answers)> done;
  };
  if (questions.empty()) return done({});
  auto gathered = std::make_shared<Gathered>(Answers{}, questions.size(), std::move(done));
  for (const auto& [node, question] : questions) {
    ask(node, question, patience, [gathered, node](Result<std::string> answer) {
      gathered->answers.emplace_back(node, std::move(answer));
      if (--gathered->awaited == 0) gathered->done(std::move(gathered->answers));
    });
  }
}

void ClusterAdmin::question(const std::string& body, Done<std::string> respond) {
  Result<AdminQuestion> question = from_json<AdminQuestion>(body);
  if (!question) return respond(fail(question.error()));
  if (question->what == "activations") {
    return respond(try_to_json(activations_here(question->type, question->limit)));
  }
  if (question->what == "replicas") {
    const auto& shards = question->shards;
    return respond(
        try_to_json(replicas_here(shards.empty() ? std::nullopt : std::optional(shards.front()))));
  }
  if (question->what == "repair") return respond(try_to_json(repair_here()));
  if (question->what == "drain") {
    const bool draining = question->draining;
    cluster_.update_self([draining](placement::Member& self) { self.draining = draining; });
    return respond(std::string());
  }
  if (question->what.starts_with("backup ")) {
    return backup_question(*question, std::move(respond));
  }
  read(*std::move(question), std::move(respond));
}

}  // namespace troupe::api

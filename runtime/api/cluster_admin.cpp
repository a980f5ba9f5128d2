#include "runtime/api/cluster_admin.h"

#include <algorithm>
#include <map>
#include <utility>

namespace troupe::api {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kScanMax = 20'000;  // activations looked at to find those of a type

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

std::vector<TypeCount> ClusterAdmin::hosted() const {
  std::map<std::string, std::uint64_t> counts;
  for (const std::string& type : types_.with([](const auto& types) { return types; })) {
    counts[type] = 0;
  }
  if (const actors::Actors* actors = serving()) {
    for (const auto& [type, count] : actors->counts()) counts[type] = count;
  }
  std::vector<TypeCount> hosted;
  for (const auto& [type, count] : counts) hosted.push_back({type, count});
  return hosted;
}

void ClusterAdmin::status(Done<StatusFacts> done) {
  loop_.post([this, alive = alive_, done = std::move(done)]() mutable {
    if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
    done(status_now());
  });
}

void ClusterAdmin::nodes(Done<std::vector<NodeFacts>> done) {
  on_loop(std::move(done), [this](auto answer) { answer(nodes_now()); });
}

void ClusterAdmin::shards(Done<std::vector<ShardFacts>> done) {
  on_loop(std::move(done), [this](auto answer) { answer(shards_now()); });
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

namespace {

// Answers of several nodes, until all are there.
struct Gathered {
  std::size_t awaited = 0;
  ActivationsView view;
  std::uint64_t limit = 0;
  Done<ActivationsView> done;

  void add(NodeId node, const Result<std::string>& answer) {
    Result<std::vector<ActivationView>> found = fail(Code::kUnavailable, "");
    if (answer) found = from_json<std::vector<ActivationView>>(*answer);
    if (!found) {
      view.silent.push_back(to_string(node));
    } else {
      for (ActivationView& each : *found) {
        if (view.activations.size() < limit) view.activations.push_back(std::move(each));
      }
    }
    if (--awaited == 0) done(std::move(view));
  }
};

}  // namespace

void ClusterAdmin::activations(ActivationsQuery query, Done<ActivationsView> done) {
  on_loop(std::move(done), [this, query = std::move(query)](Done<ActivationsView> answer) {
    if (!query.all) {
      return answer(
          ActivationsView{.activations = activations_here(query.type, query.limit), .silent = {}});
    }
    auto gathered = std::make_shared<Gathered>();
    gathered->limit = query.limit;
    gathered->done = std::move(answer);
    const auto members = cluster_.members()->reachable();
    gathered->awaited = members.size();
    if (members.empty()) return gathered->done(std::move(gathered->view));
    AdminQuestion question;
    question.what = "activations";
    question.type = query.type;
    question.limit = query.limit;
    for (const auto& member : members) {
      ask(member->id, question, [gathered, node = member->id](const Result<std::string>& reply) {
        gathered->add(node, reply);
      });
    }
  });
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
                    ask(member, question,
                        [answer = std::move(answer)](const Result<std::string>& /*told*/) mutable {
                          answer({});
                        });
                  });
  });
}

void ClusterAdmin::ask(NodeId to, const AdminQuestion& question, Done<std::string> done) {
  Result<std::string> body = try_to_json(question);
  if (!body) return done(fail(body.error()));
  cluster_.rpc().ask(to, cluster::Service::kAdmin, *std::move(body), kPatience, std::move(done));
}

void ClusterAdmin::question(const std::string& body, Done<std::string> respond) {
  Result<AdminQuestion> question = from_json<AdminQuestion>(body);
  if (!question) return respond(fail(question.error()));
  if (question->what == "activations") {
    return respond(try_to_json(activations_here(question->type, question->limit)));
  }
  if (question->what == "drain") {
    const bool draining = question->draining;
    cluster_.update_self([draining](placement::Member& self) { self.draining = draining; });
    return respond(std::string());
  }
  read(*std::move(question), std::move(respond));
}

}  // namespace troupe::api

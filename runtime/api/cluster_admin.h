#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/directory/actors.h"
#include "runtime/api/admin.h"
#include "runtime/api/admin_question.h"
#include "runtime/api/service.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "runtime/cluster/cluster.h"

namespace troupe::api {

/// The node as service and operators see it: cluster and actors.
///
/// Whatever is asked is posted to the node loop, where all of the cluster is read. What another
/// node knows better (its activations; the rows of a shard it leads) is asked of it, as a question
/// of Service::kAdmin. Reads wait until the leader is sure to be one, and wake no actor.
class ClusterAdmin final : public Admin, public Backend {
 public:
  /// All outlive it, and the loop has stopped before it goes.
  ClusterAdmin(cluster::Cluster& cluster, Executor& loop, Clock& clock);
  ~ClusterAdmin() override { *alive_ = false; }

  /// What this node hosts is not known before offer().
  void await_app() { settled_ = false; }
  /// What it hosts from now on; `outside`, sorted: of these, what an app beside it runs. On any
  /// thread, after serve().
  void offer(std::vector<std::string> types, std::vector<std::string> outside);
  /// The node is registered. On the loop, once. `actors` outlives this.
  void serve(actors::Actors& actors, std::vector<std::string> types);

  bool ready() const override { return serving() != nullptr && cluster_.ready(); }
  actors::Router& router() override { return cluster_.router(); }
  actors::CallIds& ids() override { return cluster_.ids(); }
  std::vector<TypeCount> hosted() const override;
  bool settled() const override { return settled_.load(std::memory_order_acquire); }
  void when_settled(Time deadline, Function<void(bool)> then) override;
  bool runs_outside(std::string_view type) const override;
  bool deliver_here(actors::Call& call) override;

  void status(Done<StatusFacts> done) override;
  void status_here(Done<StatusFacts> done) override;
  void nodes(Done<std::vector<NodeFacts>> done) override;
  void shards(Done<std::vector<ShardFacts>> done) override;
  void replicas(std::uint32_t shard, Done<std::vector<ReplicaView>> done) override;
  void activations(ActivationsQuery query, Done<ActivationsView> done) override;
  void ids(std::string type, std::optional<std::string> after, std::uint64_t limit,
           Done<IdsView> done) override;
  void state(ActorKey key, Done<std::vector<ValueView>> done) override;
  void reminders(ActorKey key, std::uint64_t limit, Done<std::vector<ReminderView>> done) override;
  void drain(std::string node, bool draining, Done<void> done) override;
  void begin_backup(std::string backup, Done<BackupPlan> done) override;
  void backup_part(std::string backup, BackupCut cut, std::uint64_t part,
                   Done<std::string> done) override;
  void end_backup(std::string backup, Done<void> done) override;
  void contents(Done<ContentsView> done) override;
  void restore(RestoreStep step, Done<void> done) override;

 private:
  using Questions = std::vector<std::pair<NodeId, AdminQuestion>>;
  using Answers = std::vector<std::pair<NodeId, Result<std::string>>>;

  actors::Actors* serving() const { return actors_.load(std::memory_order_acquire); }
  NodeId self() const { return cluster_.hello().node; }

  template <class T, class Use>
  void on_loop(Done<T> done, Use use);

  // On the loop.
  StatusFacts status_now() const;
  std::vector<NodeFacts> nodes_now() const;
  std::vector<ShardFacts> shards_now() const;
  std::vector<ReplicaView> replicas_here(std::optional<std::uint32_t> only = {}) const;
  RepairFacts repair_here() const;
  std::vector<ActivationView> activations_here(const std::string& type, std::uint64_t limit) const;
  NodeId leader_of(ShardId shard) const;
  Questions for_all(const AdminQuestion& question, bool storing) const;
  Result<NodeId> member_named(const std::string& name) const;

  void ask(NodeId to, const AdminQuestion& question, Duration patience, Done<std::string> done);
  void ask_all(const Questions& questions, Duration patience, Function<void(Answers)> done);
  void ask_replicas(const AdminQuestion& question, Function<void(std::vector<ReplicaView>)> done);
  void ask_leaders(const std::vector<ShardId>& shards, AdminQuestion question,
                   Done<std::vector<std::string>> done);
  void question(const std::string& body, Done<std::string> respond);
  void read(AdminQuestion question, Done<std::string> respond);
  Result<std::string> answer(const AdminQuestion& question);
  Result<Questions> by_leader(const std::vector<ShardId>& shards, AdminQuestion question) const;
  void attempt_backup(std::string backup, int attempts_left, Done<BackupPlan> done);
  void cut_backup(const std::string& backup, Done<BackupPlan> done);
  BackupPlan plan_of(std::string backup) const;
  void backup_question(const AdminQuestion& question, Done<std::string> respond);
  Result<void> check_rows(ShardId shard, const std::vector<storage::RestoredRow>& rows) const;
  std::vector<ShardId> shards_of(const ActorKey& key) const;

  cluster::Cluster& cluster_;
  Executor& loop_;
  Clock& clock_;
  std::atomic<actors::Actors*> actors_{nullptr};
  Guarded<std::vector<std::string>> types_;
  Guarded<std::vector<std::string>> outside_;
  Guarded<std::map<std::uint64_t, Function<void(bool)>>> unsettled_;
  std::atomic<std::uint64_t> last_unsettled_{0};
  std::atomic<bool> settled_{true};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

template <class T, class Use>
void ClusterAdmin::on_loop(Done<T> done, Use use) {
  loop_.post([this, alive = alive_, done = std::move(done), use = std::move(use)]() mutable {
    if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
    if (serving() == nullptr) {
      return done(fail(Code::kUnavailable,
                       "this node is not a member of its cluster yet: " + cluster_.status()));
    }
    use(std::move(done));
  });
}

}  // namespace troupe::api

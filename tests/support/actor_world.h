#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/activation/inline_scheduler.h"
#include "actors/directory/actors.h"
#include "tests/support/fake_shards.h"
#include "tests/support/manual_time.h"

namespace troupe::testing {

/// An actor whose methods are functions of the test. Its state is a text.
class ScriptedActor final : public ActorInstance {
 public:
  using Method = std::function<void(ScriptedActor&, TurnMessage, TurnContext&, Done<TurnResult>)>;
  using Methods = std::map<std::string, Method>;

  ScriptedActor(const Methods& methods, std::vector<std::string> read_only)
      : methods_(methods), read_only_(std::move(read_only)) {}

  Result<void> load(std::optional<std::string_view> bytes) override;
  void run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) override;
  void deactivate(TurnContext& context, Done<TurnResult> done) override;
  bool spoiled() const override { return writes; }

  /// A result with `reply`, and with the state as it is.
  TurnResult result(std::string reply = {}) const;

  std::string state;
  int turns = 0;  // of this instance; not part of the state
  bool writes = true;

 private:
  const Methods& methods_;
  std::vector<std::string> read_only_;
};

/// One node's actors, one thread, time that moves when told.
class ActorWorld : public actors::Router {
 public:
  struct Answer {
    std::optional<Result<actors::Reply>> outcome;
    std::string text() const;  // of a reply; "pending", or "!" and the code's number
    std::string error() const;
    std::optional<Code> code() const;
  };
  using AnswerPtr = std::shared_ptr<Answer>;

  ActorWorld();
  ~ActorWorld() override;

  /// Before the first call. `methods` by "name", "name const" or "name interleave" ...
  ActorType& type(const std::string& name, ScriptedActor::Methods methods);
  void start(actors::ActorsOptions options = {});

  AnswerPtr send(const std::string& type, const std::string& id, const std::string& method,
                 std::string message = {});
  AnswerPtr send(actors::Call call);
  /// send() and run(), the answer's text().
  std::string ask(const std::string& type, const std::string& id, const std::string& method,
                  std::string message = {});
  actors::Call call(const std::string& type, const std::string& id, const std::string& method,
                    std::string message = {});

  /// Runs what can run without time passing.
  void run();
  /// Lets time pass, running what comes due.
  void pass(Duration duration);

  void route(actors::Call call) override;
  void returned(actors::Call call) override;

  ManualClock clock;
  ManualExecutor executor{clock};
  FakeShards shards{executor};
  actors::InlineScheduler scheduler;
  actors::CallIds ids{NodeId{1, 1}, Generation{1}};
  std::unique_ptr<actors::Actors> actors;
  std::vector<std::string> log;                                // what methods write
  std::map<std::string, std::vector<actors::Call>> elsewhere;  // routed to types not here
  std::map<std::string, std::shared_ptr<ScriptedActor::Methods>> methods;
  std::vector<std::shared_ptr<ActorType>> types;
  Time lease = Time::max();
};

}  // namespace troupe::testing

#include "tests/support/actor_world.h"

#include <algorithm>
#include <sstream>

namespace troupe::testing {

Result<void> ScriptedActor::load(std::optional<std::string_view> bytes) {
  state = bytes.value_or("");
  if (state == "damaged") return fail(Code::kInvalid, "damaged state");
  return {};
}

void ScriptedActor::run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) {
  if (message.activates && methods_.contains("on_activate")) {
    methods_.at("on_activate")(*this, message, context, [](Result<TurnResult>) {});
  }
  const auto method = methods_.find(message.method);
  if (method == methods_.end()) return done(fail(Code::kUnimplemented, message.method));
  writes = message.activates || std::ranges::find(read_only_, message.method) == read_only_.end();
  method->second(*this, std::move(message), context, std::move(done));
}

void ScriptedActor::deactivate(TurnContext& context, Done<TurnResult> done) {
  const auto method = methods_.find("on_deactivate");
  writes = true;
  if (method == methods_.end()) return done(result());
  method->second(*this, {}, context, std::move(done));
}

TurnResult ScriptedActor::result(std::string reply) const {
  TurnResult result;
  result.reply = std::move(reply);
  if (writes) result.state = state;
  return result;
}

std::string ActorWorld::Answer::text() const {
  if (!outcome) return "pending";
  if (*outcome) return std::string((**outcome).body.view());
  return "!" + std::to_string(static_cast<int>(outcome->error().code));
}

std::string ActorWorld::Answer::error() const {
  return outcome && !*outcome ? outcome->error().message : "";
}

std::optional<Code> ActorWorld::Answer::code() const {
  if (!outcome || *outcome) return std::nullopt;
  return outcome->error().code;
}

ActorWorld::ActorWorld() = default;

ActorWorld::~ActorWorld() {
  if (actors == nullptr) return;
  shards.release_commits();
  actors->stop(clock.now() + std::chrono::minutes(10), [] {});
  pass(std::chrono::minutes(11));
}

ActorType& ActorWorld::type(const std::string& name, ScriptedActor::Methods named) {
  auto& plain = methods[name] = std::make_shared<ScriptedActor::Methods>();
  auto made = std::make_shared<ActorType>();
  std::vector<std::string> read_only;
  for (auto& [text, method] : named) {
    std::istringstream words(text);
    MethodInfo info;
    words >> info.name;
    for (std::string word; words >> word;) {
      if (word == "const") info.access = Access::kReadOnly;
      if (word == "interleave") info.access = Access::kInterleave;
    }
    if (info.access != Access::kWrite) read_only.push_back(info.name);
    (*plain)[info.name] = std::move(method);
    made->methods.push_back(std::move(info));
  }
  made->name = name;
  made->make = [methods = plain, read_only] {
    return std::make_unique<ScriptedActor>(*methods, read_only);
  };
  types.push_back(made);
  return *made;
}

void ActorWorld::start(actors::ActorsOptions options) {
  std::vector<std::shared_ptr<const ActorType>> hosted(types.begin(), types.end());
  for (const auto& each : types) shards.own(each->name, lease);
  actors = std::make_unique<actors::Actors>(
      actors::ActorsDependencies{.clock = clock,
                                 .shards = shards,
                                 .router = *this,
                                 .scheduler = scheduler,
                                 .blocking = scheduler,
                                 .timers = executor,
                                 .ids = ids,
                                 .log = Log(silent_log(), "actors")},
      std::move(hosted), std::move(options));
  actors->start();
}

actors::Call ActorWorld::call(const std::string& type, const std::string& id,
                              const std::string& method, std::string message) {
  actors::Call call;
  call.key = {.type = type, .id = id};
  call.method = method;
  call.message = std::move(message);
  call.id = ids.next();
  return call;
}

ActorWorld::AnswerPtr ActorWorld::send(actors::Call call) {
  auto answer = std::make_shared<Answer>();
  call.done = [answer](Result<actors::Reply> reply) { answer->outcome = std::move(reply); };
  actors->deliver(std::move(call));
  return answer;
}

ActorWorld::AnswerPtr ActorWorld::send(const std::string& type, const std::string& id,
                                       const std::string& method, std::string message) {
  return send(call(type, id, method, std::move(message)));
}

std::string ActorWorld::ask(const std::string& type, const std::string& id,
                            const std::string& method, std::string message) {
  const AnswerPtr answer = send(type, id, method, std::move(message));
  run();
  return answer->text();
}

void ActorWorld::run() {
  while (scheduler.step() || executor.step()) {
  }
}

void ActorWorld::pass(Duration duration) {
  const Time end = clock.now() + duration;
  run();
  while (executor.next() <= end) {
    if (executor.next() > clock.now()) clock.advance(executor.next() - clock.now());
    run();
  }
  if (end > clock.now()) clock.advance(end - clock.now());
  run();
}

void ActorWorld::returned(actors::Call call) {
  call.done(fail(Code::kPrecondition, "not the owner of " + to_string(call.key)));
}

void ActorWorld::route(actors::Call call) {
  const bool here =
      std::ranges::any_of(types, [&](const auto& each) { return each->name == call.key.type; });
  if (here) return actors->deliver(std::move(call));
  elsewhere[call.key.type].push_back(std::move(call));
}

}  // namespace troupe::testing

#include "tools/troupe/runner.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <ostream>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "tools/troupe/child_process.h"
#include "tools/troupe/run_ports.h"
#include "tools/troupe/shown_output.h"
#include "tools/troupe/stop_signals.h"

namespace troupe::tools {
namespace {

constexpr Duration kStepInterval = std::chrono::milliseconds(50);

// A process of a pair, with its output.
struct Part {
  ChildProcess process;
  ShownOutput output;
  std::string name;
  bool killed = false;  // since it did not stop
};

enum class Stage : std::uint8_t {
  kWaiting,
  kStarting,
  kRunning,
  kStoppingApp,
  kStoppingNode,
  kOver
};

// An app and the node beside it.
struct Pair {
  const AppRun* run;
  RunningApp facts = {};
  RunPorts ports = {};
  std::optional<Part> node = {};
  std::optional<Part> app = {};
  Stage stage = Stage::kWaiting;
  Time deadline = {};  // of the stage, where it has one
};

std::string seconds(Duration duration) {
  return std::to_string(duration.count() / 1'000'000) + " s";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool asked_to_end(int exit_code) { return exit_code == 128 + SIGTERM || exit_code == 128 + SIGINT; }

/// One `troupe run`. All on one thread.
class Runner {
 public:
  Runner(const RunRequest& request, const RunningApps& registry, Clock& clock, Terminal& terminal)
      : request_(request), registry_(registry), clock_(clock), terminal_(terminal) {}

  Result<int> run();

 private:
  void step(Pair& pair);
  Result<void> start_node(Pair& pair);
  void await_node(Pair& pair);
  Result<void> start_app(Pair& pair);
  Result<Part> start_part(const Pair& pair, const std::vector<std::string>& command,
                          const ChildProcess::Surroundings& surroundings, bool is_app);
  void watch(Pair& pair);
  void stop(Pair& pair);
  void stop_node(Pair& pair);
  void await_end(Pair& pair, Part& part, Stage next);
  void stop_all();
  void kill_all();
  void failed(Pair& pair, std::string message);
  void say(const std::string& line);
  void wait();
  bool needs_storage(const Pair& pair) const;
  bool all_over() const;

  const RunRequest& request_;
  const RunningApps& registry_;
  Clock& clock_;
  Terminal& terminal_;
  StopSignals signals_;
  std::vector<Pair> pairs_;
  bool stopping_ = false;  // all of them
  int exit_code_ = 0;
  std::optional<std::string> error_;  // the first
};

Result<int> Runner::run() {
  for (const AppRun& app : request_.apps) pairs_.push_back({.run = &app});
  while (!all_over()) {
    for (Pair& pair : pairs_) {
      // One after the other, so that the first can found the cluster that the others join.
      const bool starts = pair.stage == Stage::kWaiting || pair.stage == Stage::kStarting;
      step(pair);
      if (starts && pair.stage == Stage::kStarting) break;
    }
    if (!all_over()) wait();
  }
  terminal_.out.flush();
  if (error_) return fail(Code::kUnavailable, *error_);
  return exit_code_;
}

void Runner::step(Pair& pair) {
  switch (pair.stage) {
    case Stage::kWaiting: {
      if (stopping_) {
        pair.stage = Stage::kOver;
        return;
      }
      if (const Result<void> started = start_node(pair); !started) {
        failed(pair, started.error().message);
      }
      return;
    }
    case Stage::kStarting:
      return await_node(pair);
    case Stage::kRunning:
      return watch(pair);
    case Stage::kStoppingApp:
      return await_end(pair, *pair.app, Stage::kStoppingNode);
    case Stage::kStoppingNode:
      return await_end(pair, *pair.node, Stage::kOver);
    case Stage::kOver:
      return;
  }
}

Result<void> Runner::start_node(Pair& pair) {
  const AppRun& run = *pair.run;
  const Result<RunPorts> ports = choose_ports(run);
  if (!ports) return fail(ports.error());
  pair.ports = *ports;
  pair.facts = {.app_id = run.app_id(),
                .http_port = ports->http,
                .grpc_port = ports->grpc,
                .app_port = run.port("app-port"),
                .run = ::getpid(),
                .run_started = process_facts(::getpid()).value_or(ProcessFacts{}).started,
                .storage = needs_storage(pair),
                .started_at = std::chrono::duration_cast<std::chrono::seconds>(
                                  clock_.wall().time_since_epoch())
                                  .count(),
                .command = joined(run.command),
                .run_file = request_.run_file};
  Result<Part> node = start_part(
      pair, run_node_command(run, *ports, request_.node_program, pair.facts.storage), {}, false);
  if (!node) return fail(node.error());
  pair.node.emplace(*std::move(node));
  pair.facts.node = pair.node->process.pid();
  pair.stage = Stage::kStarting;
  pair.deadline = clock_.now() + request_.ready_timeout;
  return registry_.put(pair.facts);
}

// One node keeps the data of all runs of this user, so that any of them may run alone.
bool Runner::needs_storage(const Pair& pair) const {
  return !joins_others(*pair.run) && std::ranges::none_of(registry_.all(), &RunningApp::storage);
}

Result<Part> Runner::start_part(const Pair& pair, const std::vector<std::string>& command,
                                const ChildProcess::Surroundings& surroundings, bool is_app) {
  const std::string id = pair.run->app_id();
  const auto number = static_cast<std::size_t>(&pair - pairs_.data());
  const bool alone = pairs_.size() == 1;
  const std::string name = alone ? (is_app ? "app" : "node") : (is_app ? id : id + " node");
  ShownOutput output(name, is_app ? 2 * number : 2 * number + 1);
  const LogPlace place = is_app ? pair.run->app_log : pair.run->node_log;
  if (place != LogPlace::kConsole) {
    const std::string file = pair.run->directory + "/.dapr/logs/" + id +
                             (is_app ? "_app_" : "_daprd_") +
                             std::to_string(pair.facts.started_at) + ".log";
    const Result<void> kept = output.keep(file, place == LogPlace::kBoth);
    if (!kept) return fail(kept.error());
  }
  Result<ChildProcess> process = ChildProcess::start(command, surroundings);
  if (!process) return fail(process.error());
  return Part{.process = *std::move(process), .output = std::move(output), .name = name};
}

void Runner::await_node(Pair& pair) {
  if (!pair.node->process.ended().empty()) {
    pair.node->output.finish(pair.node->process, terminal_);
    return failed(pair, "the node of " + pair.run->app_id() + " " + pair.node->process.ended() +
                            " before it was ready; its output above may say why");
  }
  if (!is_listening(pair.ports.http) || !is_listening(pair.ports.grpc)) {
    if (clock_.now() < pair.deadline) return;
    return failed(pair, "the node of " + pair.run->app_id() + " does not listen after " +
                            seconds(request_.ready_timeout) + "; its output above may say why");
  }
  pair.stage = Stage::kRunning;
  if (const Result<void> started = start_app(pair); !started) {
    return failed(pair, started.error().message);
  }
  say(pair.run->app_id() +
      " runs: HTTP API at http://127.0.0.1:" + std::to_string(pair.ports.http) +
      ", gRPC API at 127.0.0.1:" + std::to_string(pair.ports.grpc) + "; Ctrl-C stops it");
}

Result<void> Runner::start_app(Pair& pair) {
  const AppRun& run = *pair.run;
  if (run.command.empty()) return {};
  Result<Part> app = start_part(
      pair, run.command,
      {.directory = run.directory, .environment = app_environment(run, pair.ports)}, true);
  if (!app) return fail(app.error());
  pair.app.emplace(*std::move(app));
  pair.facts.app = pair.app->process.pid();
  return registry_.put(pair.facts);
}

void Runner::watch(Pair& pair) {
  if (pair.app && !pair.app->process.ended().empty()) {
    pair.app->output.show(pair.app->process, terminal_);
    const int code = pair.app->process.exit_code().value_or(0);
    say("the app " + pair.run->app_id() + " " + pair.app->process.ended());
    if (exit_code_ == 0 && !asked_to_end(code)) exit_code_ = code;
    return stop(pair);
  }
  if (!pair.node->process.ended().empty()) {
    pair.node->output.finish(pair.node->process, terminal_);
    const int code = pair.node->process.exit_code().value_or(0);
    const std::string what = "the node of " + pair.run->app_id() + " " + pair.node->process.ended();
    if (code == 0 || asked_to_end(code)) {
      say(what);
      return stop(pair);
    }
    failed(pair, what + "; its output above may say why");
  }
}

// The app first: it may need its node to end in order.
void Runner::stop(Pair& pair) {
  if (!pair.app) return stop_node(pair);
  pair.stage = Stage::kStoppingApp;
  pair.deadline = clock_.now() + request_.app_stop_timeout;
  pair.app->process.signal_all(SIGTERM);
}

void Runner::stop_node(Pair& pair) {
  if (!pair.node) {
    pair.stage = Stage::kOver;
    return;
  }
  pair.stage = Stage::kStoppingNode;
  pair.deadline = clock_.now() + request_.node_stop_timeout;
  pair.node->process.signal(SIGTERM);
}

// Until it has ended, and those it has started as well: they hold its output.
void Runner::await_end(Pair& pair, Part& part, Stage next) {
  const bool ended = !part.process.ended().empty();
  if (!ended || part.output.open()) {
    if (clock_.now() < pair.deadline && !part.killed) return;
    if (!ended && !part.killed) {
      say(part.name + " does not stop, killing it");
      if (exit_code_ == 0) exit_code_ = 1;
    }
    part.process.signal_all(SIGKILL);
    part.process.kill_and_wait();
  }
  part.output.finish(part.process, terminal_);
  if (next == Stage::kStoppingNode) return stop_node(pair);
  pair.stage = Stage::kOver;
  registry_.remove(pair.facts);
}

void Runner::failed(Pair& pair, std::string message) {
  if (!error_) error_ = std::move(message);
  const bool was_starting = pair.stage == Stage::kWaiting || pair.stage == Stage::kStarting ||
                            (!pair.run->command.empty() && !pair.app);
  stop(pair);
  if (was_starting) stop_all();
}

void Runner::stop_all() {
  if (std::exchange(stopping_, true)) return;
  say("stopping");
  for (Pair& pair : pairs_) {
    if (pair.stage == Stage::kStarting || pair.stage == Stage::kRunning) stop(pair);
  }
}

void Runner::kill_all() {
  for (Pair& pair : pairs_) {
    for (std::optional<Part>* part : {&pair.app, &pair.node}) {
      if (!*part) continue;
      const bool ended = !(*part)->process.ended().empty();
      if (ended && !(*part)->output.open()) continue;
      if (!ended) {
        say((*part)->name + " has not stopped, killing it");
        if (exit_code_ == 0) exit_code_ = 1;
      }
      (*part)->killed = true;
      (*part)->process.signal_all(SIGKILL);
    }
  }
}

void Runner::say(const std::string& line) {
  terminal_.out << "troupe: " << line << '\n' << std::flush;
}

// Shows what they print, until there is a signal or it is time for a step.
void Runner::wait() {
  std::vector<pollfd> waited = {{.fd = signals_.file(), .events = POLLIN, .revents = 0}};
  std::vector<Part*> parts;
  for (Pair& pair : pairs_) {
    for (std::optional<Part>* part : {&pair.app, &pair.node}) {
      if (!*part || !(*part)->output.open()) continue;
      parts.push_back(&**part);
      waited.push_back({.fd = (*part)->process.output(), .events = POLLIN, .revents = 0});
    }
  }
  const auto at_most = std::chrono::ceil<std::chrono::milliseconds>(kStepInterval);
  if (::poll(waited.data(), waited.size(), static_cast<int>(at_most.count())) <= 0) return;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (waited[i + 1].revents != 0) parts[i]->output.show(parts[i]->process, terminal_);
  }
  terminal_.out.flush();
  if (!signals_.taken()) return;
  if (stopping_) return kill_all();
  stop_all();
}

bool Runner::all_over() const {
  return std::ranges::all_of(pairs_, [](const Pair& pair) { return pair.stage == Stage::kOver; });
}

}  // namespace

Result<int> run_apps(const RunRequest& request, const RunningApps& registry, Clock& clock,
                     Terminal& terminal) {
  return Runner(request, registry, clock, terminal).run();
}

}  // namespace troupe::tools

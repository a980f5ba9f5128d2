#include "tools/troupe/run_commands.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <ostream>
#include <system_error>
#include <utility>

#include "runtime/base/random.h"
#include "tools/troupe/file.h"
#include "tools/troupe/run_file.h"
#include "tools/troupe/runner.h"
#include "tools/troupe/table.h"
#include <troupe/json.h>

namespace troupe::tools {
namespace {

constexpr std::size_t kCommandWidth = 20;

std::string invented_id() {
  constexpr std::array kFirst = {"calm",  "bold",  "brisk", "quiet", "early", "late",  "grand",
                                 "plain", "proud", "swift", "vivid", "warm",  "witty", "young"};
  constexpr std::array kSecond = {"actor",   "chorus", "curtain", "drama",     "encore",
                                  "lantern", "mask",   "prompt",  "rehearsal", "scene",
                                  "script",  "stage",  "ticket",  "tune"};
  Random random(random_seed());
  return std::string(kFirst.at(random.below(kFirst.size()))) + "-" +
         kSecond.at(random.below(kSecond.size()));
}

// By flags: one app.
Result<AppRun> typed_app(const RunTyped& typed) {
  AppRun app{.values = typed.values, .command = typed.command};
  for (auto& [flag, values] : app.values) {
    const RunKey* const key = run_key_of_flag(flag);
    for (std::string& value : values) {
      Result<std::string> parsed = parse_run_value(key->kind, value);
      if (!parsed) return fail(Code::kInvalid, "--" + flag + ": " + parsed.error().message);
      value = *std::move(parsed);
      const bool is_path = key->kind == RunKind::kPath || key->kind == RunKind::kPaths;
      std::error_code ignored;
      if (is_path && !std::filesystem::exists(value, ignored)) {
        return fail(Code::kNotFound, "--" + flag + ": there is no " + value);
      }
    }
  }
  if (!app.has("app-id")) app.values["app-id"] = {invented_id()};
  const Result<void> sound = check_run(app);
  if (!sound) return fail(sound.error());
  return app;
}

struct RunText {
  std::string text;
  std::string path;       // empty: standard input
  std::string directory;  // what is relative is relative to it
};

Result<RunText> read_run_file(const std::string& given, Terminal& terminal) {
  std::error_code error;
  if (given == "-") {
    return RunText{.text = terminal.read_input(),
                   .path = "",
                   .directory = std::filesystem::current_path(error).string()};
  }
  std::filesystem::path path = std::filesystem::absolute(given, error).lexically_normal();
  if (std::filesystem::is_directory(path, error)) path /= "dapr.yaml";
  Result<OldFile> file = OldFile::open(path.string());
  if (!file) return fail(file.error());
  Result<std::string> text = file->read(kRunFileBytesMax + 1);
  if (!text) return fail(text.error());
  return RunText{
      .text = *std::move(text), .path = path.string(), .directory = path.parent_path().string()};
}

Result<RunRequest> file_request(const RunTyped& typed, Terminal& terminal) {
  const Result<RunText> file = read_run_file(typed.run_file, terminal);
  if (!file) return fail(file.error());
  const std::string name = file->path.empty() ? "standard input" : file->path;
  Result<RunFile> parsed =
      parse_run_file(file->text, {.directory = file->directory,
                                  .home = terminal.variable("HOME").value_or("/"),
                                  .exists = [](const std::string& path) {
                                    std::error_code ignored;
                                    return std::filesystem::exists(path, ignored);
                                  }});
  if (!parsed) return fail(parsed.error().code, name + ": " + parsed.error().message);
  for (const std::string& key : parsed->idle_keys) {
    terminal.errors << "troupe: warning: " << name << ": '" << key << "' has no effect here\n";
  }
  for (const auto& [flag, ignored] : typed.values) {
    terminal.errors << "troupe: warning: --" << flag << " is passed over beside --run-file\n";
  }
  if (!typed.command.empty()) {
    terminal.errors << "troupe: warning: the command is passed over beside --run-file\n";
  }
  return RunRequest{
      .apps = std::move(parsed->apps), .node_program = typed.program, .run_file = name};
}

std::string age_of(std::int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3'600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86'400) return std::to_string(seconds / 3'600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

std::int64_t age(const RunningApp& app, const Clock& clock) {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(clock.wall().time_since_epoch());
  return std::max<std::int64_t>(0, now.count() - app.started_at);
}

std::string listed(const std::vector<RunningApp>& apps, const Clock& clock) {
  JsonWriter json;
  json.begin_array();
  const auto number = [&](std::string_view name, std::int64_t value) {
    json.key(name);
    json.write(value);
  };
  const auto text = [&](std::string_view name, const std::string& value) {
    json.key(name);
    json.write(value);
  };
  for (const RunningApp& app : apps) {
    json.begin_object();
    text("appId", app.app_id);
    number("httpPort", app.http_port);
    number("grpcPort", app.grpc_port);
    number("appPort", app.app_port);
    text("command", app.command);
    text("age", age_of(age(app, clock)));
    json.key("created");
    json.write(WallTime(std::chrono::seconds(app.started_at)));
    number("daprdPid", app.node);
    number("cliPid", app.run);
    number("appPid", app.app);
    text("runTemplatePath", app.run_file);
    json.end_object();
  }
  json.end_array();
  const Result<std::string> written = json.finish();
  return written ? *written : "[]";
}

// Of a run with several apps only one; its node follows it.
pid_t process_to_stop(const RunningApp& app, bool has_others) {
  if (!has_others) return app.run;
  const pid_t one = app.app != 0 ? app.app : app.node;
  const std::optional<ProcessFacts> facts = process_facts(one);
  return facts && facts->parent == app.run ? one : 0;
}

}  // namespace

Result<int> run_run(const RunTyped& typed, const RunningApps& registry, Clock& clock,
                    Terminal& terminal) {
  RunRequest request;
  if (typed.run_file.empty()) {
    Result<AppRun> app = typed_app(typed);
    if (!app) return fail(app.error());
    request = {.apps = {*std::move(app)}, .node_program = typed.program};
  } else {
    Result<RunRequest> read = file_request(typed, terminal);
    if (!read) return fail(read.error());
    request = *std::move(read);
  }
  for (const AppRun& app : request.apps) {
    for (const std::string& flag : idle_flags(app)) {
      terminal.errors << "troupe: warning: " << flag << " of " << app.app_id()
                      << " has no effect here\n";
    }
  }
  terminal.errors.flush();
  return run_apps(request, registry, clock, terminal);
}

void run_list(bool json, const RunningApps& registry, const Clock& clock, Terminal& terminal) {
  const std::vector<RunningApp> apps = registry.all();
  if (json) {
    terminal.out << listed(apps, clock) << '\n';
    return;
  }
  if (apps.empty()) {
    terminal.out << "no app runs; start one with `troupe run`\n";
    return;
  }
  Table table{.columns = {"app id", "http port", "grpc port", "app port", "command", "age",
                          "run pid", "node pid", "app pid"},
              .rows = {}};
  const auto or_nothing = [](std::int64_t value) {
    return value == 0 ? std::string() : std::to_string(value);
  };
  for (const RunningApp& app : apps) {
    table.rows.push_back({app.app_id, std::to_string(app.http_port), std::to_string(app.grpc_port),
                          or_nothing(app.app_port), app.command.substr(0, kCommandWidth),
                          age_of(age(app, clock)), std::to_string(app.run),
                          std::to_string(app.node), or_nothing(app.app)});
  }
  terminal.out << format(table);
}

Result<void> run_stop(const std::vector<std::string>& app_ids, const RunningApps& registry,
                      Terminal& terminal) {
  const std::vector<RunningApp> apps = registry.all();
  std::string missing;
  for (const std::string& id : app_ids) {
    bool found = false;
    for (const RunningApp& app : apps) {
      if (app.app_id != id) continue;
      const pid_t process =
          process_to_stop(app, std::ranges::count(apps, app.run, &RunningApp::run) > 1);
      // What has ended by itself meanwhile is stopped as well.
      found = true;
      if (process == 0 || (::kill(process, SIGTERM) != 0 && errno == ESRCH)) continue;
      terminal.out << "stopping " << id << " (pid " << process << ")\n";
    }
    if (!found) missing += (missing.empty() ? "'" : "', '") + id;
  }
  if (missing.empty()) return {};
  return fail(Code::kNotFound, "no app " + missing + "' runs here; `troupe list` shows what does");
}

net::HostPort invoke_address(const InvokeRequest& request, const RunningApps& registry,
                             const net::HostPort& other) {
  for (const RunningApp& app : registry.all()) {
    if (app.app_id == request.app_id) return {.host = "127.0.0.1", .port = app.http_port};
  }
  return other;
}

Result<void> run_invoke(const InvokeRequest& request, NodeApi& api, Terminal& terminal) {
  // A method may be a path, and have a query; both are the app's.
  const std::string target = path_of("/v1.0/invoke", {request.app_id}) + "/method" +
                             (request.method.starts_with('/') ? "" : "/") + request.method;
  const Result<std::string> answer = api.send(request.verb, target, request.data);
  if (!answer) {
    return fail(answer.error().code, "invoking " + request.method + " of " + request.app_id + ": " +
                                         answer.error().message);
  }
  if (!answer->empty()) {
    terminal.out << *answer << (answer->ends_with('\n') ? "" : "\n");
  }
  return {};
}

}  // namespace troupe::tools

#include "tools/troupe/command_line.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <utility>

#include <CLI/CLI.hpp>

#include "runtime/base/suggest.h"
#include "tools/troupe/admin_commands.h"
#include "tools/troupe/backup_command.h"
#include "tools/troupe/completion.h"
#include "tools/troupe/dev_cluster.h"
#include "tools/troupe/file.h"
#include "tools/troupe/run_commands.h"
#include "tools/troupe/version.h"

namespace troupe::tools {
namespace {

constexpr std::uint16_t kHttpPort = 3500;
constexpr std::size_t kInvokeBytesMax = 16 << 20;

/// What was typed; CLI11 writes into it.
struct Typed {
  std::string address = "127.0.0.1:3500";
  int timeout_seconds = 60;
  bool json = false;
  bool undo = false;
  std::vector<std::vector<std::string>> arguments;  // one each, in the order of admin_commands()
  std::vector<std::vector<std::string>> options;    // likewise
  std::string shell;
  std::string backup_file;
  RestoreRequest restore;
  DevOptions dev;
  std::string program;
  std::vector<std::string> program_arguments;
  RunTyped run;
  std::vector<std::string> app_ids;
  InvokeRequest invoke;
  std::string data_file;
};

// The flags of all commands that ask a node.
void add_asking(CLI::App& command, Typed& typed) {
  command.add_flag("--json", typed.json, "print the answer as it is");
  command.add_option("--address", typed.address, "host:port of a node's API, or TROUPE_ADDRESS")
      ->capture_default_str();
  command.add_option("--timeout", typed.timeout_seconds, "seconds to wait for the answer")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
}

void add_admin(CLI::App& app, Typed& typed) {
  typed.arguments.resize(admin_commands().size());
  typed.options.resize(admin_commands().size());
  for (std::size_t i = 0; i < admin_commands().size(); ++i) {
    const AdminCommand& command = admin_commands()[i];
    std::vector<std::string>& values = typed.arguments[i];
    CLI::App* added = app.add_subcommand(command.name, command.help);
    // Bound by number; their addresses must stay.
    values.resize(command.arguments.size());
    for (std::size_t j = 0; j < command.arguments.size(); ++j) {
      const AdminCommand::Argument& argument = command.arguments[j];
      added->add_option(argument.name, values[j], argument.help)->required(argument.required);
    }
    typed.options[i].resize(command.options.size());
    for (std::size_t j = 0; j < command.options.size(); ++j) {
      const AdminCommand::Argument& option = command.options[j];
      added->add_option("--" + option.name, typed.options[i][j], option.help);
    }
    if (command.can_undo) added->add_flag("--undo", typed.undo, "take it back");
    add_asking(*added, typed);
  }
}

void add_backup(CLI::App& app, Typed& typed) {
  CLI::App* backup = app.add_subcommand("backup", "Write all of the cluster to a file, as it runs");
  backup->add_option("FILE", typed.backup_file, "the file, which must not be there yet")
      ->required();
  add_asking(*backup, typed);
  CLI::App* restore = app.add_subcommand("restore", "Fill a new, empty cluster from a backup");
  restore->add_option("FILE", typed.restore.file, "the backup");
  restore->add_flag("--beside-live", typed.restore.beside_live,
                    "although the cluster that it was taken of is alive");
  restore->add_flag("--abandon", typed.restore.abandon,
                    "instead: wipe out what an unfinished restore has left");
  add_asking(*restore, typed);
}

void add_dev(CLI::App& app, Typed& typed) {
  CLI::App* dev = app.add_subcommand("dev", "Run a cluster on this machine until Ctrl-C");
  dev->add_option("--nodes", typed.dev.nodes, "how many nodes")
      ->check(CLI::Range(1, kDevNodesMax))
      ->capture_default_str();
  dev->add_option("--program", typed.program, "a program of your actors, instead of bare nodes");
  dev->add_option("--dir", typed.dev.directory,
                  "where the nodes keep their data ($XDG_STATE_HOME/troupe/dev)");
  dev->add_option("--http-port", typed.dev.http_port, "of the first node")->capture_default_str();
  dev->add_option("--grpc-port", typed.dev.grpc_port, "of the first node")->capture_default_str();
  dev->add_option("--peer-port", typed.dev.peer_port, "of the first node")->capture_default_str();
  dev->add_option("ARGUMENTS", typed.program_arguments, "for each node, after --");
}

void add_run(CLI::App& app, Typed& typed) {
  CLI::App* run = app.add_subcommand("run", "Run an app with a node beside it, until Ctrl-C");
  for (const RunKey& key : run_keys()) {
    const std::string flag(key.flag);
    std::string names = "--" + flag;
    if (key.letter != 0) names += std::string(",-") + key.letter;
    const auto keep = [&typed, flag](const std::vector<std::string>& values) {
      typed.run.values[flag] = values;
    };
    const std::string help(key.help);
    if (key.kind == RunKind::kTruth) {
      run->add_flag_callback(names, [keep] { keep({"true"}); }, help);
      continue;
    }
    CLI::Option* option = run->add_option_function<std::vector<std::string>>(names, keep, help);
    option->expected(1)->allow_extra_args(false);
    const bool is_list = key.kind == RunKind::kTexts || key.kind == RunKind::kPaths;
    if (is_list) option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->delimiter(',');
  }
  run->add_option("--run-file,-f", typed.run.run_file,
                  "run what this file describes: a path, a folder with a dapr.yaml, or -");
  run->add_option("--program", typed.program, "a program of your actors, instead of a bare node");
  run->add_option("COMMAND", typed.run.command, "that starts the app, after --");
}

void add_running(CLI::App& app, Typed& typed) {
  app.add_subcommand("list", "List the apps that `troupe run` keeps running")
      ->add_flag("--json", typed.json, "print it under Dapr's names");
  CLI::App* stop = app.add_subcommand("stop", "Stop apps that `troupe run` keeps running");
  stop->add_option("APP_ID", typed.app_ids, "which of them");
  stop->add_option("--app-id,-a", typed.app_ids, "likewise");
  CLI::App* invoke = app.add_subcommand("invoke", "Call a method of an app");
  invoke->add_option("--app-id,-a", typed.invoke.app_id, "of the app")->required();
  invoke->add_option("--method,-m", typed.invoke.method, "what to call: a path")->required();
  invoke->add_option("--verb,-v", typed.invoke.verb, "of HTTP")->capture_default_str();
  CLI::Option* data = invoke->add_option("--data,-d", typed.invoke.data, "JSON to send");
  invoke->add_option("--data-file,-f", typed.data_file, "file with what to send")->excludes(data);
  add_asking(*invoke, typed);
}

void add_commands(CLI::App& app, Typed& typed) {
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version", "troupe " + std::string(kVersion));
  app.add_subcommand("node", "Run a node; `troupe node --help` lists its flags");
  add_dev(app, typed);
  add_run(app, typed);
  add_running(app, typed);
  add_admin(app, typed);
  add_backup(app, typed);
  app.add_subcommand("help", "Print this help, or that of a command: `troupe help call`");
  app.add_subcommand("version", "Print the version");
  app.add_subcommand("completion", "Print a script that teaches a shell to complete troupe")
      ->add_option("SHELL", typed.shell, "bash, zsh or fish")
      ->required();
  app.footer("Admin commands ask the node at --address, TROUPE_ADDRESS, or 127.0.0.1:3500.");
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::vector<CompletedCommand> completed_commands(const CLI::App& app) {
  std::vector<CompletedCommand> commands;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    commands.push_back({.name = command->get_name(),
                        .help = command->get_description(),
                        .flags = flags_of(*command)});
  }
  return commands;
}

int misuse(Terminal& terminal, const std::string& message, const std::string& help_of) {
  terminal.errors << "troupe: " << message << "\n`troupe " << help_of
                  << "--help` shows what there is\n";
  return kMisused;
}

// What CLI11 says about a command line it cannot read, with the nearest names.
int explain(Terminal& terminal, const CLI::App& app, const CLI::ParseError& error) {
  const auto parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  const std::string help_of = parsed.empty() ? "" : command.get_name() + " ";
  std::string message = error.what();
  for (const std::string& extra : app.remaining(true)) {
    if (extra.starts_with("-")) {
      const std::string flag = extra.substr(0, extra.find('='));
      message = "unknown flag '" + flag + "'" + did_you_mean(flag, flags_of(command));
    } else {
      message = parsed.empty()
                    ? "unknown command '" + extra + "'" + did_you_mean(extra, command_names(app))
                    : "'" + extra + "' is one argument too many";
    }
    break;
  }
  return misuse(terminal, message, help_of);
}

int report(Terminal& terminal, const Result<void>& result) {
  if (result) return kSucceeded;
  terminal.errors << "troupe: " << result.error().message << '\n';
  return kFailed;
}

// Where to ask, and how. Nothing: --address makes no sense, and it has been said.
std::optional<NodeApi::Options> asking(Typed& typed, const CLI::App& command, Terminal& terminal) {
  if (command.get_option("--address")->count() == 0) {
    typed.address = terminal.variable("TROUPE_ADDRESS").value_or(typed.address);
  }
  const Result<net::HostPort> address = net::parse_host_port(typed.address, kHttpPort);
  if (!address) {
    misuse(terminal, "--address: " + address.error().message, "");
    return std::nullopt;
  }
  return NodeApi::Options{.address = *address,
                          .token = terminal.variable("DAPR_API_TOKEN").value_or(""),
                          .timeout = std::chrono::seconds(typed.timeout_seconds)};
}

int run_admin_command(Typed& typed, std::size_t i, const CLI::App& command, Terminal& terminal) {
  const std::optional<NodeApi::Options> options = asking(typed, command, terminal);
  if (!options) return kMisused;
  const AdminCommand& known = admin_commands()[i];
  AdminRequest request{
      .command = known.name, .arguments = {}, .undo = typed.undo, .json = typed.json};
  for (std::size_t j = 0; j < known.arguments.size(); ++j) {
    if (command.get_option(known.arguments[j].name)->count() > 0) {
      request.arguments.push_back(typed.arguments[i][j]);
    }
  }
  for (std::size_t j = 0; j < known.options.size(); ++j) {
    if (command.get_option("--" + known.options[j].name)->count() > 0) {
      request.options.emplace_back(known.options[j].name, typed.options[i][j]);
    }
  }
  NodeApi api(*options);
  return report(terminal, run_admin(request, api, terminal));
}

int run_backup_command(Typed& typed, const CLI::App& command, Terminal& terminal) {
  const std::optional<NodeApi::Options> options = asking(typed, command, terminal);
  if (!options) return kMisused;
  NodeApi api(*options);
  if (command.get_name() == "backup") {
    return report(terminal,
                  run_backup({.file = typed.backup_file, .json = typed.json}, api, terminal));
  }
  RestoreRequest& request = typed.restore;
  if (request.file.empty() != request.abandon) {
    return misuse(terminal,
                  request.abandon ? "--abandon takes no file" : "the backup's FILE is missing",
                  "restore ");
  }
  request.from = *options;
  request.json = typed.json;
  SystemClock clock;
  return report(terminal, run_restore(request, clock, api, terminal));
}

// The node's program, unless one of actors was named.
std::vector<std::string> own_node() {
  std::error_code unknown;
  return {std::filesystem::read_symlink("/proc/self/exe", unknown), "node"};
}

int run_app(Typed& typed, Terminal& terminal) {
  typed.run.program = typed.program.empty() ? own_node() : std::vector<std::string>{typed.program};
  SystemClock clock;
  const Result<int> exit_code =
      run_run(typed.run, RunningApps(running_directory(terminal)), clock, terminal);
  if (exit_code) return *exit_code;
  terminal.errors << "troupe: " << exit_code.error().message << '\n';
  return exit_code.error().code == Code::kInvalid ? kMisused : kFailed;
}

int run_invoke_command(Typed& typed, const CLI::App& command, Terminal& terminal) {
  std::optional<NodeApi::Options> options = asking(typed, command, terminal);
  if (!options) return kMisused;
  if (!typed.data_file.empty()) {
    Result<OldFile> file = OldFile::open(typed.data_file);
    if (!file) return report(terminal, fail(file.error()));
    Result<std::string> data = file->read(kInvokeBytesMax);
    if (!data) return report(terminal, fail(data.error()));
    typed.invoke.data = *std::move(data);
  }
  if (command.get_option("--address")->count() == 0) {
    options->address =
        invoke_address(typed.invoke, RunningApps(running_directory(terminal)), options->address);
  }
  NodeApi api(*options);
  return report(terminal, run_invoke(typed.invoke, api, terminal));
}

// Those about apps that run; nothing, if it is none of them.
std::optional<int> run_about_apps(Typed& typed, const CLI::App& command, Terminal& terminal) {
  const std::string& name = command.get_name();
  if (name == "run") return run_app(typed, terminal);
  if (name == "invoke") return run_invoke_command(typed, command, terminal);
  const RunningApps registry(running_directory(terminal));
  if (name == "list") {
    run_list(typed.json, registry, SystemClock(), terminal);
    return kSucceeded;
  }
  if (name != "stop") return std::nullopt;
  if (typed.app_ids.empty()) return misuse(terminal, "the APP_ID is missing", "stop ");
  return report(terminal, run_stop(typed.app_ids, registry, terminal));
}

int run_dev(Typed& typed, Terminal& terminal) {
  if (typed.dev.directory.empty()) typed.dev.directory = dev_directory(terminal);
  if (typed.program.empty()) {
    typed.dev.program = own_node();
  } else {
    typed.dev.program = {typed.program};
  }
  typed.dev.node_arguments = typed.program_arguments;
  SystemClock clock;
  return report(terminal, run_dev_cluster(typed.dev, clock, terminal));
}

int run_parsed(const CLI::App& app, Typed& typed, Terminal& terminal) {
  const auto parsed = app.get_subcommands();
  if (parsed.empty()) {
    terminal.errors << app.help();
    return kMisused;
  }
  const CLI::App& command = *parsed.front();
  const std::string& name = command.get_name();
  if (name == "dev") return run_dev(typed, terminal);
  if (const auto done = run_about_apps(typed, command, terminal)) return *done;
  if (name == "backup" || name == "restore") return run_backup_command(typed, command, terminal);
  if (name == "version") {
    terminal.out << "troupe " << kVersion << '\n';
    return kSucceeded;
  }
  if (name == "completion") {
    const auto script = completion_script(typed.shell, completed_commands(app));
    if (!script) return misuse(terminal, script.error().message, "completion ");
    terminal.out << *script;
    return kSucceeded;
  }
  for (std::size_t i = 0; i < admin_commands().size(); ++i) {
    if (admin_commands()[i].name == name) return run_admin_command(typed, i, command, terminal);
  }
  return misuse(terminal, "`node` must be the first argument", "node ");
}

// What follows `--` after `run`, which is not looked at.
std::vector<std::string> take_app_command(std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front() != "run") return {};
  const auto end = std::ranges::find(arguments, "--");
  std::vector<std::string> command(end == arguments.end() ? end : end + 1, arguments.end());
  arguments.erase(end, arguments.end());
  return command;
}

}  // namespace

int run_command(std::vector<std::string> arguments, Terminal& terminal) {
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  std::vector<std::string> app_command = take_app_command(arguments);
  CLI::App app("A virtual-actor runtime cluster: runs nodes, and looks after them.", "troupe");
  Typed typed;
  add_commands(app, typed);
  try {
    app.parse(std::vector(arguments.rbegin(), arguments.rend()));  // the first one last
  } catch (const CLI::Success& wanted) {
    app.exit(wanted, terminal.out, terminal.errors);
    return kSucceeded;
  } catch (const CLI::ParseError& error) {
    return explain(terminal, app, error);
  }
  // Said after `--`, it may hold anything.
  if (!app_command.empty()) typed.run.command = std::move(app_command);
  return run_parsed(app, typed, terminal);
}

}  // namespace troupe::tools

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
#include "tools/troupe/version.h"

namespace troupe::tools {
namespace {

constexpr std::uint16_t kHttpPort = 3500;

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

void add_commands(CLI::App& app, Typed& typed) {
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version", "troupe " + std::string(kVersion));
  app.add_subcommand("node", "Run a node; `troupe node --help` lists its flags");
  add_dev(app, typed);
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

int run_dev(Typed& typed, Terminal& terminal) {
  if (typed.dev.directory.empty()) typed.dev.directory = dev_directory(terminal);
  if (typed.program.empty()) {
    std::error_code unknown;
    typed.dev.program = {std::filesystem::read_symlink("/proc/self/exe", unknown), "node"};
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

}  // namespace

int run_command(std::vector<std::string> arguments, Terminal& terminal) {
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
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
  return run_parsed(app, typed, terminal);
}

}  // namespace troupe::tools

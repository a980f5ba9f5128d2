#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "runtime/base/suggest.h"
#include "runtime/node/config_file.h"
#include "runtime/node/node_settings.h"

namespace troupe::node {
namespace {

constexpr int kExitMisused = 2;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // before any thread
  return value == nullptr ? std::string() : std::string(value);
}

void add_cluster_flags(CLI::App& app, NodeSettings& settings) {
  app.add_option("--data-dir", settings.data_directory,
                 "Directory of this node's data [default: $XDG_STATE_HOME/troupe/CLUSTER/NAME]");
  app.add_option("--cluster", settings.cluster_name, "Name of the cluster on this machine")
      ->capture_default_str();
  app.add_option("--name", settings.name, "Name of this node on this machine")
      ->capture_default_str();
  app.add_option("--listen", settings.listen, "host:port for other nodes, TCP and UDP; port 0: any")
      ->capture_default_str();
  app.add_option("--advertise", settings.advertise,
                 "host:port under which other nodes reach this one");
  app.add_option("--join", settings.join, "host:port of nodes of the cluster to join")
      ->delimiter(',');
  app.add_option("--bootstrap-expect", settings.bootstrap_expect,
                 "Found a cluster as soon as so many nodes have met")
      ->check(CLI::Range(1, 1024));
  app.add_option("--shards", settings.shards, "Shards of a cluster founded here, a power of two")
      ->check([](const std::string& text) {
        const unsigned long count = std::strtoul(text.c_str(), nullptr, 10);
        const bool power = count > 0 && count <= 65536 && (count & (count - 1)) == 0;
        return power ? std::string() : "'" + text + "' is no power of two from 1 to 65536";
      })
      ->capture_default_str();
  app.add_flag("--no-discovery{false}", settings.discover,
               "Do not look for other nodes on this machine");
  app.add_option("--zone", settings.zone, "Zone: replicas of a shard go to different ones");
  app.add_option("--weight", settings.weight, "Share of the shards, next to other nodes' weights")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_flag("--no-storage{false}", settings.storage, "Hold no replicas: host actors only");
  app.add_option_function<std::string>(
         "--takeover",
         [&settings](const std::string& when) {
           settings.takeover_by_evidence = when == "evidence";
         },
         "When a lost node's actors run elsewhere: once its leases have run out, or also on "
         "evidence, that two nodes saw that nobody listens at its address")
      ->check(CLI::IsMember({"lease", "evidence"}))
      ->default_str("lease");
  app.add_option("--copy-rate", settings.copy_megabytes_per_second,
                 "Megabytes a second that this node sends at most to new replicas")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--cluster-key-file", settings.cluster_key_file,
                 "File with the secret by which nodes know and encrypt to one another");
  app.add_flag("--insecure", settings.insecure,
               "Listen for nodes off this machine without encryption");
}

void add_api_flags(CLI::App& app, NodeSettings& settings) {
  app.add_option("--http", settings.http, "host:port of the HTTP API; empty: none; port 0: any")
      ->capture_default_str();
  app.add_option("--grpc", settings.grpc, "host:port of the gRPC API; empty: none; port 0: any");
  app.add_option("--metrics", settings.metrics,
                 "host:port of GET /metrics, besides that of the HTTP API");
  app.add_option("--public-http", settings.public_http,
                 "host:port where health and metadata need no token");
  app.add_option("--app-id", settings.app_id, "Name of the program, for metrics and metadata");
  app.add_option("--resources-path", settings.resources_paths,
                 "Folder with components and other resources, as Dapr's; may be given repeatedly");
  app.add_option("--threads", settings.threads, "Threads for actors; 0: one per core")
      ->check(CLI::Range(0, 1024));
  app.add_option("--blocking-threads", settings.blocking_threads, "Threads for blocking actors")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
}

void add_dapr_port(CLI::App& app, const std::string& flag, std::string& address) {
  app.add_option_function<std::uint16_t>(
         flag, [&address](std::uint16_t port) { address = "127.0.0.1:" + std::to_string(port); },
         "Port of that API on 127.0.0.1, under Dapr's name")
      ->check(CLI::Range(0, 65535));
}

// Under the names that Dapr's sidecar has for them.
void add_app_flags(CLI::App& app, NodeSettings& settings) {
  app.add_option("--app-port", settings.app_port,
                 "Port of the app beside this node, in any language")
      ->check(CLI::Range(0, 65535));
  app.add_option("--app-protocol", settings.app_protocol, "How the app is asked: http")
      ->check([](const std::string& name) {
        return name == "http" ? std::string()
                              : "'" + name + "' is not there yet; an app is asked by http";
      })
      ->capture_default_str();
  app.add_option("--app-channel-address", settings.app_host, "Host of the app")
      ->capture_default_str();
  app.add_option("--app-max-concurrency", settings.app_concurrency_max,
                 "Requests in the app at once; 0 and less: any number")
      ->capture_default_str();
  app.add_flag("--enable-app-health-check", settings.app_health, "Ask the app how it is");
  app.add_option("--app-health-check-path", settings.app_health_path, "Where it is asked")
      ->capture_default_str();
  app.add_option_function<std::int64_t>(
         "--app-health-probe-interval",
         [&settings](std::int64_t seconds) {
           settings.app_health_interval = std::chrono::seconds(seconds);
         },
         "Seconds between two questions")
      ->check(CLI::Range(1, 86'400))
      ->default_str("5");
  app.add_option_function<std::int64_t>(
         "--app-health-probe-timeout",
         [&settings](std::int64_t ms) {
           settings.app_health_timeout = std::chrono::milliseconds(ms);
         },
         "Milliseconds until an answer is missed, at most the interval")
      ->check(CLI::Range(1, 86'400'000))
      ->default_str("500");
  app.add_option("--app-health-threshold", settings.app_health_threshold,
                 "Failures until the app counts as unwell")
      ->capture_default_str();
  app.add_option_function<std::vector<std::string>>(
         "--disable-init-endpoints",
         [&settings](const std::vector<std::string>& names) {
           settings.app_says_config = std::ranges::find(names, "config") == names.end();
         },
         "What the app is not asked when it starts: config, subscribe")
      ->delimiter(',')
      ->check(CLI::IsMember({"config", "subscribe"}));
  add_dapr_port(app, "--dapr-http-port", settings.http);
  add_dapr_port(app, "--dapr-grpc-port", settings.grpc);
}

// What no single flag can say of itself.
std::string misfit(const NodeSettings& settings) {
  if (settings.app_port == 0) return {};
  const std::string end = ":" + std::to_string(settings.app_port);
  if (settings.http.ends_with(end) || settings.grpc.ends_with(end)) {
    return "--app-port " + std::to_string(settings.app_port) +
           " is the node's own: the app needs another";
  }
  if (settings.app_health && settings.app_health_timeout > settings.app_health_interval) {
    return "--app-health-probe-timeout is longer than --app-health-probe-interval";
  }
  return {};
}

// `--data-dir` is TROUPE_DATA_DIR.
std::string variable_of(const std::string& flag) {
  std::string name = "TROUPE_" + flag;
  for (char& each : name) {
    each = each == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
  }
  return name;
}

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  return names;
}

// Sets what nothing stronger has set. `source` begins the message if that is wrong.
Result<void> set(CLI::Option& option, const std::vector<std::string>& values,
                 const std::string& source) {
  if (option.count() > 0) return {};
  const std::string& name = option.get_lnames().front();
  try {
    const bool is_flag = option.get_expected_max() == 0;
    if (is_flag && values.size() != 1) throw CLI::ConversionError("must be true or false", name);
    for (const std::string& value : values) {
      option.add_result(is_flag ? option.get_flag_value(name, value) : value);
    }
    if (!values.empty()) option.run_callback();
  } catch (const CLI::Error& error) {
    return fail(Code::kInvalid, source + ": " + error.what());
  }
  return {};
}

Result<void> read_environment(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || !option->get_configurable()) continue;
    const std::string variable = variable_of(option->get_lnames().front());
    const std::string value = environment(variable.c_str());
    if (value.empty()) continue;
    const Result<void> done = set(*option, {value}, variable);
    if (!done) return done;
  }
  return {};
}

Result<void> read_file(CLI::App& app, const std::string& path) {
  const Result<std::vector<ConfigLine>> lines = read_config_file(path);
  if (!lines) return fail(lines.error().code, path + ": " + lines.error().message);
  for (const ConfigLine& line : *lines) {
    const std::string source = path + ":" + std::to_string(line.line);
    CLI::Option* const option = app.get_option_no_throw("--" + line.name);
    if (option == nullptr || !option->get_configurable()) {
      return fail(Code::kInvalid, source + ": there is no setting '" + line.name + "'" +
                                      did_you_mean(line.name, names_of(app)));
    }
    const Result<void> done = set(*option, line.values, source);
    if (!done) return done;
  }
  return {};
}

FlagsOutcome misused(const std::string& message) {
  std::cerr << "troupe: " << message << "\nRun with --help for what there is.\n";
  return {.run = false, .exit_code = kExitMisused};
}

// Flags, then the environment, then the file: what comes first is stronger.
FlagsOutcome parse(CLI::App& app, int argc, char** argv, const std::vector<std::string>& files,
                   std::vector<std::string>& configurations) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    const std::string extra = app.remaining(true).front();
    const std::string name = extra.substr(std::min(extra.find_first_not_of('-'), extra.size()));
    const std::optional<std::string> meant = nearest(name, names_of(app));
    return misused("unknown flag '" + extra + "'" +
                   (meant ? "; did you mean '--" + *meant + "'?" : ""));
  } catch (const CLI::Success& asked) {
    return {.run = false, .exit_code = app.exit(asked)};
  } catch (const CLI::ParseError& error) {
    return misused(error.what());
  }
  std::vector<std::string> all = files;
  if (all.empty()) all.push_back(environment("TROUPE_CONFIG"));
  Result<void> read = read_environment(app);
  for (const std::string& each : all) {
    if (each.ends_with(".yaml") || each.ends_with(".yml")) {
      configurations.push_back(each);
    } else if (read && !each.empty()) {
      read = read_file(app, each);
    }
  }
  return read ? FlagsOutcome{.run = true, .exit_code = 0} : misused(read.error().message);
}

}  // namespace

FlagsOutcome read_flags(int argc, char** argv, NodeSettings& settings) {
  CLI::App app("A node of a Troupe cluster, with the actor types of this program.");
  std::string levels = "info";
  std::string format = "text";
  std::vector<std::string> config_files;
  bool in_memory = false;
  add_cluster_flags(app, settings);
  add_api_flags(app, settings);
  add_app_flags(app, settings);
  app.add_option("--config", config_files,
                 "File with settings: NAME = VALUE, as in TOML; or, as .yaml, Dapr's Configuration")
      ->configurable(false);
  app.footer(
      "Settings come from flags, then the environment (--data-dir: TROUPE_DATA_DIR), then the "
      "file of\n--config: the first that says something counts.");
  app.add_flag("--in-memory", in_memory, "Keep all data in memory: gone with the process");
  app.add_option("--log-level", levels, "Level, or levels by component: info,raft=debug")
      ->capture_default_str();
  app.add_option("--log-format", format, "text or json")->check(CLI::IsMember({"text", "json"}));
  const FlagsOutcome outcome = parse(app, argc, argv, config_files, settings.configurations);
  if (!outcome.run) return outcome;
  const Result<LogLevels> parsed = parse_log_levels(levels);
  if (!parsed) return misused("--log-level: " + parsed.error().message);
  settings.log_levels = *parsed;
  settings.log_format = format == "json" ? LogFormat::kJson : LogFormat::kText;
  settings.api_token = environment("TROUPE_API_TOKEN");
  if (settings.api_token.empty()) settings.api_token = environment("DAPR_API_TOKEN");
  settings.app_token = environment("APP_API_TOKEN");
  if (const std::string wrong = misfit(settings); !wrong.empty()) return misused(wrong);
  if (in_memory) {
    settings.data_directory.clear();
  } else if (settings.data_directory.empty()) {
    settings.data_directory = default_data_directory(settings);
  }
  return outcome;
}

std::string default_data_directory(const NodeSettings& settings) {
  std::string state = environment("XDG_STATE_HOME");
  if (state.empty()) state = environment("HOME") + "/.local/state";
  return state + "/troupe/" + settings.cluster_name + "/" + settings.name;
}

}  // namespace troupe::node

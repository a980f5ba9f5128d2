#include <cstdlib>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "runtime/node/node_settings.h"

namespace troupe::node {
namespace {

constexpr int kExitMisused = 2;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::string() : std::string(value);
}

void add_cluster_flags(CLI::App& app, NodeSettings& settings) {
  app.add_option("--data-dir", settings.data_directory,
                 "Directory of this node's data [default: $XDG_STATE_HOME/troupe/CLUSTER/NAME]")
      ->envname("TROUPE_DATA_DIR");
  app.add_option("--cluster", settings.cluster_name, "Name of the cluster on this machine")
      ->envname("TROUPE_CLUSTER")
      ->capture_default_str();
  app.add_option("--name", settings.name, "Name of this node on this machine")
      ->envname("TROUPE_NAME")
      ->capture_default_str();
  app.add_option("--listen", settings.listen, "host:port for other nodes, TCP and UDP; port 0: any")
      ->envname("TROUPE_LISTEN")
      ->capture_default_str();
  app.add_option("--advertise", settings.advertise,
                 "host:port under which other nodes reach this one");
  app.add_option("--join", settings.join, "host:port of nodes of the cluster to join")
      ->envname("TROUPE_JOIN")
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
  app.add_flag("--insecure", settings.insecure,
               "Listen for nodes off this machine without encryption");
}

void add_api_flags(CLI::App& app, NodeSettings& settings) {
  app.add_option("--http", settings.http, "host:port of the HTTP API; empty: none; port 0: any")
      ->envname("TROUPE_HTTP")
      ->capture_default_str();
  app.add_option("--grpc", settings.grpc, "host:port of the gRPC API; empty: none; port 0: any")
      ->envname("TROUPE_GRPC");
  app.add_option("--app-id", settings.app_id, "Name of the program, for metrics and metadata");
  app.add_option("--threads", settings.threads, "Threads for actors; 0: one per core")
      ->check(CLI::Range(0, 1024));
  app.add_option("--blocking-threads", settings.blocking_threads, "Threads for blocking actors")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
}

}  // namespace

FlagsOutcome read_flags(int argc, char** argv, NodeSettings& settings) {
  CLI::App app("A node of a Troupe cluster, with the actor types of this program.");
  std::string levels = "info";
  std::string format = "text";
  bool in_memory = false;
  add_cluster_flags(app, settings);
  add_api_flags(app, settings);
  app.add_flag("--in-memory", in_memory, "Keep all data in memory: gone with the process");
  app.add_option("--log-level", levels, "Level, or levels by component: info,raft=debug")
      ->envname("TROUPE_LOG_LEVEL")
      ->capture_default_str();
  app.add_option("--log-format", format, "text or json")->check(CLI::IsMember({"text", "json"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {.run = false, .exit_code = app.exit(error) == 0 ? 0 : kExitMisused};
  }
  const Result<LogLevels> parsed = parse_log_levels(levels);
  if (!parsed) {
    std::cerr << "--log-level: " << parsed.error().message << '\n';
    return {.run = false, .exit_code = kExitMisused};
  }
  settings.log_levels = *parsed;
  settings.log_format = format == "json" ? LogFormat::kJson : LogFormat::kText;
  settings.api_token = environment("TROUPE_API_TOKEN");
  if (settings.api_token.empty()) settings.api_token = environment("DAPR_API_TOKEN");
  if (in_memory) {
    settings.data_directory.clear();
  } else if (settings.data_directory.empty()) {
    settings.data_directory = default_data_directory(settings);
  }
  return {.run = true, .exit_code = 0};
}

std::string default_data_directory(const NodeSettings& settings) {
  std::string state = environment("XDG_STATE_HOME");
  if (state.empty()) state = environment("HOME") + "/.local/state";
  return state + "/troupe/" + settings.cluster_name + "/" + settings.name;
}

}  // namespace troupe::node

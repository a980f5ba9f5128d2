#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/log_output.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::node {

/// What a node is told when it starts: by flags, the environment and a file, the first the
/// strongest. Times and limits that nobody has to change are elsewhere.
struct NodeSettings {
  std::string cluster_name = "default";   // of the default data directory, and for meeting others
  std::string name = "node";              // of this node, likewise
  std::string data_directory;             // empty: in memory only, gone with the process
  std::string listen = "127.0.0.1:7400";  // for peers: TCP and UDP
  std::string advertise;                  // where peers reach it; empty: where it listens
  std::vector<std::string> join;          // addresses of peers
  std::uint32_t bootstrap_expect = 0;     // nodes that found a cluster together; 0: see `join`
  std::uint32_t shards = 256;             // of a cluster that this node founds
  bool discover = true;                   // nodes of one user on one machine meet without `join`
  std::string http = "127.0.0.1:3500";    // API; empty: none
  std::string grpc;                       // API; empty: none
  std::string metrics;                    // GET /metrics besides that of the API; empty: none
  std::string public_http;                // health and metadata without a token; empty: none
  std::string app_id;
  std::string api_token;
  std::uint16_t app_port = 0;  // of the app beside this node; 0: none
  std::string app_protocol = "http";
  std::string app_host = "127.0.0.1";
  std::int64_t app_concurrency_max = -1;  // requests in the app at once; 0 and less: any number
  std::string app_token;                  // shown to the app
  bool app_says_config = true;            // at GET /dapr/config
  bool app_health = false;                // it is asked how it is
  std::string app_health_path = "/healthz";
  Duration app_health_interval = std::chrono::seconds(5);
  Duration app_health_timeout = std::chrono::milliseconds(500);
  std::int64_t app_health_threshold = 3;
  std::vector<std::string> resources_paths;  // folders with Dapr's resource files
  std::vector<std::string> configurations;   // files with Dapr's Configuration
  std::string zone;
  std::uint32_t weight = 1;
  bool storage = true;
  bool takeover_by_evidence = false;              // of the actors of a lost node
  std::uint32_t copy_megabytes_per_second = 100;  // to new replicas
  std::string cluster_key_file;                   // the secret of the cluster's nodes; empty: none
  bool insecure = false;                          // listen off loopback without encryption
  LogFormat log_format = LogFormat::kText;
  LogLevels log_levels;
  std::size_t threads = 0;  // of actors, and of I/O; 0: one per core
  std::size_t blocking_threads = 16;
  Duration stop_patience = std::chrono::seconds(10);
};

/// How the flags ended the program before it began, or that they did not.
struct FlagsOutcome {
  bool run = false;
  int exit_code = 0;
};

/// Reads flags and environment (TROUPE_...). Help and errors go to the terminal.
FlagsOutcome read_flags(int argc, char** argv, NodeSettings& settings);

/// `$XDG_STATE_HOME/troupe/<cluster>/<name>`.
std::string default_data_directory(const NodeSettings& settings);

}  // namespace troupe::node

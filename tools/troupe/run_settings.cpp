#include "tools/troupe/run_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace troupe::tools {
namespace {

using enum RunKind;

constexpr std::array kKeys = {
    RunKey{"app-id", 'a', "appID", kText, false, "app-id", false, "the app's name"},
    RunKey{"app-port", 'p', "appPort", kPort, false, "app-port", false,
           "where the app listens; absent: it is not called"},
    RunKey{"app-protocol", 'P', "appProtocol", kText, true, "app-protocol", false,
           "how the app is called: http, https, h2c, grpc or grpcs"},
    RunKey{"app-channel-address", 0, "appChannelAddress", kText, false, "app-channel-address",
           false, "host of the app"},
    RunKey{"dapr-http-port", 'H', "daprHTTPPort", kPort, false, "", false,
           "of the node's HTTP API; absent: a free one"},
    RunKey{"dapr-grpc-port", 'G', "daprGRPCPort", kPort, false, "", false,
           "of the node's gRPC API; absent: a free one"},
    RunKey{"dapr-internal-grpc-port", 'I', "daprInternalGRPCPort", kPort, false, "", false,
           "of the node for other nodes; absent: a free one"},
    RunKey{"metrics-port", 'M', "metricsPort", kPort, false, "", false,
           "of the node's metrics; absent: at the HTTP API's /metrics only"},
    RunKey{"resources-path", 'd', "resourcesPaths", kPaths, true, "resources-path", false,
           "folder with components and other resources"},
    RunKey{"components-path", 0, "", kPaths, true, "resources-path", false,
           "folder with components and other resources"},
    RunKey{"config", 'c', "configFilePath", kPath, true, "config", false,
           "file with Dapr's Configuration"},
    RunKey{"placement-host-address", 0, "placementHostAddress", kTexts, true, "", false,
           "nodes to join, host:port; absent: this user's on this machine; empty: none"},
    RunKey{"scheduler-host-address", 0, "schedulerHostAddress", kTexts, true, "", false,
           "likewise"},
    RunKey{"app-max-concurrency", 0, "appMaxConcurrency", kNumber, true, "app-max-concurrency",
           false, "requests in the app at once"},
    RunKey{"enable-app-health-check", 0, "enableAppHealthCheck", kTruth, true,
           "enable-app-health-check", false, "ask the app how it is"},
    RunKey{"app-health-check-path", 0, "appHealthCheckPath", kText, true, "app-health-check-path",
           false, "where the app is asked"},
    RunKey{"app-health-probe-interval", 0, "appHealthProbeInterval", kNumber, true,
           "app-health-probe-interval", false, "seconds between two questions"},
    RunKey{"app-health-probe-timeout", 0, "appHealthProbeTimeout", kNumber, true,
           "app-health-probe-timeout", false, "milliseconds until an answer is missed"},
    RunKey{"app-health-threshold", 0, "appHealthThreshold", kNumber, true, "app-health-threshold",
           false, "failures until the app counts as unwell"},
    RunKey{"log-level", 0, "logLevel", kText, true, "", false, "of the node"},
    RunKey{"dapr-listen-addresses", 0, "apiListenAddresses", kTexts, true, "", false,
           "host where the node's APIs listen [127.0.0.1]"},
    RunKey{"app-ssl", 0, "appSSL", kTruth, true, "", false, "as --app-protocol https or grpcs"},
    RunKey{"enable-api-logging", 0, "enableApiLogging", kTruth, true, "", true, "no effect here"},
    RunKey{"enable-profiling", 0, "enableProfiling", kTruth, true, "", true, "no effect here"},
    RunKey{"profile-port", 0, "profilePort", kPort, false, "", true, "no effect here"},
    RunKey{"max-body-size", 0, "maxBodySize", kText, true, "", true, "no effect here"},
    RunKey{"read-buffer-size", 0, "readBufferSize", kText, true, "", true, "no effect here"},
    RunKey{"unix-domain-socket", 'u', "unixDomainSocket", kText, false, "", true, "no effect here"},
    RunKey{"runtime-path", 0, "runtimePath", kText, true, "", true, "no effect here"},
};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Dapr's levels are one more than ours, and one is spelled otherwise.
std::string node_level(const std::string& level) {
  if (level == "warn") return "warning";
  return level == "fatal" ? "error" : level;
}

std::string protocol_of(const AppRun& run) {
  const std::string given = run.text("app-protocol");
  if (!run.truth("app-ssl")) return given.empty() ? "http" : given;
  return given == "grpc" ? "grpcs" : given.empty() || given == "http" ? "https" : given;
}

// Whom to join, if somebody said: both lists, each address once.
std::optional<std::string> joined(const AppRun& run) {
  if (!run.has("placement-host-address") && !run.has("scheduler-host-address")) return std::nullopt;
  std::vector<std::string> all;
  for (const std::string_view flag : {"placement-host-address", "scheduler-host-address"}) {
    const auto found = run.values.find(flag);
    if (found == run.values.end()) continue;
    for (const std::string& each : found->second) {
      if (!each.empty() && std::ranges::find(all, each) == all.end()) all.push_back(each);
    }
  }
  std::string list;
  for (const std::string& each : all) list += (list.empty() ? "" : ",") + each;
  return list;
}

bool is_app_id(std::string_view id) {
  return !id.empty() && std::ranges::all_of(id, [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
           (each >= '0' && each <= '9') || each == '-' || each == '_';
  });
}

}  // namespace

std::span<const RunKey> run_keys() { return kKeys; }

const RunKey* run_key_of_flag(std::string_view flag) {
  const auto found = std::ranges::find(kKeys, flag, &RunKey::flag);
  return found == kKeys.end() ? nullptr : &*found;
}

Result<LogPlace> parse_log_place(std::string_view text) {
  if (text == "console") return LogPlace::kConsole;
  if (text == "file") return LogPlace::kFile;
  if (text == "fileAndConsole") return LogPlace::kBoth;
  return fail(Code::kInvalid,
              "'" + std::string(text) + "' is none of console, file, fileAndConsole");
}

std::string AppRun::text(std::string_view flag) const {
  const auto found = values.find(flag);
  return found == values.end() || found->second.empty() ? std::string() : found->second.back();
}

std::uint16_t AppRun::port(std::string_view flag) const {
  return number<std::uint16_t>(text(flag)).value_or(0);
}

Result<std::string> parse_run_value(RunKind kind, std::string_view text) {
  const std::string given(text);
  switch (kind) {
    case kPort: {
      // Dapr's way of saying: none given.
      if (text == "-1") return std::string("0");
      if (number<std::uint16_t>(text)) return given;
      return fail(Code::kInvalid, "'" + given + "' is no port: 1 to 65535");
    }
    case kNumber:
      if (number<std::int32_t>(text)) return given;
      return fail(Code::kInvalid, "'" + given + "' is no whole number");
    case kTruth:
      if (text == "true" || text == "false") return given;
      return fail(Code::kInvalid, "'" + given + "' is neither true nor false");
    default:
      return given;
  }
}

Result<void> check_run(const AppRun& run) {
  if (!is_app_id(run.app_id())) {
    return fail(Code::kInvalid, "'" + run.app_id() +
                                    "' is no app id: letters, digits, '-' and '_', such as orders");
  }
  for (const std::string_view flag :
       {"dapr-http-port", "dapr-grpc-port", "dapr-internal-grpc-port", "metrics-port"}) {
    if (run.port("app-port") != 0 && run.port(flag) == run.port("app-port")) {
      return fail(Code::kInvalid, "port " + run.text("app-port") + " is wanted twice, by the app " +
                                      "and as --" + std::string(flag));
    }
  }
  return {};
}

bool joins_others(const AppRun& run) { return !joined(run).value_or("").empty(); }

std::vector<std::string> run_node_command(const AppRun& run, const RunPorts& ports,
                                          const std::vector<std::string>& program, bool storage) {
  std::vector<std::string> command = program;
  const auto add = [&](std::string_view flag, const std::string& value) {
    command.push_back("--" + std::string(flag));
    command.push_back(value);
  };
  const auto at = [](const std::string& host, std::uint16_t port) {
    return host + ":" + std::to_string(port);
  };
  const std::string given_host = run.text("dapr-listen-addresses");
  const std::string host = given_host.empty() ? "127.0.0.1" : given_host;
  if (storage) {
    add("name", std::string(kStorageNodeName));
  } else {
    command.insert(command.end(), {"--in-memory", "--no-storage"});
  }
  add("listen", at("127.0.0.1", ports.peers));
  add("http", at(host, ports.http));
  add("grpc", at(host, ports.grpc));
  if (ports.metrics != 0) add("metrics", at(host, ports.metrics));
  if (const auto join = joined(run)) {
    if (join->empty()) {
      command.emplace_back("--no-discovery");
    } else {
      add("join", *join);
    }
  }
  if (run.has("log-level")) add("log-level", node_level(run.text("log-level")));
  for (const RunKey& key : kKeys) {
    const auto found = run.values.find(key.flag);
    if (key.node_flag.empty() || found == run.values.end()) continue;
    if (key.flag == "app-protocol" || (key.kind == kPort && run.port(key.flag) == 0)) continue;
    if (key.kind == kTruth) {
      if (run.truth(key.flag)) command.push_back("--" + std::string(key.node_flag));
      continue;
    }
    for (const std::string& value : found->second) add(key.node_flag, value);
  }
  if (protocol_of(run) != "http") add("app-protocol", protocol_of(run));
  return command;
}

std::vector<std::pair<std::string, std::string>> app_environment(const AppRun& run,
                                                                 const RunPorts& ports) {
  const std::string channel = run.text("app-channel-address");
  std::vector<std::pair<std::string, std::string>> all = {
      {"APP_ID", run.app_id()},
      {"APP_CHANNEL_ADDRESS", channel.empty() ? "127.0.0.1" : channel},
      {"APP_PROTOCOL", protocol_of(run)},
      {"DAPR_HTTP_PORT", std::to_string(ports.http)},
      {"DAPR_GRPC_PORT", std::to_string(ports.grpc)},
      // Without a place of their own the metrics are on the HTTP API.
      {"DAPR_METRICS_PORT", std::to_string(ports.metrics != 0 ? ports.metrics : ports.http)},
  };
  if (run.port("app-port") != 0) all.emplace_back("APP_PORT", run.text("app-port"));
  all.insert(all.end(), run.environment.begin(), run.environment.end());
  return all;
}

std::vector<std::string> idle_flags(const AppRun& run) {
  std::vector<std::string> flags;
  for (const RunKey& key : kKeys) {
    if (key.idle && run.has(key.flag)) flags.push_back("--" + std::string(key.flag));
  }
  return flags;
}

}  // namespace troupe::tools

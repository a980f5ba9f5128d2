#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "runtime/node/daprd_flags.h"

namespace troupe::node {
namespace {

constexpr std::string_view kEverywhere = "0.0.0.0";

// Builds the settings out of what was given, and remembers the first thing that is wrong.
class Builder {
 public:
  Builder(const DaprdGiven& given, const Environment& environment)
      : given_(given), environment_(environment) {}

  Result<DaprdOutcome> build();

 private:
  void read_identity();
  void read_app();
  void read_health();
  void read_apis();
  void read_side_listeners();
  void read_cluster();
  void read_log();
  void warn_of_the_idle();

  std::string variable(const std::string& name) const { return environment_(name).value_or(""); }
  std::string text_or(std::string_view name, std::string_view usual) const {
    const std::string given = given_.text(name);
    return given.empty() ? std::string(usual) : given;
  }
  std::int64_t number_or(std::string_view name, std::int64_t usual) const {
    return given_.has(name) ? std::strtoll(given_.text(name).c_str(), nullptr, 10) : usual;
  }
  std::vector<std::string> list(std::string_view name) const {
    const auto found = given_.values.find(name);
    return found == given_.values.end() ? std::vector<std::string>() : found->second;
  }
  void refuse(std::string why) {
    if (wrong_.empty()) wrong_ = std::move(why);
  }
  void warn(std::string what) { outcome_.warnings.push_back(std::move(what)); }

  const DaprdGiven& given_;
  const Environment& environment_;
  DaprdOutcome outcome_;
  NodeSettings& settings_ = outcome_.settings;
  std::string wrong_;
};

Result<DaprdOutcome> Builder::build() {
  read_identity();
  read_app();
  read_health();
  read_apis();
  read_side_listeners();
  read_cluster();
  read_log();
  warn_of_the_idle();
  if (!wrong_.empty()) return fail(Code::kInvalid, wrong_);
  return std::move(outcome_);
}

void Builder::read_identity() {
  if (text_or("mode", "standalone") != "standalone") {
    refuse("--mode " + given_.text("mode") + " is not offered here: only standalone");
  }
  settings_.app_id = given_.text("app-id");
  if (settings_.app_id.empty()) refuse("--app-id is missing");
  if (settings_.app_id.find('.') != std::string::npos) {
    refuse("--app-id '" + settings_.app_id + "' has a '.', which ids of apps may not have");
  }
  settings_.name = settings_.app_id;
  settings_.api_token = variable("DAPR_API_TOKEN");
  settings_.app_token = variable("APP_API_TOKEN");
}

void Builder::read_app() {
  settings_.app_port = static_cast<std::uint16_t>(number_or("app-port", 0));
  std::string protocol = text_or("app-protocol", "http");
  std::ranges::transform(protocol, protocol.begin(), [](char each) {
    return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
  });
  if (given_.truth("app-ssl") && (protocol == "http" || protocol == "grpc")) protocol += "s";
  constexpr std::array<std::string_view, 5> kProtocols = {"http", "https", "h2c", "grpc", "grpcs"};
  if (std::ranges::find(kProtocols, protocol) == kProtocols.end()) {
    refuse("--app-protocol '" + protocol + "' is none of http, https, h2c, grpc, grpcs");
  }
  if (settings_.app_port != 0 && protocol != "http") {
    refuse("--app-protocol " + protocol + " is not there yet; an app is asked by http");
  }
  settings_.app_protocol = protocol;
  settings_.app_host = text_or("app-channel-address", "127.0.0.1");
  settings_.app_concurrency_max = number_or("app-max-concurrency", -1);
  const std::vector<std::string> not_asked = list("disable-init-endpoints");
  settings_.app_says_config = std::ranges::find(not_asked, "config") == not_asked.end();
  settings_.resources_paths = list("resources-path");
  if (settings_.resources_paths.empty() && !given_.text("components-path").empty()) {
    settings_.resources_paths = {given_.text("components-path")};
  }
  settings_.configurations = list("config");
}

void Builder::read_health() {
  settings_.app_health = given_.truth("enable-app-health-check");
  settings_.app_health_path = text_or("app-health-check-path", "/healthz");
  const auto positive = [&](std::string_view name, std::int64_t usual) {
    const std::int64_t value = number_or(name, usual);
    return value > 0 ? value : usual;
  };
  settings_.app_health_interval = std::chrono::seconds(positive("app-health-probe-interval", 5));
  settings_.app_health_timeout =
      std::chrono::milliseconds(positive("app-health-probe-timeout", 500));
  settings_.app_health_threshold = positive("app-health-threshold", 3);
  if (settings_.app_health && settings_.app_health_timeout > settings_.app_health_interval) {
    refuse("--app-health-probe-timeout is longer than --app-health-probe-interval");
  }
}

void Builder::read_apis() {
  const std::vector<std::string> hosts = list("dapr-listen-addresses");
  const std::string host = hosts.empty() ? std::string(kEverywhere) : hosts.front();
  for (std::size_t i = 1; i < hosts.size(); ++i) {
    warn("--dapr-listen-addresses: only " + host + " is listened on, not " + hosts[i]);
  }
  const std::int64_t http = number_or("dapr-http-port", 3500);
  const std::int64_t grpc = number_or("dapr-grpc-port", 50'001);
  settings_.http = host + ":" + std::to_string(http);
  settings_.grpc = host + ":" + std::to_string(grpc);
  if (settings_.app_port != 0 && (settings_.app_port == http || settings_.app_port == grpc)) {
    refuse("--app-port " + std::to_string(settings_.app_port) +
           " is a port of the node's own API: the app needs another");
  }
  if (settings_.api_token.empty() && host == kEverywhere) {
    warn(
        "the APIs are open to other machines, and there is no DAPR_API_TOKEN; "
        "--dapr-listen-addresses 127.0.0.1 closes them");
  }
}

void Builder::read_side_listeners() {
  const bool measured = !given_.has("enable-metrics") || given_.truth("enable-metrics");
  if (measured) {
    settings_.metrics = text_or("metrics-listen-address", kEverywhere) + ":" +
                        std::to_string(number_or("metrics-port", 9090));
  }
  const std::int64_t open = number_or("dapr-public-port", 0);
  if (open != 0) {
    settings_.public_http =
        text_or("dapr-public-listen-address", kEverywhere) + ":" + std::to_string(open);
  }
}

void Builder::read_cluster() {
  std::vector<std::string> join = list("placement-host-address");
  if (join.empty()) {
    // Older launchers say it so, as in placement:localhost:50005,localhost:50006.
    std::string older = given_.text("actors-service");
    if (older.starts_with("placement:")) older.erase(0, std::string_view("placement:").size());
    join = split_daprd_list(older);
  }
  std::vector<std::string> schedulers = list("scheduler-host-address");
  if (!given_.has("scheduler-host-address")) {
    schedulers = split_daprd_list(variable("DAPR_SCHEDULER_HOST_ADDRESS_DNS_A"));
  }
  for (std::string& each : schedulers) {
    if (std::ranges::find(join, each) == join.end()) join.push_back(std::move(each));
  }
  // A sidecar that joins a cluster only hosts; one by itself is a cluster of its own, and what it
  // keeps goes with it, as that of a daprd without stores.
  settings_.storage = join.empty();
  settings_.discover = false;
  settings_.join = std::move(join);
  settings_.data_directory = variable("TROUPE_DATA_DIR");
  settings_.cluster_key_file = variable("TROUPE_CLUSTER_KEY_FILE");
  settings_.advertise = variable("TROUPE_ADVERTISE");
  settings_.insecure = variable("TROUPE_INSECURE") == "true";
  // Not on all interfaces unless that is said: nodes trust one another.
  settings_.listen = text_or("dapr-internal-grpc-listen-address", "127.0.0.1") + ":" +
                     std::to_string(number_or("dapr-internal-grpc-port", 0));
  if (given_.truth("enable-mtls") && settings_.cluster_key_file.empty()) {
    refuse(
        "--enable-mtls: nodes are mutual TLS when they share a secret; name its file in "
        "TROUPE_CLUSTER_KEY_FILE");
  }
  const std::int64_t patience = number_or("dapr-graceful-shutdown-seconds", 5);
  // 0: no limit, which a day is as good as.
  settings_.stop_patience = patience == 0 ? Duration(std::chrono::hours(24))
                                          : std::chrono::seconds(patience < 0 ? 5 : patience);
}

void Builder::read_log() {
  std::string level = text_or("log-level", "info");
  if (level == "warn") level = "warning";
  if (level == "fatal") level = "error";
  const Result<LogLevels> levels = parse_log_levels(level);
  if (!levels) return refuse("--log-level: " + levels.error().message);
  settings_.log_levels = *levels;
  settings_.log_format = given_.truth("log-as-json") ? LogFormat::kJson : LogFormat::kText;
}

void Builder::warn_of_the_idle() {
  for (const DaprdFlag& flag : daprd_flags()) {
    if (!given_.has(flag.name)) continue;
    const std::string name = "--" + std::string(flag.name);
    const bool says_nothing = given_.text(flag.name).empty() ||
                              (flag.kind == DaprdKind::kTruth && !given_.truth(flag.name));
    if (says_nothing) continue;
    if (flag.use == DaprdUse::kIdle) {
      warn(name + " has no effect here: " + std::string(flag.note));
    } else if (flag.use == DaprdUse::kPending) {
      warn(name + " has no effect yet: " + std::string(flag.note));
    } else if (flag.use == DaprdUse::kRefused) {
      refuse(name + " is not offered here: " + std::string(flag.note));
    }
  }
}

}  // namespace

Result<DaprdOutcome> daprd_settings(const DaprdGiven& given, const Environment& environment) {
  return Builder(given, environment).build();
}

}  // namespace troupe::node

#include "runtime/node/daprd_flags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "actors/schedule/time_text.h"
#include "runtime/base/suggest.h"

namespace troupe::node {
namespace {

using enum DaprdKind;
using enum DaprdUse;

constexpr std::string_view kProfiles = "there are no profiles of Go here";
constexpr std::string_view kLimits = "the limits of this node are its own";
constexpr std::string_view kSentry =
    "nodes know one another by their cluster key, without a sentry";

constexpr std::array kFlags = {
    DaprdFlag{"mode", kText, kSetting, "standalone"},
    DaprdFlag{"app-id", kText, kSetting, "the app's name"},
    DaprdFlag{"app-port", kPort, kSetting, "where the app listens"},
    DaprdFlag{"app-protocol", kText, kSetting, "http, https, h2c, grpc or grpcs"},
    DaprdFlag{"app-channel-address", kText, kSetting, "host of the app"},
    DaprdFlag{"app-max-concurrency", kNumber, kSetting, "requests in the app at once"},
    DaprdFlag{"app-ssl", kTruth, kSetting, "http becomes https, grpc grpcs"},
    DaprdFlag{"enable-app-health-check", kTruth, kSetting, "the app is asked how it is"},
    DaprdFlag{"app-health-check-path", kText, kSetting, "where it is asked"},
    DaprdFlag{"app-health-probe-interval", kNumber, kSetting, "seconds"},
    DaprdFlag{"app-health-probe-timeout", kNumber, kSetting, "milliseconds"},
    DaprdFlag{"app-health-threshold", kNumber, kSetting, "failures until it counts as unwell"},
    DaprdFlag{"app-binding-options-timeout", kDuration, kIdle, "there are no input bindings yet"},
    DaprdFlag{"disable-init-endpoints", kTexts, kSetting, "config, subscribe"},
    DaprdFlag{"dapr-http-port", kPort, kSetting, "of the HTTP API"},
    DaprdFlag{"dapr-grpc-port", kPort, kSetting, "of the gRPC API"},
    DaprdFlag{"dapr-internal-grpc-port", kPort, kSetting, "for other nodes"},
    DaprdFlag{"dapr-internal-grpc-listen-address", kText, kSetting, "for other nodes"},
    DaprdFlag{"dapr-listen-addresses", kTexts, kSetting, "of both APIs"},
    DaprdFlag{"dapr-public-port", kPort, kSetting, "of health and metadata without a token"},
    DaprdFlag{"dapr-public-listen-address", kText, kSetting, "likewise"},
    DaprdFlag{"unix-domain-socket", kText, kRefused,
              "the APIs listen on TCP only: use --dapr-http-port and --dapr-grpc-port"},
    DaprdFlag{"profile-port", kPort, kSilent, kProfiles},
    DaprdFlag{"enable-profiling", kTruth, kIdle, kProfiles},
    DaprdFlag{"metrics-port", kPort, kSetting, "of GET /metrics"},
    DaprdFlag{"metrics-listen-address", kText, kSetting, "likewise"},
    DaprdFlag{"enable-metrics", kTruth, kSetting, "likewise"},
    DaprdFlag{"config", kTexts, kSetting, "files with Dapr's Configuration"},
    DaprdFlag{"resources-path", kTexts, kSetting, "folders with components"},
    DaprdFlag{"components-path", kText, kSetting, "the same, if there is no --resources-path"},
    DaprdFlag{"allowed-origins", kText, kIdle, "no answer is for other origins"},
    DaprdFlag{"max-body-size", kText, kIdle, kLimits},
    DaprdFlag{"dapr-http-max-request-size", kNumber, kIdle, kLimits},
    DaprdFlag{"read-buffer-size", kText, kIdle, kLimits},
    DaprdFlag{"dapr-http-read-buffer-size", kNumber, kIdle, kLimits},
    DaprdFlag{"dapr-graceful-shutdown-seconds", kNumber, kSetting, "how long a stop may last"},
    DaprdFlag{"dapr-block-shutdown-duration", kDuration, kIdle, "a stop begins at once"},
    DaprdFlag{"enable-api-logging", kTruth, kIdle, "calls are not logged"},
    DaprdFlag{"placement-host-address", kTexts, kSetting, "nodes to join"},
    DaprdFlag{"scheduler-host-address", kTexts, kSetting, "likewise"},
    DaprdFlag{"scheduler-job-streams", kNumber, kSilent, "reminders need no streams"},
    DaprdFlag{"actors-disseminate-timeout", kDuration, kSilent, "no actor waits for a table"},
    DaprdFlag{"hot-reload-reconcile-interval", kDuration, kSilent, "files are watched"},
    DaprdFlag{"enable-mtls", kTruth, kSetting, "nodes are mutual TLS with a cluster key"},
    DaprdFlag{"sentry-address", kText, kIdle, kSentry},
    DaprdFlag{"sentry-request-jwt-audiences", kTexts, kIdle, kSentry},
    DaprdFlag{"control-plane-address", kText, kIdle, "there is no control plane"},
    DaprdFlag{"control-plane-trust-domain", kText, kSilent, kSentry},
    DaprdFlag{"control-plane-namespace", kText, kSilent, kSentry},
    DaprdFlag{"disable-builtin-k8s-secret-store", kTruth, kSilent, "there is none"},
    DaprdFlag{"log-level", kText, kSetting, "debug, info, warn, error or fatal"},
    DaprdFlag{"log-as-json", kTruth, kSetting, "the format of the log"},
    DaprdFlag{"log-file", kText, kIdle, "the log goes to standard error: redirect that"},
    DaprdFlag{"version", kTruth, kQuestion, ""},
    DaprdFlag{"build-info", kTruth, kQuestion, ""},
    DaprdFlag{"wait", kTruth, kQuestion, ""},
    DaprdFlag{"help", kTruth, kQuestion, ""},
    DaprdFlag{"reminders-service", kText, kIdle, "reminders are kept by the cluster"},
    DaprdFlag{"actors-service", kText, kSetting, "as --placement-host-address"},
};

const DaprdFlag* known(std::string_view name) {
  const auto found = std::ranges::find(kFlags, name, &DaprdFlag::name);
  return found == kFlags.end() ? nullptr : &*found;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// As Go's strconv.ParseBool.
std::optional<std::string> truth(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return "true";
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return "false";
  }
  return std::nullopt;
}

// In canonical form.
Result<std::vector<std::string>> read_value(const DaprdFlag& flag, const std::string& text) {
  const auto wrong = [&](const std::string& what) {
    return fail(Code::kInvalid, "--" + std::string(flag.name) + ": '" + text + "' is no " + what);
  };
  switch (flag.kind) {
    case kTexts:
      return split_daprd_list(text);
    case kTruth: {
      const std::optional<std::string> read = truth(text);
      if (!read) return wrong("truth value: true or false");
      return std::vector{*read};
    }
    case kPort: {
      // Launchers pass an empty one where they have none.
      const std::optional<std::int64_t> port =
          text.empty() ? std::optional<std::int64_t>(0) : number(text);
      if (!port || *port < 0 || *port > 65'535) return wrong("port: 1 to 65535");
      return std::vector{std::to_string(*port)};
    }
    case kNumber:
      if (!number(text)) return wrong("whole number");
      return std::vector{text};
    case kDuration:
      if (!parse_go_duration(text)) return wrong("duration, such as 1m30s");
      return std::vector{text};
    default:
      return std::vector{text};
  }
}

}  // namespace

std::span<const DaprdFlag> daprd_flags() { return kFlags; }

std::vector<std::string> split_daprd_list(std::string_view list) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view part = list.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

std::string DaprdGiven::text(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() || found->second.empty() ? std::string() : found->second.back();
}

Result<DaprdGiven> parse_daprd_flags(const std::vector<std::string>& arguments) {
  DaprdGiven given;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (word == "--") break;
    if (word.size() < 2 || !word.starts_with('-')) continue;
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const std::size_t equals = word.find('=');
    const std::string_view name = word == "h" ? "help" : word.substr(0, equals);
    const DaprdFlag* const flag = known(name);
    if (flag == nullptr) {
      std::vector<std::string> names;
      for (const DaprdFlag& each : kFlags) names.emplace_back(each.name);
      return fail(Code::kInvalid,
                  "unknown flag '" + arguments[i] + "'" + did_you_mean(name, names));
    }
    std::string text = flag->kind == kTruth ? "true" : "";
    if (equals != std::string_view::npos) {
      text = word.substr(equals + 1);
    } else if (flag->kind != kTruth) {
      if (i + 1 == arguments.size()) {
        return fail(Code::kInvalid, "flag needs an argument: --" + std::string(name));
      }
      text = arguments[++i];
    }
    Result<std::vector<std::string>> values = read_value(*flag, text);
    if (!values) return fail(values.error());
    std::vector<std::string>& kept = given.values[std::string(name)];
    if (flag->kind != kTexts) kept.clear();
    kept.insert(kept.end(), values->begin(), values->end());
  }
  return given;
}

bool is_daprd(std::string_view program) {
  const std::size_t slash = program.rfind('/');
  return (slash == std::string_view::npos ? program : program.substr(slash + 1)) == "daprd";
}

}  // namespace troupe::node

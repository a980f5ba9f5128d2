#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/net/http_client.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/node/daprd_flags.h"
#include "runtime/node/run_node.h"

namespace troupe::node {
namespace {

constexpr int kMisused = 2;
constexpr Duration kWaitMax = std::chrono::seconds(60);
constexpr Duration kWaitInterval = std::chrono::milliseconds(100);
constexpr Duration kAskTimeout = std::chrono::milliseconds(500);
constexpr std::string_view kVersion = "0.1.0";

std::optional<std::string> environment(const std::string& name) {
  const char* value =
      std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool outbound_is_ready(net::HttpClient& client, const Clock& clock, std::uint16_t port) {
  const auto answer = std::make_shared<std::promise<bool>>();
  std::future<bool> ready = answer->get_future();
  client.send({.where = {.host = "localhost", .port = port}},
              {.method = "GET", .target = "/v1.0/healthz/outbound"}, clock.now() + kAskTimeout,
              [answer](const Result<net::HttpResponse>& response) {
                answer->set_value(response && response->status == 204);
              });
  return ready.get();
}

// For scripts that start a sidecar and want to go on: status 0 also when it was in vain, as daprd.
void wait_for_outbound(std::uint16_t port) {
  SystemClock clock;
  net::IoThreads threads(clock, {.threads = 1});
  net::Resolver resolver(1);
  net::HttpClient client(threads, resolver, {.connections_per_origin_max = 1});
  const Time give_up = clock.now() + kWaitMax;
  while (!outbound_is_ready(client, clock, port)) {
    if (clock.now() >= give_up) {
      std::cout << "timeout waiting for outbound readiness\n";
      break;
    }
    std::promise<void> never;
    never.get_future().wait_for(kWaitInterval);
  }
  client.stop();
}

// Whether there was a question instead of a wish to run.
bool answered(const DaprdGiven& given) {
  if (given.truth("help")) {
    std::cout << "Dapr's sidecar, as a Troupe node. Its flags:\n";
    for (const DaprdFlag& flag : daprd_flags()) {
      std::cout << "  --" << flag.name << (flag.note.empty() ? "" : "  ") << flag.note << '\n';
    }
    return true;
  }
  if (given.truth("version") || given.truth("build-info")) {
    std::cout << kVersion << '\n';
    return true;
  }
  if (!given.truth("wait")) return false;
  const std::string port = given.text("dapr-http-port");
  wait_for_outbound(port.empty() ? std::uint16_t{3500}
                                 : static_cast<std::uint16_t>(std::stoi(port)));
  return true;
}

int misused(const Error& error) {
  std::cerr << "daprd: " << error.message << '\n';
  return kMisused;
}

}  // namespace

int run_daprd(int argc, char** argv) {
  const Result<DaprdGiven> given = parse_daprd_flags({argv + 1, argv + argc});
  if (!given) return misused(given.error());
  if (answered(*given)) return 0;
  Result<DaprdOutcome> outcome = daprd_settings(*given, environment);
  if (!outcome) return misused(outcome.error());
  const int ended = run_with(outcome->settings, {},
                             {.warnings = std::move(outcome->warnings),
                              .log_descriptor = 1,
                              // Launchers wait for this line.
                              .ready =
                                  [](Duration elapsed) {
                                    return "dapr initialized. Status: Running. Init Elapsed " +
                                           std::to_string(elapsed.count() / 1'000) + "ms";
                                  },
                              .hangup_begins_again = true,
                              .second_signal_ends = true});
  if (ended != kBeginAgain) return ended;
  // The same process for those who watch it, with nothing left of what it knew.
  ::execv("/proc/self/exe", argv);
  return misused({Code::kInternal, "cannot begin again"});
}

}  // namespace troupe::node

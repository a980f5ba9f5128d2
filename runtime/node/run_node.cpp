#include <atomic>
#include <csignal>
#include <iostream>
#include <optional>
#include <utility>

#include "runtime/base/log_output.h"
#include "runtime/node/node_runtime.h"
#include "runtime/node/node_settings.h"
#include <troupe/run.h>

namespace troupe {
namespace {

constexpr int kExitFailed = 1;   // could not start
constexpr int kExitBroken = 70;  // could not go on: its disk, or it is not welcome

// Signals are taken by sigwait on the main thread, so that no handler interrupts anything.
sigset_t blocked_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

}  // namespace

int run_node(int argc, char** argv, std::vector<ActorType> types) {
  node::NodeSettings settings;
  const node::FlagsOutcome flags = node::read_flags(argc, argv, settings);
  if (!flags.run) return flags.exit_code;
  const sigset_t signals = blocked_signals();
  const SystemClock clock;
  LogOutput output(clock, {.format = settings.log_format, .levels = settings.log_levels});
  const Log log(output, "node");
  const pthread_t main_thread = pthread_self();
  std::atomic<bool> broken{false};
  node::NodeRuntime runtime(settings, std::move(types), log,
                            [&broken, main_thread](const std::optional<Error>& why) {
                              broken = why.has_value();
                              pthread_kill(main_thread, SIGUSR1);
                            });
  const Result<void> started = runtime.start();
  if (!started) {
    std::cerr << "troupe: " << started.error().message << '\n';
    return kExitFailed;
  }
  log.info("listens", {{"peers", runtime.peer_address()},
                       {"http", runtime.http_address()},
                       {"grpc", runtime.grpc_address()}});
  int signal = 0;
  sigwait(&signals, &signal);
  // What cannot write its disk must not act as if it could hand over.
  if (broken) std::_Exit(kExitBroken);
  log.info("stops");
  runtime.stop();
  return 0;
}

}  // namespace troupe

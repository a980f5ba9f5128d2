#include "runtime/node/run_node.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

#include "runtime/base/log_output.h"
#include "runtime/node/node_runtime.h"
#include "runtime/node/node_settings.h"
#include <troupe/run.h>

namespace troupe {
namespace {

constexpr int kExitFailed = 1;   // could not start
constexpr int kExitBroken = 70;  // could not go on: its disk, or it is not welcome

// Signals are taken by sigwait on the main thread, so that no handler interrupts anything.
sigset_t blocked_signals(bool hangup) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, signal);
  if (hangup) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Returns when the node has settled, or the signal that came before.
int wait_settled(const node::NodeRuntime& runtime, const sigset_t& signals) {
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 20'000'000};
  int signal = 0;
  while (signal <= 0 && !runtime.settled()) signal = sigtimedwait(&signals, nullptr, &kPause);
  return std::max(signal, 0);
}

// Whoever asks twice does not want to wait for the rest.
void end_at_next_signal() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int) { ::_exit(kExitFailed); });
    sigaddset(&wanted, signal);
  }
  pthread_sigmask(SIG_UNBLOCK, &wanted, nullptr);
}

}  // namespace

namespace node {

int run_with(const NodeSettings& settings, std::vector<ActorType> types, const RunManner& manner) {
  const sigset_t signals = blocked_signals(manner.hangup_begins_again);
  const SystemClock clock;
  LogOutput output(clock, {.format = settings.log_format,
                           .levels = settings.log_levels,
                           .file_descriptor = manner.log_descriptor});
  const Log log(output, "node");
  const Time begun = clock.now();
  for (const std::string& warning : manner.warnings) log.warning(warning);
  const pthread_t main_thread = pthread_self();
  std::atomic<bool> broken{false};
  NodeRuntime runtime(settings, std::move(types), log,
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
  if (manner.ready) {
    signal = wait_settled(runtime, signals);
    if (signal == 0) log.info(manner.ready(clock.now() - begun));
  }
  if (signal == 0) sigwait(&signals, &signal);
  // What cannot write its disk must not act as if it could hand over.
  if (broken) std::_Exit(kExitBroken);
  log.info("stops");
  if (manner.second_signal_ends) end_at_next_signal();
  runtime.stop();
  return signal == SIGHUP ? kBeginAgain : 0;
}

}  // namespace node

int run_node(int argc, char** argv, std::vector<ActorType> types) {
  node::NodeSettings settings;
  const node::FlagsOutcome flags = node::read_flags(argc, argv, settings);
  if (!flags.run) return flags.exit_code;
  return node::run_with(settings, std::move(types), {});
}

}  // namespace troupe

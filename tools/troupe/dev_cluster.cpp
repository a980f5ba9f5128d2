#include "tools/troupe/dev_cluster.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>
#include <ostream>
#include <utility>

#include <poll.h>

#include "runtime/net/http_client.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "tools/troupe/child_process.h"
#include "tools/troupe/shown_output.h"
#include "tools/troupe/stop_signals.h"

namespace troupe::tools {
namespace {

constexpr Duration kProbeInterval = std::chrono::milliseconds(100);

std::uint16_t nth(std::uint16_t first, int i) { return static_cast<std::uint16_t>(first + i); }

std::string node_name(int i) { return "node-" + std::to_string(i + 1); }

struct Node {
  std::string name;
  ChildProcess process;
  ShownOutput output;
  bool ended = false;  // and said so
  std::shared_ptr<std::atomic<bool>> ready = std::make_shared<std::atomic<bool>>(false);
};

/// One run of a cluster. All on one thread, but for the answers of probes.
class DevCluster {
 public:
  DevCluster(const DevOptions& options, Clock& clock, Terminal& terminal)
      : options_(options), clock_(clock), terminal_(terminal) {}

  Result<void> run();

 private:
  Result<void> start();
  Result<void> watch();
  void stop();
  void wait(Duration at_most);
  Result<void> notice_ends();
  void probe();
  void welcome();
  bool any_left();

  const DevOptions& options_;
  Clock& clock_;
  Terminal& terminal_;
  StopSignals signals_;  // before the threads, which inherit that they are blocked
  net::IoThreads threads_{clock_, {.threads = 1}};
  net::Resolver resolver_{1};
  net::HttpClient client_{threads_, resolver_, {.connections_per_origin_max = 1}};
  std::vector<Node> nodes_;
  bool all_ready_ = false;
  bool stop_wanted_ = false;
};

Result<void> DevCluster::run() {
  Result<void> outcome = start();
  if (outcome) outcome = watch();
  stop();
  client_.stop();
  return outcome;
}

Result<void> DevCluster::start() {
  for (int i = 0; i < options_.nodes; ++i) {
    std::error_code error;
    const std::string directory = options_.directory + "/" + node_name(i);
    std::filesystem::create_directories(directory, error);
    if (error) {
      return fail(Code::kUnavailable, "cannot make " + directory + ": " + error.message() +
                                          "; choose another place with --dir");
    }
    Result<ChildProcess> child = ChildProcess::start(dev_node_command(options_, i));
    if (!child) return fail(child.error());
    nodes_.push_back({.name = node_name(i),
                      .process = std::move(*child),
                      .output = ShownOutput(node_name(i), static_cast<std::size_t>(i))});
  }
  return {};
}

Result<void> DevCluster::watch() {
  const Time give_up = clock_.now() + options_.ready_timeout;
  while (!stop_wanted_) {
    if (!all_ready_) probe();
    wait(kProbeInterval);
    if (const Result<void> alive = notice_ends(); !alive) return alive;
    if (all_ready_) continue;
    all_ready_ = std::ranges::all_of(nodes_, [](const Node& node) { return node.ready->load(); });
    if (all_ready_) {
      welcome();
    } else if (clock_.now() >= give_up) {
      const auto late =
          std::ranges::find_if(nodes_, [](const Node& n) { return !n.ready->load(); });
      return fail(Code::kUnavailable,
                  late->name + " is not ready after " +
                      std::to_string(options_.ready_timeout.count() / 1'000'000) +
                      " s; its output above may say why");
    }
  }
  return {};
}

// Asks those that are not ready whether they are. An answer comes later, on another thread.
void DevCluster::probe() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].ready->load()) continue;
    const net::HttpOrigin origin{
        .where = {.host = "127.0.0.1", .port = nth(options_.http_port, static_cast<int>(i))}};
    client_.send(origin, {.method = "GET", .target = "/v1.0/healthz"},
                 clock_.now() + kProbeInterval,
                 [ready = nodes_[i].ready](const Result<net::HttpResponse>& answer) {
                   if (answer && answer->status >= 200 && answer->status < 300) ready->store(true);
                 });
  }
}

// Shows what the nodes print, until there is a signal or the time is over.
void DevCluster::wait(Duration at_most) {
  const Time until = clock_.now() + at_most;
  while (true) {
    std::vector<pollfd> waited = {{.fd = signals_.file(), .events = POLLIN, .revents = 0}};
    for (const Node& node : nodes_) {
      // Negative ones are passed over.
      waited.push_back(
          {.fd = node.output.open() ? node.process.output() : -1, .events = POLLIN, .revents = 0});
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.now());
    if (left.count() <= 0) return;
    if (::poll(waited.data(), waited.size(), static_cast<int>(left.count())) <= 0) return;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (waited[i + 1].revents != 0) nodes_[i].output.show(nodes_[i].process, terminal_);
    }
    terminal_.out.flush();
    if (signals_.taken()) {
      stop_wanted_ = true;
      return;
    }
  }
}

Result<void> DevCluster::notice_ends() {
  for (Node& node : nodes_) {
    if (node.ended || node.process.ended().empty()) continue;
    node.ended = true;
    node.output.finish(node.process, terminal_);
    const std::string what = node.name + " " + node.process.ended();
    if (!all_ready_) {
      return fail(Code::kUnavailable, what + " before it was ready; its output above may say why");
    }
    terminal_.out << "troupe: " << what << "; the others carry on\n" << std::flush;
  }
  if (any_left()) return {};
  return fail(Code::kUnavailable, "all nodes have ended");
}

void DevCluster::welcome() {
  std::ostream& out = terminal_.out;
  const std::string address = "127.0.0.1:" + std::to_string(options_.http_port);
  out << "\n" << nodes_.size() << (nodes_.size() == 1 ? " node is" : " nodes are") << " ready:\n";
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const int n = static_cast<int>(i);
    out << "  " << nodes_[i].name << "  http://127.0.0.1:" << nth(options_.http_port, n)
        << "  gRPC 127.0.0.1:" << nth(options_.grpc_port, n)
        << "  peers 127.0.0.1:" << nth(options_.peer_port, n) << "\n";
  }
  const std::string flag = options_.http_port == 3500 ? "" : " --address " + address;
  out << "data: " << options_.directory << "\n\nNext, in another terminal:\n"
      << "  troupe status" << flag << "\n  troupe call TYPE ID METHOD '{}'" << flag
      << "\n  curl -X POST http://" << address << "/v1.0/actors/TYPE/ID/method/METHOD\n"
      << "Ctrl-C stops the cluster; its data stays.\n\n"
      << std::flush;
}

bool DevCluster::any_left() {
  return std::ranges::any_of(nodes_, [](Node& node) { return node.process.ended().empty(); });
}

void DevCluster::stop() {
  if (any_left()) terminal_.out << "troupe: stopping\n" << std::flush;
  for (Node& node : nodes_) node.process.signal(SIGTERM);
  const Time patience = clock_.now() + options_.stop_timeout;
  stop_wanted_ = false;
  while (any_left() && clock_.now() < patience && !stop_wanted_) wait(kProbeInterval / 5);
  for (Node& node : nodes_) {
    if (node.process.ended().empty()) {
      terminal_.out << "troupe: " << node.name << " does not stop, killing it\n";
    }
    node.process.kill_and_wait();
    node.output.finish(node.process, terminal_);
  }
  terminal_.out.flush();
}

}  // namespace

std::vector<std::string> dev_node_command(const DevOptions& options, int i) {
  std::vector<std::string> command = options.program;
  const auto add = [&](const std::string& flag, const std::string& value) {
    command.push_back(flag);
    command.push_back(value);
  };
  const auto local = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  std::string others;
  for (int other = 0; other < options.nodes; ++other) {
    if (other == i) continue;
    others += (others.empty() ? "" : ",") + local(nth(options.peer_port, other));
  }
  add("--name", node_name(i));
  add("--data-dir", options.directory + "/" + node_name(i));
  add("--listen", local(nth(options.peer_port, i)));
  add("--http", local(nth(options.http_port, i)));
  add("--grpc", local(nth(options.grpc_port, i)));
  command.emplace_back("--no-discovery");
  if (options.nodes > 1) {
    add("--join", others);
    add("--bootstrap-expect", std::to_string(options.nodes));
  }
  command.insert(command.end(), options.node_arguments.begin(), options.node_arguments.end());
  return command;
}

std::string dev_directory(const Terminal& terminal) {
  if (const auto state = terminal.variable("XDG_STATE_HOME"); state && state->starts_with('/')) {
    return *state + "/troupe/dev";
  }
  return terminal.variable("HOME").value_or(".") + "/.local/state/troupe/dev";
}

Result<void> run_dev_cluster(const DevOptions& options, Clock& clock, Terminal& terminal) {
  for (const std::uint16_t first : {options.http_port, options.grpc_port, options.peer_port}) {
    if (first == 0 || first + options.nodes > 65'536) {
      return fail(Code::kInvalid, "no room for " + std::to_string(options.nodes) + " ports from " +
                                      std::to_string(first));
    }
  }
  return DevCluster(options, clock, terminal).run();
}

}  // namespace troupe::tools

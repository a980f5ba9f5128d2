#include <array>
#include <csignal>
#include <ctime>
#include <memory>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/check.h"
#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/beast.h"

namespace troupe::bench {
namespace {

// Each connection calls an actor of its own.
std::vector<std::string> requests(const std::string& actor, const std::string& method,
                                  bool with_key) {
  std::vector<std::string> all;
  for (int i = 0; i < kConnections; ++i) {
    std::string key;
    if (with_key) key = "troupe-call-key: " + std::string(32, 'a') + '-';
    if (with_key) key.append(kNumber).append("\r\n");
    all.push_back("POST /v1.0/actors/" + actor + "/" + std::to_string(i) + "/method/" + method +
                  " HTTP/1.1\r\nHost: localhost:3500\r\nUser-Agent: bench\r\n" + key +
                  "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n\"" +
                  std::string(98, 'x') + '"');
  }
  return all;
}

// The server in a process of its own, so that its CPU can be told from the load's.
class Server {
 public:
  explicit Server(void (*serve)(int ready, int stop)) {
    check(pipe(ready_.data()) == 0 && pipe(stop_.data()) == 0, "pipes");
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(stop_[1]);
      serve(ready_[1], stop_[0]);
      _exit(0);
    }
    check(read(ready_[0], &port_, sizeof port_) == sizeof port_, "the server starts");
  }
  ~Server() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    for (const int end : {ready_[0], ready_[1], stop_[0], stop_[1]}) close(end);
  }

  struct Cost {
    double cpu_microseconds;  // a request
    double rate;
  };
  Cost measure(Duration length, const std::vector<std::string>& requests) const {
    load(port_, length / 5, requests);
    const double before = cpu();
    const double answered = static_cast<double>(load(port_, length, requests));
    return {(cpu() - before) / answered * 1e6,
            answered / std::chrono::duration<double>(length).count()};
  }

 private:
  double cpu() const {
    clockid_t clock{};
    timespec spent{};
    check(clock_getcpuclockid(process_, &clock) == 0 && clock_gettime(clock, &spent) == 0, "cpu");
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
  }

  std::array<int, 2> ready_{};
  std::array<int, 2> stop_{};
  pid_t process_ = 0;
  std::uint16_t port_ = 0;
};

void serve(const ActorType& type, bool on_disk, int ready, int stop) {
  LocalNodes nodes({.nodes = 1, .on_disk = on_disk, .http = true},
                   [&](std::uint32_t /*node*/) { return std::vector<ActorType>{type}; });
  for (int i = 0; i < kConnections; ++i) {
    check(nodes.call(0, type.name, std::to_string(i), type.methods[0].name).has_value(),
          "actors answer");
  }
  const std::string address = nodes.node(0).http_address();
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  if (write(ready, &port, sizeof port) < 0) return;
  char byte = 0;
  (void)!read(stop, &byte, 1);
}

void serve_node(int ready, int stop) { serve(echo_type(), false, ready, stop); }
void serve_savers(int ready, int stop) { serve(saver_type(), true, ready, stop); }

// Beside the same calls without a key.
Row keyed_calls(const std::string& name, const Server& node, const std::string& actor,
                const std::string& method) {
  std::vector<double> without;
  std::vector<double> with;
  for (int i = 0; i < 5; ++i) {
    without.push_back(
        node.measure(std::chrono::seconds(1), requests(actor, method, false)).cpu_microseconds);
    with.push_back(
        node.measure(std::chrono::seconds(1), requests(actor, method, true)).cpu_microseconds);
  }
  return {.name = name,
          .unit = "us CPU",
          .ours = median(with),
          .raw = median(without),
          .target = 0,
          .at_most = false};
}

}  // namespace

std::vector<Row> http_calls() {
  const Server beast(serve_beast);
  const Server node(serve_node);
  std::vector<double> raw;
  std::vector<double> ours;
  for (int i = 0; i < 5; ++i) {
    const std::vector<std::string> pings = requests("Echo", "ping", false);
    raw.push_back(beast.measure(std::chrono::seconds(1), pings).cpu_microseconds);
    const Server::Cost cost = node.measure(std::chrono::seconds(1), pings);
    ours.push_back(cost.cpu_microseconds);
  }
  return {{.name = "call of a native actor over HTTP",
           .unit = "us CPU",
           .ours = median(ours),
           .raw = median(raw),
           .target = 2.5},
          keyed_calls("  with a call key, beside without", node, "Echo", "ping"),
          keyed_calls("  durable, with a call key, beside without", Server(serve_savers), "Saver",
                      "save")};
}

}  // namespace troupe::bench

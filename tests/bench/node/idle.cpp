#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "placement/table/table.h"
#include "runtime/base/check.h"
#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/cpu.h"
#include "tests/support/process.h"

namespace troupe::bench {
namespace {

double resident_bytes(const std::string& process) {
  std::ifstream status("/proc/" + process + "/statm");
  double size = 0;
  double resident = 0;
  status >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// A node's process with a data directory of its own.
class Process {
 public:
  explicit Process(const std::string& program,
                   std::vector<std::string> flags = {"--listen", "127.0.0.1:0"})
      : port_(free_port()) {
    flags.insert(flags.begin(), {program, "--data-dir", directory_.path(), "--http",
                                 "127.0.0.1:" + std::to_string(port_), "--no-discovery"});
    std::vector<char*> arguments;
    for (std::string& flag : flags) arguments.push_back(flag.data());
    arguments.push_back(nullptr);
    started_ = clock_.now();
    id_ = fork();
    if (id_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int nowhere = open("/dev/null", O_WRONLY);
      dup2(nowhere, 1);
      dup2(nowhere, 2);
      execv(program.c_str(), arguments.data());
      _exit(127);
    }
  }
  ~Process() {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }

  // Milliseconds from before it was started until it says that it is healthy.
  double wait_ready() const {
    while (!healthy()) {
      const auto waited = clock_.now() - started_;
      check(waited < std::chrono::seconds(20), "the node starts");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::chrono::duration<double, std::milli>(clock_.now() - started_).count();
  }
  double cpu_seconds() const {
    clockid_t clock{};
    timespec spent{};
    check(clock_getcpuclockid(id_, &clock) == 0 && clock_gettime(clock, &spent) == 0, "cpu");
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
  }
  double megabytes() const { return resident_bytes(std::to_string(id_)) / 1e6; }

 private:
  bool healthy() const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    bool good = false;
    if (connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
      constexpr std::string_view kAsk =
          "GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      char answer[64]{};
      good = send(socket, kAsk.data(), kAsk.size(), MSG_NOSIGNAL) > 0 &&
             recv(socket, answer, sizeof answer - 1, 0) > 12 &&
             std::string_view(answer).substr(9, 3) == "204";
    }
    close(socket);
    return good;
  }

  const SystemClock clock_;
  const TemporaryDirectory directory_;
  const std::uint16_t port_;
  Time started_;
  pid_t id_ = 0;
};

}  // namespace

std::vector<Row> idle_activations() {
  constexpr std::uint64_t kCount = 1'000'000;
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = 1}, [&](std::uint32_t /*node*/) {
    return std::vector<ActorType>{driver_type(slot), echo_type()};
  });
  const auto wake = [&](std::uint64_t first, std::uint64_t count) {
    const auto ping = [=](std::uint64_t, std::uint64_t number, NestedCall& call) {
      call.target = {.type = "Echo", .id = std::to_string(first + number)};
      call.method = "ping";
      return number < count;
    };
    Drive drive(nodes, *slot, std::make_shared<Load>(ping, false));
    drive.start(0, 0, 64);
    return drive.run_out();
  };
  wake(0, 2'000);  // what is there once
  malloc_trim(0);
  const double before = resident_bytes("self");
  const Outcome outcome = wake(2'000, kCount);
  malloc_trim(0);
  const double all = resident_bytes("self");
  const double each = (all - before) / outcome.calls;
  return {{.name = "idle activation, of a million", .unit = "bytes", .ours = each, .target = 1'024},
          {.name = "  the process with all of them",
           .unit = "GiB",
           .ours = all / (1024.0 * 1024 * 1024),
           .target = 1.5},
          {.name = "  waking it, 64 in flight",
           .unit = "1/s",
           .ours = outcome.rate(),
           .target = 0,
           .at_most = false,
           .cpu = outcome.cpu_us()}};
}

std::vector<Row> idle_node(const std::string& program) {
  std::vector<double> ready;
  for (int i = 0; i < 20; ++i) ready.push_back(Process(program).wait_ready());
  const Process process(program);
  process.wait_ready();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const double before = process.cpu_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(10));
  const double percent = (process.cpu_seconds() - before) / 10 * 100;
  return {{.name = "idle node, resident", .unit = "MB", .ours = process.megabytes(), .target = 40},
          {.name = "idle node, CPU", .unit = "% of a core", .ours = percent, .target = 1},
          {.name = "node ready, median of 20 starts",
           .unit = "ms",
           .ours = median(ready),
           .target = 80,
           .p50 = median(ready),
           .p99 = std::ranges::max(ready)}};
}

std::vector<Row> idle_cluster(const std::string& program) {
  std::vector<Row> rows;
  for (const char* shards : {"64", "256"}) {
    std::vector<std::string> addresses;
    for (int i = 0; i < 3; ++i) addresses.push_back("127.0.0.1:" + std::to_string(free_port()));
    const std::string all = addresses[0] + "," + addresses[1] + "," + addresses[2];
    std::vector<std::unique_ptr<Process>> nodes;
    for (const std::string& address : addresses) {
      nodes.push_back(std::make_unique<Process>(
          program, std::vector<std::string>{"--listen", address, "--join", all, "--shards", shards,
                                            "--bootstrap-expect", "3"}));
    }
    for (const auto& node : nodes) node->wait_ready();
    std::this_thread::sleep_for(std::chrono::seconds(5));
    std::vector<double> before;
    std::vector<double> percent;
    std::vector<double> resident;
    for (const auto& node : nodes) before.push_back(node->cpu_seconds());
    std::this_thread::sleep_for(std::chrono::seconds(10));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      percent.push_back((nodes[i]->cpu_seconds() - before[i]) / 10 * 100);
      resident.push_back(nodes[i]->megabytes());
    }
    const std::string name = "idle node of three, " + std::string(shards) + " shards";
    rows.push_back({.name = name + ", CPU",
                    .unit = "% of a core",
                    .ours = std::ranges::max(percent),
                    .target = 1});
    rows.push_back({.name = name + ", resident",
                    .unit = "MB",
                    .ours = std::ranges::max(resident),
                    .target = 40});
  }
  return rows;
}

std::vector<Row> table_lookup() {
  placement::Table table(4096);
  for (std::uint32_t shard = 0; shard < 4096; ++shard) {
    placement::Row row;
    row.version = {.term = 1, .index = 1};
    row.shard = ShardId{shard};
    row.owners = {{"Cart", NodeId{1, shard}, Generation{1}, Epoch{1}}};
    table.apply(std::move(row));
  }
  constexpr std::uint64_t kLookups = 5'000'000;
  std::vector<std::string> ids;
  for (int i = 0; i < 1024; ++i) ids.push_back("customer-" + std::to_string(i));
  std::vector<double> each;  // nanoseconds
  for (int turn = 0; turn < 5; ++turn) {
    std::uint64_t epochs = 0;
    const double begin = cpu_seconds();
    for (std::uint64_t i = 0; i < kLookups; ++i) {
      const placement::Table::RowRef row = table.lookup("Cart", ids[i % ids.size()]);
      epochs += row->owner("Cart")->epoch.value;
    }
    each.push_back((cpu_seconds() - begin) / double{kLookups} * 1e9);
    check(epochs == kLookups, "every row has its owner");
  }
  return {{.name = "lookup of an owner in the table",
           .unit = "ns CPU",
           .ours = median(each),
           .target = 50}};
}

}  // namespace troupe::bench

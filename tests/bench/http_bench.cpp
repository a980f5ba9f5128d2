// What one HTTP request costs the server's process: a 100-byte POST, echoed, over 32 kept
// connections; our server against a bare Beast echo, turn about in one run.
//
//     http_bench [rounds = 5] [seconds a round = 1]

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/net/http_server.h"
#include "tests/bench/raw/beast.h"

namespace troupe::net {
namespace {

using namespace bench;  // NOLINT(google-build-using-namespace)

class Echo final : public HttpHandler {
 public:
  void handle(HttpRequest request, HttpResponder respond) override {
    respond({.status = 200,
             .headers = {},
             .content_type = "application/json",
             .body = std::move(request.body)});
  }
};

void serve_ours(int ready, int stop) {
  SystemClock clock;
  IoThreads threads(clock, {.threads = kThreads});
  Echo echo;
  HttpServer server(threads, Log(silent_log(), "bench"), {}, echo);
  if (!server.start()) std::abort();
  const std::uint16_t port = server.port();
  if (write(ready, &port, sizeof port) < 0) return;
  char byte = 0;
  if (read(stop, &byte, 1) < 0) return;
  _exit(0);
}

const std::string kRequest =
    "POST /v1.0/actors/Cart/1/method/add HTTP/1.1\r\nHost: localhost:3500\r\n"
    "User-Agent: bench\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" +
    std::string(100, 'x');

struct Round {
  double microseconds;  // of CPU, per request
  double rate;
};

Round measure(void (*serve)(int, int), Duration how_long) {
  std::array<int, 2> ready{};
  std::array<int, 2> stop{};
  if (pipe(ready.data()) != 0 || pipe(stop.data()) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    close(stop[1]);
    serve(ready[1], stop[0]);
    _exit(1);
  }
  std::uint16_t port = 0;
  if (read(ready[0], &port, sizeof port) != sizeof port) std::abort();
  const long answered = load(port, how_long, {kRequest});
  close(stop[1]);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  for (const int pipe_end : {ready[0], ready[1], stop[0]}) close(pipe_end);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  const double seconds = std::chrono::duration<double>(how_long).count();
  return {cpu / static_cast<double>(answered), static_cast<double>(answered) / seconds};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int run(int rounds, int seconds) {
  std::vector<double> ours;
  std::vector<double> beast;
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    const Round b = measure(serve_beast, std::chrono::seconds(seconds));
    const Round o = measure(serve_ours, std::chrono::seconds(seconds));
    beast.push_back(b.microseconds);
    ours.push_back(o.microseconds);
    ratios.push_back(o.microseconds / b.microseconds);
    std::printf("round %d: beast %.2f us (%.0f/s)  ours %.2f us (%.0f/s)\n", i + 1, b.microseconds,
                b.rate, o.microseconds, o.rate);
  }
  std::printf("CPU per request, medians: beast %.2f us, ours %.2f us, ratio %.2f\n", median(beast),
              median(ours), median(ratios));
  return 0;
}

}  // namespace
}  // namespace troupe::net

int main(int argc, char** argv) {
  return troupe::net::run(argc > 1 ? std::atoi(argv[1]) : 5, argc > 2 ? std::atoi(argv[2]) : 1);
}

#include "tests/bench/node/isolated.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::bench {
namespace {

constexpr unsigned kPatienceSeconds = 180;

[[noreturn]] void child(int out, const std::function<std::vector<Row>()>& measure) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(kPatienceSeconds);
  std::string lines;
  for (const Row& row : measure()) lines += to_text(row) + '\n';
  for (std::size_t written = 0; written < lines.size();) {
    const ssize_t count = write(out, lines.data() + written, lines.size() - written);
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  _exit(0);
}

}  // namespace

std::vector<Row> isolated(const char* name, const std::function<std::vector<Row>()>& measure) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) std::abort();
  const pid_t process = fork();
  if (process == 0) {
    close(ends[0]);
    child(ends[1], measure);
  }
  close(ends[1]);
  std::string lines;
  std::array<char, 4096> bytes{};
  for (ssize_t count = 0; (count = read(ends[0], bytes.data(), bytes.size())) > 0;) {
    lines.append(bytes.data(), static_cast<std::size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(process, &status, 0);
  std::vector<Row> rows;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) rows.push_back(row_of(line));
  if (rows.empty()) {
    const bool late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    rows.push_back({.name = name, .failure = late ? "took too long" : "broke"});
  }
  return rows;
}

}  // namespace troupe::bench

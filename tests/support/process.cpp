#include "tests/support/process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/check.h"

namespace troupe {
namespace {

// In the child: only what is safe there whatever other threads were doing.
[[noreturn]] void become(char* const* arguments, int log, std::optional<int> name_space) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (name_space && setns(*name_space, CLONE_NEWNET) != 0) _exit(126);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

// A socket of `type` on `port` of the loopback (0: any), closed at its end.
class Bound {
 public:
  Bound(int type, std::uint16_t port) : socket_(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    fine_ = bind(socket_, generic, size) == 0 && getsockname(socket_, generic, &size) == 0;
    port_ = ntohs(address.sin_port);
  }
  ~Bound() {
    if (socket_ >= 0) close(socket_);
  }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

  bool fine() const { return fine_; }
  std::uint16_t port() const { return port_; }
  int release() { return std::exchange(socket_, -1); }

 private:
  int socket_;
  std::uint16_t port_ = 0;
  bool fine_ = false;
};

}  // namespace

Process::~Process() {
  if (runs()) kill();
}

void Process::start(const std::vector<std::string>& arguments, const std::string& log_file,
                    std::optional<int> name_space) {
  check(!runs(), "a process starts once");
  log_file_ = log_file;
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  check(log >= 0, "tests can write logs");
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  process_ = fork();
  if (process_ == 0) become(pointers.data(), log, name_space);
  close(log);
  check(process_ > 0, "tests can start programs");
}

bool Process::runs() {
  if (process_ < 0) return false;
  int status = 0;
  if (waitpid(process_, &status, WNOHANG) == 0) return true;
  ended(status);
  return false;
}

void Process::ended(int status) {
  process_ = -1;
  exit_code_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool Process::has_open(const std::string& file) const {
  std::error_code gone;  // what it closes meanwhile
  const std::filesystem::path wanted = std::filesystem::canonical(file);
  for (const auto& each :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process_) + "/fd")) {
    if (std::filesystem::read_symlink(each.path(), gone) == wanted) return true;
  }
  return false;
}

void Process::signal(int number) {
  check(runs(), "only what runs gets signals");
  ::kill(process_, number);
  if (number != SIGSTOP) return;
  // The signal is only on its way: until all threads have heard of it, some still run.
  int status = 0;
  constexpr int kLooks = 2'000;  // of a millisecond each; one that stood still before tells nothing
  for (int i = 0; i < kLooks; ++i) {
    if (waitpid(process_, &status, WUNTRACED | WNOHANG) == process_) {
      if (!WIFSTOPPED(status)) ended(status);
      return;
    }
    poll(nullptr, 0, 1);
  }
}

void Process::kill() {
  signal(SIGKILL);
  int status = 0;
  waitpid(process_, &status, 0);
  ended(status);
}

std::optional<int> Process::wait(Duration patience) {
  if (!runs()) return exit_code_;
  const int watched = static_cast<int>(syscall(SYS_pidfd_open, process_, 0));
  check(watched >= 0, "the kernel has pidfd_open");
  pollfd waited{.fd = watched, .events = POLLIN, .revents = 0};
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  poll(&waited, 1, static_cast<int>(most));
  close(watched);
  if (runs()) return std::nullopt;
  return exit_code_;
}

std::string Process::output() const {
  std::ostringstream all;
  all << std::ifstream(log_file_).rdbuf();
  return all.str();
}

std::uint16_t free_port() {
  static std::set<std::uint16_t> given;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const Bound stream(SOCK_STREAM, 0);
    const Bound datagrams(SOCK_DGRAM, stream.port());
    if (stream.fine() && datagrams.fine() && given.insert(stream.port()).second) {
      return stream.port();
    }
  }
  check(false, "the loopback has free ports");
  return 0;
}

TakenPort::TakenPort() {
  Bound bound(SOCK_STREAM, 0);
  check(bound.fine(), "the loopback has free ports");
  port_ = bound.port();
  socket_ = bound.release();
  check(listen(socket_, 1) == 0, "tests can listen");
}

TakenPort::~TakenPort() { close(socket_); }

}  // namespace troupe

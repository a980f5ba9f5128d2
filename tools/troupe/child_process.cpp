#include "tools/troupe/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::tools {
namespace {

constexpr std::size_t kReadBytes = 16'384;

struct Image {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* directory;
};

// The child's side. Calls nothing that is unsafe after fork in a process with threads.
[[noreturn]] void become(const Image& image, int output, int failure, pid_t parent) {
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);  // Ctrl-C is for the parent, which then asks its children to stop
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before that took effect
  const int input = ::open("/dev/null", O_RDONLY);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (*image.directory == '\0' || ::chdir(image.directory) == 0) {
    ::execvpe(image.arguments[0], image.arguments.data(), image.environment.data());
  }
  const int why = errno;
  [[maybe_unused]] const ssize_t told = ::write(failure, &why, sizeof why);
  ::_exit(127);
}

std::string describe(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "exited";
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  return "was killed by signal " + std::to_string(WTERMSIG(status));
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// This process's, changed. Prepared before the fork, after which nothing may be allocated.
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::map<std::string, std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry(*each);
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    all.insert_or_assign(std::string(entry.substr(0, equals)), entry.substr(equals + 1));
  }
  for (const auto& [name, value] : added) all.insert_or_assign(name, value);
  std::vector<std::string> entries;
  entries.reserve(all.size());
  for (const auto& [name, value] : all) entries.push_back(name + "=" + value);
  return entries;
}

std::string reason(int number) { return std::generic_category().message(number); }

// Whether nobody holds the other end of this pipe.
bool at_its_end(int output) {
  pollfd waited{.fd = output, .events = 0, .revents = 0};
  return ::poll(&waited, 1, 0) == 1 && (waited.revents & POLLHUP) != 0;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& arguments,
                                         const Surroundings& surroundings) {
  std::vector<std::string> texts = arguments;
  std::vector<std::string> variables = environment_with(surroundings.environment);
  const Image image{.arguments = pointers_to(texts),
                    .environment = pointers_to(variables),
                    .directory = surroundings.directory.c_str()};
  std::array<int, 2> output{};
  std::array<int, 2> failure{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) {
    return fail(Code::kExhausted, "cannot make a pipe: " + reason(errno));
  }
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) {
    ::close(output[0]);
    ::close(output[1]);
    return fail(Code::kExhausted, "cannot make a pipe: " + reason(errno));
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(image, output[1], failure[1], parent);
  const int fork_error = errno;
  ::close(output[1]);
  ::close(failure[1]);
  int why = 0;
  // Ends, empty, when the program has begun.
  const ssize_t told = pid < 0 ? 0 : ::read(failure[0], &why, sizeof why);
  ::close(failure[0]);
  if (pid < 0) {
    ::close(output[0]);
    return fail(Code::kExhausted, "cannot start a process: " + reason(fork_error));
  }
  ::fcntl(output[0], F_SETFL, O_NONBLOCK);
  ChildProcess child(pid, output[0]);
  const std::string& directory = surroundings.directory;
  const std::string where = directory.empty() ? "" : " in " + directory;
  if (told > 0)
    return fail(Code::kNotFound, "cannot run " + arguments[0] + where + ": " + reason(why));
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      ended_(std::move(other.ended_)),
      exit_code_(other.exit_code_) {}

ChildProcess::~ChildProcess() {
  kill_and_wait();
  if (output_ >= 0) ::close(output_);
}

bool ChildProcess::read_output(std::string& text) {
  std::array<char, kReadBytes> piece{};
  const ssize_t size = ::read(output_, piece.data(), piece.size());
  if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

bool ChildProcess::has_output() const {
  pollfd waited{.fd = output_, .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, 0) == 1;
}

void ChildProcess::kill_and_wait() {
  if (pid_ <= 0 || !ended_.empty()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  note_end(status);
}

void ChildProcess::signal(int number) {
  if (ended().empty()) ::kill(pid_, number);
}

void ChildProcess::signal_all(int number) {
  // Only a group that lives keeps the number from being given to others.
  if (ended().empty() || !at_its_end(output_)) ::kill(-pid_, number);
}

const std::string& ChildProcess::ended() {
  int status = 0;
  if (ended_.empty() && ::waitpid(pid_, &status, WNOHANG) == pid_) note_end(status);
  return ended_;
}

std::optional<int> ChildProcess::exit_code() {
  return ended().empty() ? std::nullopt : std::optional(exit_code_);
}

void ChildProcess::note_end(int status) {
  ended_ = describe(status);
  exit_code_ = exit_code_of(status);
}

}  // namespace troupe::tools

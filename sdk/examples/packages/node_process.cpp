#include "sdk/examples/packages/node_process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using troupe::Code;
using troupe::fail;
using troupe::Result;

namespace {

constexpr int kPollMs = 10;

std::string reason(int number) { return std::generic_category().message(number); }

// In the child: only what is safe there whatever other threads were doing.
[[noreturn]] void become(char* const* arguments, int log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

NodeProcess::~NodeProcess() {
  if (!runs()) return;
  kill(process_, SIGKILL);
  waitpid(process_, &status_, 0);
}

Result<void> NodeProcess::start(const std::vector<std::string>& arguments,
                                const std::string& log_file) {
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return fail(Code::kUnavailable, log_file + ": " + reason(errno));
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  process_ = fork();
  if (process_ == 0) become(pointers.data(), log);
  close(log);
  if (process_ < 0) return fail(Code::kExhausted, "no process: " + reason(errno));
  return {};
}

bool NodeProcess::runs() {
  if (process_ < 0) return false;
  if (waitpid(process_, &status_, WNOHANG) == 0) return true;
  process_ = -1;
  return false;
}

Result<void> NodeProcess::stop(troupe::Duration patience) {
  if (!runs()) return fail(Code::kPrecondition, "it does not run any more");
  kill(process_, SIGTERM);
  for (troupe::Duration waited{0}; runs(); waited += std::chrono::milliseconds(kPollMs)) {
    if (waited >= patience) {
      kill(process_, SIGKILL);
      waitpid(process_, &status_, 0);
      process_ = -1;
      return fail(Code::kTimeout, "it did not stop in time, and was killed");
    }
    poll(nullptr, 0, kPollMs);
  }
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return {};
  return fail(Code::kInternal, WIFSIGNALED(status_)
                                   ? "it ended by signal " + std::to_string(WTERMSIG(status_))
                                   : "it ended with " + std::to_string(WEXITSTATUS(status_)));
}

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <troupe/time.h>

namespace troupe {

/// A program as a process of its own, killed with this object, or with the test if that dies.
/// For one thread, which outlives it: the kernel kills it when the thread that started it ends.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  /// Runs `arguments`, the program first; what it prints goes to the end of `log_file`. Requires
  /// that it does not run. `name_space`: the network namespace it runs in, if not the caller's.
  void start(const std::vector<std::string>& arguments, const std::string& log_file,
             std::optional<int> name_space = {});
  bool runs();
  /// Whether it has this file open now. Requires that it runs.
  bool has_open(const std::string& file) const;
  /// SIGSTOP, SIGCONT, SIGTERM ... Requires that it runs. After SIGSTOP none of its threads does.
  void signal(int number);
  /// As a crash: nothing is finished or flushed. Returns when it is gone.
  void kill();
  /// Its exit code, or minus the signal that ended it; nothing if it still runs after `patience`.
  std::optional<int> wait(Duration patience);

  /// All it has printed, over all its starts with this log file.
  std::string output() const;

 private:
  void ended(int status);

  pid_t process_ = -1;
  int exit_code_ = 0;
  std::string log_file_;
};

/// A port of the loopback that nobody has now, for TCP and UDP, and that no call gave before.
std::uint16_t free_port();

/// A listening socket on a port of the loopback that others would like to have.
class TakenPort {
 public:
  TakenPort();
  ~TakenPort();
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

}  // namespace troupe
